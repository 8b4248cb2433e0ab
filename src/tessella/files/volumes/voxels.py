"""Volumes decoded once and kept for their slices: pictures as they are, labels as whole numbers."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.errors import FormatError, ImageError, InputError, LabelError
from tessella.core.image import Image
from tessella.files.volumes.header import VolumeHeader, check_size, read_stored
from tessella.files.volumes.nifti import read_nifti_header
from tessella.files.volumes.nrrd import is_nrrd, read_nrrd_header

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Ids = NDArray[np.uint8] | NDArray[np.uint16]

_KEPT: Final = 2
"""Volumes of each kind that are kept decoded: slices are asked for one after the other."""

_ONE_AT_A_TIME: Final = threading.Lock()
"""Several threads that ask for slices of one volume wait for the first of them to decode it."""

_LARGEST_ID: Final = 65535


class Meaning(NamedTuple):
    """What a value of a label volume stands for.

    Args:
        value: As stored.
        layer: The component of the voxels that holds it.
        becomes: The value that is written over the voxels that have it.
    """

    value: int
    layer: int
    becomes: int


def read_volume_header(path: Path) -> VolumeHeader:
    """Read what a volume says of itself; voxels are neither read nor decoded.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged, or no picture of the body.
        MissingExtraError: It is NIfTI, and nibabel is not installed.
    """
    return (read_nrrd_header if is_nrrd(path) else read_nifti_header)(path)


def read_picture(paths: Sequence[Path], number: int, *, max_pixels: int | None = None) -> Image:
    """Read one axial slice of a volume, or of several of one grid, as the bands of one image.

    8 and 16 bits without sign stay as they are, everything else becomes float32: Hounsfield units are negative.

    Args:
        paths: The volumes.
        number: Of the slice, from the feet.
        max_pixels: Refuse larger volumes (voxels times components); by default 300 million.

    Raises:
        InputError: A file cannot be read.
        ImageError: Damaged, larger than the budget, or without such a slice.
    """
    bands = [_picture(*_turned(path, max_pixels), number) for path in paths]
    if len({band.shape[:2] for band in bands}) > 1:
        raise ImageError("the volumes of one case differ in size", where=paths[0], got=[band.shape for band in bands])
    same = {band.dtype for band in bands}
    dtype = same.pop() if len(same) == 1 else np.dtype(np.float32)
    return Image(np.ascontiguousarray(np.concatenate([band.astype(dtype, copy=False) for band in bands], axis=2)))


def _picture(voxels: NDArray[Any], header: VolumeHeader, number: int) -> NDArray[Any]:
    if not 0 <= number < len(voxels):
        raise ImageError(
            "the volume has no such slice", where=header.path, got=number, expected=f"0 to {len(voxels) - 1}"
        )
    slice_: NDArray[Any] = voxels[number]
    native = slice_.dtype.newbyteorder("=")
    if header.scale == (1.0, 0.0) and native in (np.uint8, np.uint16):
        return np.asarray(slice_, native)
    slope, intercept = header.scale
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(slice_.astype(np.float64) * slope + intercept, np.float32)


def read_labels(path: Path, meanings: Sequence[Meaning] | None = None, *, max_pixels: int | None = None) -> Ids:
    """Read a label volume.

    Args:
        path: The volume.
        meanings: What its values stand for, painted in this order; None for the values as stored.
        max_pixels: Refuse larger volumes; by default 300 million voxels.

    Returns:
        (Z, Y, X) uint8 or uint16, read-only.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged, or larger than the budget.
        LabelError: It holds fractions, numbers below 0 or above 65535, or layers that nothing explains.
    """
    with _ONE_AT_A_TIME:
        return _labels(path, _stamp(path), None if meanings is None else tuple(meanings), max_pixels)


def read_merged(files: Sequence[tuple[Path, int]], *, max_pixels: int | None = None) -> Ids:
    """Read a label volume of several files, one per class.

    Args:
        files: Each file and the value that is written where it is not 0; later ones over earlier ones.
        max_pixels: Refuse larger volumes; by default 300 million voxels.

    Raises:
        InputError: A file cannot be read.
        ImageError: Damaged, or larger than the budget.
        LabelError: It holds what `read_labels` refuses, or two files differ in their grid.
    """
    with _ONE_AT_A_TIME:
        return _merged(tuple(files), tuple(_stamp(path) for path, _ in files), max_pixels)


Stamp = tuple[tuple[int, int], ...]


def _stamp(path: Path) -> Stamp:
    """What changes when a file is written anew, or one of those that hold its values."""
    detached = path.name.lower().endswith((".nhdr", ".hdr", ".hdr.gz"))
    return tuple(_written(file) for file in dict.fromkeys((path, *(read_volume_header(path).data if detached else ()))))


def _written(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=path) from error
    return state.st_mtime_ns, state.st_size


def _turned(path: Path, max_pixels: int | None) -> tuple[NDArray[Any], VolumeHeader]:
    with _ONE_AT_A_TIME:
        return _kept_picture(path, _stamp(path), max_pixels)


@lru_cache(maxsize=2 * _KEPT)  # the modalities of one case are volumes of their own
def _kept_picture(path: Path, stamp: Stamp, max_pixels: int | None) -> tuple[NDArray[Any], VolumeHeader]:
    del stamp
    return _decoded(path, max_pixels)


def _decoded(path: Path, max_pixels: int | None) -> tuple[NDArray[Any], VolumeHeader]:
    header = read_volume_header(path)
    check_size(header, max_pixels=max_pixels)
    return header.grid.turn_voxels(read_stored(header), path), header


@lru_cache(maxsize=_KEPT)
def _labels(path: Path, stamp: Stamp, meanings: tuple[Meaning, ...] | None, max_pixels: int | None) -> Ids:
    del stamp
    voxels, header = _decoded(path, max_pixels)
    if meanings is None:
        if header.components > 1:
            raise LabelError(
                "a label volume holds several values per voxel",
                where=path,
                got=f"{header.components} components",
                expected="one, or layers that the file names (3D Slicer)",
                fix="export it as one label map",
            )
        return _frozen(_whole(voxels[..., 0], header))
    ids = np.zeros(voxels.shape[:3], np.uint8 if max((m.becomes for m in meanings), default=0) < 256 else np.uint16)
    for meaning in meanings:
        if meaning.layer >= header.components:
            raise FormatError("a segment lies in a layer that is not there", where=path, got=meaning.layer)
        ids[_whole(voxels[..., meaning.layer], header) == meaning.value] = meaning.becomes
    return _frozen(ids)


@lru_cache(maxsize=_KEPT)
def _merged(files: tuple[tuple[Path, int], ...], stamps: tuple[Stamp, ...], max_pixels: int | None) -> Ids:
    del stamps
    merged: NDArray[Any] | None = None
    first: VolumeHeader | None = None
    dtype = np.uint8 if max((value for _, value in files), default=0) < 256 else np.uint16
    for path, value in files:
        voxels, header = _decoded(path, max_pixels)
        if merged is None or first is None:
            merged, first = np.zeros(voxels.shape[:3], dtype), header
        if header.components > 1 or (apart := header.grid.differs(first.grid, path)):
            told = apart if header.components == 1 else f"{header.components} values per voxel"
            raise LabelError("two label volumes of one case do not fit", where=path, got=told, expected=first.path.name)
        merged[_whole(voxels[..., 0], header) != 0] = value
    return _frozen(np.zeros((1, 1, 1), np.uint8) if merged is None else merged)


def _frozen(ids: NDArray[Any]) -> Ids:
    ids.flags.writeable = False
    return ids


def _whole(voxels: NDArray[Any], header: VolumeHeader) -> Ids:
    """Return labels as whole numbers; integers that are stored as floats are fine, probabilities are refused."""
    values = voxels if header.scale == (1.0, 0.0) else voxels * header.scale[0] + header.scale[1]
    if values.dtype == np.uint8:
        return np.array(values, np.uint8)
    if values.dtype.kind == "f" and (wrong := values != np.rint(values)).any():  # NaN differs from itself
        z, y, x = (int(at[0]) for at in np.nonzero(wrong))
        share = float(np.count_nonzero(wrong)) / wrong.size
        raise LabelError(
            "the label volume holds fractions: probabilities or smoothed labels, of which nobody has said where a "
            "class begins",
            where=header.path,
            got=f"{float(values[z, y, x]):g} at slice {z}, row {y}, column {x}; fractions in {share:.1%} of the voxels",
            expected="whole numbers",
            fix="export a label map, or apply the threshold yourself",
        )
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > _LARGEST_ID:
        raise LabelError(
            "the label volume holds numbers that are no classes",
            where=header.path,
            got=f"{low:g} to {high:g}",
            expected=f"0 to {_LARGEST_ID}",
            fix="give the label map; this may be the scan itself",
        )
    return values.astype(np.uint16)
