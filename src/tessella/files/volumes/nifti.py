"""NIfTI-1 and -2 (`.nii`, `.nii.gz`, `.hdr` with `.img`): the header by nibabel, the voxels within set limits."""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tessella.core.errors import FormatError, ImageError, InputError
from tessella.core.extras import require
from tessella.files.paths import contain
from tessella.files.volumes.grid import Grid
from tessella.files.volumes.header import Segment, VolumeHeader
from tessella.files.xml import parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LARGEST_HEAD: Final = 1 << 24
"""Bytes of header and extensions that are read at most."""

_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
_BROKEN: Final = (ValueError, TypeError, LookupError, ArithmeticError, OSError, EOFError, AttributeError, zlib.error)
_KINDS: Final = "iuf"
_SIZES: Final = tuple(struct.pack(f"{order}i", size) for order in "<>" for size in (348, 540))
"""What a header begins with: its own length."""

_VOXELS: Final = (".img", ".img.gz")
_MILLIMETRES: Final = {"meter": 1000.0, "micron": 0.001}


def is_nifti(path: Path) -> bool:
    """Whether a file is NIfTI: by name, and a `.hdr` by its first bytes, for ENVI and Radiance use the name as well."""
    name = path.name.lower()
    if name.endswith((".hdr", ".hdr.gz")):
        try:
            return _start(path)[:4] in _SIZES
        except InputError:
            return False
    return name.endswith((".nii", ".nii.gz"))


def read_nifti_header(path: Path) -> VolumeHeader:
    """Read what a NIfTI file says of itself; voxels are neither read nor decoded.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged, or of a kind that is no picture: complex numbers, more than four dimensions.
        MissingExtraError: nibabel is not installed.
    """
    require("nibabel", needs="reading NIfTI", extra="medical")
    start = _start(path)
    head, kind = _header(path, start)
    data = path if kind.single else _voxel_file(path)
    try:
        with np.errstate(all="ignore"):
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
        data=(data,),
        packing="gzip" if _is_packed(data) else "",
        offset=int(head["vox_offset"]) or (kind.size if kind.single else 0),
        components_first=colours > 1,
        scale=(slope, intercept),
        segments=_segments(head, path),
    )


class _Kind(NamedTuple):
    """A kind of NIfTI: the class of nibabel, bytes of header and extension flag, and whether voxels follow behind."""

    header: Any
    size: int
    single: bool


def _is_packed(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(2) == b"\x1f\x8b"
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=path, fix="check the spelling") from error
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=path) from error


def _start(path: Path) -> bytes:
    """Return the first 544 bytes, unpacked: a whole header of either version."""
    try:
        with gzip.open(path, "rb") if _is_packed(path) else path.open("rb") as stream:
            return stream.read(544)
    except _BROKEN as error:
        raise ImageError(f"the header is damaged ({error})", where=path, fix="copy or export it again") from error


def _kind(path: Path, start: bytes) -> _Kind:
    """Tell the kind of a file from its magic words (nifti1.h; nifti2.h).

    Raises:
        ImageError: None of them is there.
    """
    from nibabel import Nifti1Header, Nifti2Header
    from nibabel.nifti1 import Nifti1PairHeader
    from nibabel.nifti2 import Nifti2PairHeader

    first, second = start[344:347], start[4:7]
    if second in (b"n+2", b"ni2"):
        return _Kind(Nifti2Header, 544, True) if second == b"n+2" else _Kind(Nifti2PairHeader, 544, False)
    if first in (b"n+1", b"ni1"):
        return _Kind(Nifti1Header, 352, True) if first == b"n+1" else _Kind(Nifti1PairHeader, 352, False)
    if start[:4] in _SIZES and path.name.lower().endswith((".hdr", ".hdr.gz")):
        raise ImageError(
            "this is Analyze 7.5, which does not say which side of the body is left",
            where=path,
            fix="convert it to NIfTI with a program that knows its scanner, such as dcm2niix from the DICOM files",
        )
    raise ImageError("this is not NIfTI", where=path, got=repr(start[:4]), fix="export the volume again")


def _voxel_file(path: Path) -> Path:
    """Return the `.img` or `.img.gz` of a `.hdr`, in the same folder; the case of the suffix does not matter.

    Raises:
        InputError: It is not there, or a link that leads out of the folder.
    """
    stem = re.sub(r"\.hdr(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    for name in _voxel_names(path.parent, stem):
        voxels = contain(path.parent, name)
        if voxels.is_file():
            return voxels
    raise InputError(
        "a NIfTI header without its voxels",
        where=path,
        expected=f"{stem}.img or {stem}.img.gz beside it",
        fix="copy both files, or export the volume as .nii.gz",
    )


def _voxel_names(folder: Path, stem: str) -> Iterator[str]:
    """Yield the usual names first: only where none of them is there does the folder need to be listed."""
    yield from (f"{stem}{suffix}" for suffix in (*_VOXELS, *map(str.upper, _VOXELS)))
    with contextlib.suppress(OSError):  # one that lets files be opened, but not be listed
        names = (entry.name for entry in folder.iterdir())
        yield from sorted(name for name in names if name.startswith(stem) and name[len(stem) :].lower() in _VOXELS)


def _header(path: Path, start: bytes) -> tuple[Any, _Kind]:  # nibabel has no types
    """Return nibabel's header with its extensions, and its kind."""
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    kind = _kind(path, start)
    try:
        plain = kind.header(start[: 540 if kind.size == 544 else 348], check=False)
        end = int(plain["vox_offset"])
        if not 0 <= end <= _LARGEST_HEAD:
            raise ImageError("the header is too long", where=path, got=f"{end} bytes", expected=_LARGEST_HEAD)
        with gzip.open(path, "rb") if _is_packed(path) else path.open("rb") as stream:
            # the header of a pair ends with its file
            whole = stream.read(max(len(start), end) if kind.single else _LARGEST_HEAD)
        return kind.header.from_fileobj(io.BytesIO(whole), check=False), kind
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
            return np.diag([_MILLIMETRES.get(unit, 1.0)] * 3 + [1.0]) @ _TO_LPS @ affine
    except Exception as error:  # nibabel raises its own kinds, and what arithmetic raises
        raise ImageError(f"the header places the voxels nowhere ({error})", where=path) from error


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
