"""NIfTI-1 and -2 (`.nii`, `.nii.gz`): the header by nibabel, the voxels within the limits of `header`."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import FormatError, ImageError, InputError
from tessella.core.extras import require
from tessella.files.volumes.grid import Grid
from tessella.files.volumes.header import Segment, VolumeHeader
from tessella.files.xml import parse_xml

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_HEAD: Final = 1 << 24
"""Bytes of header and extensions that are read at most."""

_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
_BROKEN: Final = (ValueError, TypeError, LookupError, ArithmeticError, OSError, EOFError, AttributeError, zlib.error)
_KINDS: Final = "iuf"
_MILLIMETRES: Final = {"meter": 1000.0, "micron": 0.001}


def is_nifti(path: Path) -> bool:
    """Whether a file is NIfTI by name."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def read_nifti_header(path: Path) -> VolumeHeader:
    """Read what a NIfTI file says of itself; voxels are neither read nor decoded.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged, or of a kind that is no picture: complex numbers, more than four dimensions.
        MissingExtraError: nibabel is not installed.
    """
    require("nibabel", needs="reading NIfTI", extra="medical")
    packed = _is_packed(path)
    head, kind = _header(path, packed)
    try:
        shape = tuple(int(side) for side in head.get_data_shape())
        dtype = head.get_data_dtype()
    except _BROKEN as error:
        raise ImageError(f"the header is damaged ({error})", where=path, fix="copy or export it again") from error
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    colours = len(dtype.names or ()) or 1
    if dtype.names and all(dtype[name] == np.uint8 for name in dtype.names):
        dtype = np.dtype(np.uint8)
    if not 2 <= len(shape) <= 4 or dtype.kind not in _KINDS or dtype.itemsize > 8 or (colours > 1 and len(shape) > 3):
        raise ImageError(
            "this volume is no picture of the body",
            where=path,
            got=f"{dtype} {shape}",
            expected="2 or 3 dimensions, a fourth for modalities, of whole or real numbers",
        )
    x, y, z, more = (*shape, 1, 1)[:4] if len(shape) < 4 else shape
    slope, intercept = _scale(head)
    return VolumeHeader(
        path=path,
        grid=Grid((x, y, z), _affine(head, path)),
        components=more * colours,
        dtype=dtype,
        data=path,
        packing="gzip" if packed else "",
        offset=int(head["vox_offset"]) or kind,
        components_first=colours > 1,
        scale=(slope, intercept),
        segments=_segments(head, path),
    )


def _is_packed(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(2) == b"\x1f\x8b"
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=path) from error


def _header(path: Path, packed: bool) -> tuple[Any, int]:  # nibabel has no types
    """Return nibabel's header, with its extensions, and the bytes of the plain header."""
    from nibabel import Nifti1Header, Nifti2Header
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            start = stream.read(544)
            second = start[4:7] in (b"n+2",)
            header, size = (Nifti2Header, 544) if second else (Nifti1Header, 352)
            if not second and start[344:347] != b"n+1":
                raise ImageError("this is not NIfTI", where=path, got=repr(start[:4]), fix="export the volume again")
            plain = header(start[:540] if second else start[:348], check=False)
            end = int(plain["vox_offset"])
            if not 0 <= end <= _LARGEST_HEAD:
                raise ImageError("the header is too long", where=path, got=f"{end} bytes", expected=_LARGEST_HEAD)
            whole = start + stream.read(max(0, end - len(start)))
            return header.from_fileobj(io.BytesIO(whole), check=False), size
    except (HeaderDataError, WrapStructError, *_BROKEN) as error:
        raise ImageError(f"the header is damaged ({error})", where=path, fix="copy or export it again") from error


def _scale(head: Any) -> tuple[float, float]:  # noqa: ANN401
    slope, intercept = float(head["scl_slope"]), float(head["scl_inter"])
    # a slope of 0 means that values are meant as stored (nifti1.h, section 3), and so does what is no number
    if not np.isfinite(slope) or slope == 0:
        return 1.0, 0.0
    return slope, intercept if np.isfinite(intercept) else 0.0


def _affine(head: Any, path: Path) -> Any:  # noqa: ANN401
    """Return millimetres, x to the left and y to the back, of voxel indices."""
    try:
        with np.errstate(all="ignore"):
            affine = np.asarray(head.get_best_affine(), np.float64)
            unit = head.get_xyzt_units()[0]
    except Exception as error:  # nibabel raises its own kinds, and what arithmetic raises
        raise ImageError(f"the header places the voxels nowhere ({error})", where=path) from error
    return np.diag([_MILLIMETRES.get(unit, 1.0)] * 3 + [1.0]) @ _TO_LPS @ affine


def _segments(head: Any, path: Path) -> tuple[Segment, ...]:  # noqa: ANN401
    """Read the table of labels that some programs write as an extension, in Caret's XML (TotalSegmentator)."""
    found: dict[int, Segment] = {}
    for extension in head.extensions:
        content = extension.get_content()
        if not isinstance(content, bytes) or b"<LabelTable>" not in content:
            continue
        try:
            tree = parse_xml(content.rstrip(b"\0 "), where=path)
        except FormatError:
            continue  # names alone are lost
        for label in tree.iter("Label"):
            key, name = label.get("Key", ""), (label.text or "").strip()
            if key.isdecimal() and len(key) < 6 and name:
                found.setdefault(int(key), Segment(name, int(key)))
    return tuple(found.values())
