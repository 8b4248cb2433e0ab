"""DICOM: slices of a scan, and segmentations (DICOM-SEG, PS3.3 A.51); by pydicom, from bytes that were read before."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import ImageError, InputError, LabelError
from tessella.core.extras import require
from tessella.core.image import Image
from tessella.files.images import check_hw
from tessella.files.text import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SEGMENTATION: Final = "1.2.840.10008.5.1.4.1.1.66.4"
"""SOP class of Segmentation Storage (PS3.4, B.5)."""

LABEL_MAP: Final = "1.2.840.10008.5.1.4.1.1.66.7"
"""SOP class of Label Map Segmentation Storage."""

_FILE_BUDGET: Final = 1 << 31
_HEAD: Final = 1 << 10
_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_PLAIN: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
"""Transfer syntaxes of uncompressed pixels (PS3.5, A)."""

_MOST_FRAMES: Final = 1 << 16
_ONE_AT_A_TIME: Final = threading.Lock()
"""Several threads that ask for frames of one segmentation wait for the first of them to decode it."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a slice lies.

    Args:
        position: (3,) millimetres of the centre of its first pixel.
        axes: (2, 3) directions along a row and down a column.
        spacing: Millimetres between rows and between columns.
        hw: Height and width in pixels.
    """

    position: NDArray[np.float64]
    axes: NDArray[np.float64]
    spacing: tuple[float, float]
    hw: tuple[int, int]

    @property
    def normal(self) -> NDArray[np.float64]:
        """Unit vector across the slice."""
        return np.asarray(np.cross(self.axes[0], self.axes[1]), np.float64)

    @property
    def depth(self) -> float:
        """Millimetres along the normal."""
        return float(self.position @ self.normal)

    def differs(self, other: Place) -> str:
        """Return what tells the grids of two slices apart, whatever their depth; "" when they are the same."""
        if self.hw != other.hw:
            return f"{self.hw[1]}x{self.hw[0]} pixels against {other.hw[1]}x{other.hw[0]}"
        if np.abs(self.axes - other.axes).max() > 1e-2:
            return f"turned against each other: {self.axes.round(3).tolist()} against {other.axes.round(3).tolist()}"
        apart = self.position - other.position
        inside = float(np.linalg.norm(apart - (apart @ self.normal) * self.normal))
        if inside > 0.1 * min(self.spacing) or not np.allclose(self.spacing, other.spacing, rtol=1e-2):
            return f"pixels of {self.spacing} mm against {other.spacing} mm, shifted by {inside:.2f} mm"
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One image of a scan.

    Args:
        path: The file.
        uid: The image's own identifier.
        series: The identifier of its series.
        place: Where it lies.
    """

    path: Path
    uid: str
    series: str
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a segmentation.

    Args:
        number: Its position in the file.
        segment: The number of its segment; 0 in a label map, whose values are the numbers.
        place: Where it lies.
        source: The identifier of the image that it was drawn on; "" where it states none.
    """

    number: int
    segment: int
    place: Place
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """What a DICOM segmentation says of itself.

    Args:
        path: The file.
        segments: Name of each segment's number.
        frames: Its frames.
        series: The identifier of the series that it was drawn on; "" where it states none.
        bits: Bits per value: 1, 8 or 16.
    """

    path: Path
    segments: dict[int, str]
    frames: tuple[Frame, ...]
    series: str
    bits: int


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do."""
    return _head(path)[128:132] == b"DICM"


def is_segmentation(path: Path) -> bool:
    """Whether a DICOM file says in its first kilobyte that it is a segmentation; needs no extra."""
    head = _head(path)
    return head[128:132] == b"DICM" and any(uid.encode() in head for uid in (SEGMENTATION, LABEL_MAP))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError:
        return b""


def read_slice_header(path: Path) -> Slice:
    """Read where an image of a scan lies; its pixels are not decoded.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged, or it does not say where it lies.
        MissingExtraError: pydicom is not installed.
    """
    with _Named(path):
        tree = _dataset(path, pixels=False)
        place = _place(tree, tree, _hw(tree))
        return Slice(path, str(tree.SOPInstanceUID), str(tree.get("SeriesInstanceUID", "")), place)


def read_segmentation(path: Path) -> Segmentation:
    """Read the segments and frames of a segmentation; its pixels are not decoded.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged.
        LabelError: A fractional segmentation: probabilities or shares, of which nobody has said where a class begins.
        MissingExtraError: pydicom is not installed.
    """
    with _Named(path):
        tree = _dataset(path, pixels=False)
        kind = str(tree.get("SegmentationType", "")).upper()
        if kind not in ("BINARY", "LABELMAP"):
            raise LabelError(
                "the segmentation holds fractions: probabilities or shares of a pixel, of which nobody has said where "
                "a class begins",
                where=path,
                got=f"{kind or 'no type'} {tree.get('SegmentationFractionalType', '')}".strip(),
                expected="BINARY or LABELMAP",
                fix="export it as a binary segmentation, or apply the threshold yourself",
            )
        segments = {
            int(segment.SegmentNumber): str(segment.get("SegmentLabel", "")).strip()
            or f"segment {segment.SegmentNumber}"
            for segment in tree.SegmentSequence
        }
        count = int(tree.get("NumberOfFrames", 1))
        if not 1 <= count <= min(_MOST_FRAMES, len(tree.PerFrameFunctionalGroupsSequence)):
            raise ImageError("the number of frames is damaged", where=path, got=count)
        frames = tuple(_frame(tree, number, is_map=kind == "LABELMAP") for number in range(count))
        referenced = tree.get("ReferencedSeriesSequence")
        series = str(referenced[0].get("SeriesInstanceUID", "")) if referenced else ""
        return Segmentation(path, segments, frames, series, int(tree.BitsAllocated))


def _frame(tree: Any, number: int, *, is_map: bool) -> Frame:  # noqa: ANN401 - pydicom's attributes have no types
    own = tree.PerFrameFunctionalGroupsSequence[number]
    shared = tree.SharedFunctionalGroupsSequence[0] if "SharedFunctionalGroupsSequence" in tree else own
    segment = 0
    if not is_map:
        group = _group(own, shared, "SegmentIdentificationSequence")
        segment = int(group.ReferencedSegmentNumber)
    source = ""
    if derived := own.get("DerivationImageSequence"):
        images = derived[0].get("SourceImageSequence")
        source = str(images[0].get("ReferencedSOPInstanceUID", "")) if images else ""
    return Frame(number, segment, _place(own, shared, _hw(tree)), source)


def _group(own: Any, shared: Any, name: str) -> Any:  # noqa: ANN401
    """Return a functional group of a frame, or of all frames."""
    found = own.get(name) or shared.get(name)
    if not found:
        raise ValueError(f"{name} is missing")
    return found[0]


def _place(own: Any, shared: Any, hw: tuple[int, int]) -> Place:  # noqa: ANN401
    """Read where a slice lies: from its own attributes (a scan), or from functional groups (a segmentation)."""
    if "ImagePositionPatient" in own:
        position, axes, spacing = own.ImagePositionPatient, own.ImageOrientationPatient, own.PixelSpacing
    else:
        position = _group(own, shared, "PlanePositionSequence").ImagePositionPatient
        axes = _group(own, shared, "PlaneOrientationSequence").ImageOrientationPatient
        spacing = _group(own, shared, "PixelMeasuresSequence").PixelSpacing
    place = Place(
        np.array([float(value) for value in position], np.float64),
        np.array([float(value) for value in axes], np.float64).reshape(2, 3),
        (float(spacing[0]), float(spacing[1])),
        hw,
    )
    if place.position.shape != (3,) or not np.isfinite([*place.position, *place.axes.flat, *place.spacing]).all():
        raise ValueError("a position is not a number")
    if not np.allclose(place.axes @ place.axes.T, np.eye(2), atol=1e-2) or min(place.spacing) <= 0:
        raise ValueError("the directions of rows and columns are not at right angles")
    return place


def _hw(tree: Any) -> tuple[int, int]:  # noqa: ANN401
    hw = int(tree.Rows), int(tree.Columns)
    if min(hw) < 1:
        raise ValueError("the image has no pixels")
    return hw


def read_slice(path: Path, *, max_pixels: int | None = None) -> Image:
    """Decode one image of a scan: (H, W, 1) float32 in the units of its rescale slope (Hounsfield), or 8 or 16 bits.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged, larger than the budget, or compressed in a way that pydicom cannot decode.
        MissingExtraError: pydicom is not installed.
    """
    with _Named(path):
        tree = _dataset(path, pixels=True)
        hw, samples = _hw(tree), int(tree.get("SamplesPerPixel", 1))
        frames = int(tree.get("NumberOfFrames", 1) or 1)
        check_hw((hw[0] * max(samples, 1), hw[1] * max(frames, 1)), where=path, max_pixels=max_pixels)
        if samples not in (1, 3) or frames != 1:
            raise ImageError("this is not one picture", where=path, got=f"{samples} samples, {frames} frames")
        values = np.asarray(tree.pixel_array)
        values = values.reshape(*hw, samples)
        slope, intercept = float(tree.get("RescaleSlope", 1)), float(tree.get("RescaleIntercept", 0))
        if (slope, intercept) == (1, 0) and values.dtype in (np.uint8, np.uint16):
            return Image(np.ascontiguousarray(values), window=_window(tree))
        return Image(np.asarray(values.astype(np.float64) * slope + intercept, np.float32), window=_window(tree))


def _window(tree: Any) -> tuple[float, float] | None:  # noqa: ANN401 - a data set of pydicom
    """Return the values that are shown as black and as white (PS3.3, C.11.2.1.2), of several windows the first.

    In MONOCHROME1 the lowest value is white. None where no window is stated, or none that can be used.
    """
    told = [tree.get(name) for name in ("WindowCenter", "WindowWidth")]
    try:
        centre, width = (float(one if isinstance(one, int | float | str) else one[0]) for one in told)
    except (TypeError, ValueError, LookupError):
        return None
    low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    if not (np.isfinite(low) and np.isfinite(high) and 1e-6 < high - low < 1e9):
        return None
    return (high, low) if tree.get("PhotometricInterpretation") == "MONOCHROME1" else (low, high)


def kept_frames(segmentation: Segmentation, *, max_pixels: int | None = None) -> NDArray[Any]:
    """Decode the frames of a segmentation; those of the last two are kept, for one image after the other is asked for.

    Returns:
        (N, H, W) bool, or uint8 or uint16 of a label map.

    Raises:
        InputError: The file cannot be read.
        ImageError: Damaged, larger than the budget, or compressed in a way that pydicom cannot decode.
    """
    with _ONE_AT_A_TIME:
        return _frames(segmentation, max_pixels)


@lru_cache(maxsize=2)
def _frames(segmentation: Segmentation, max_pixels: int | None) -> NDArray[Any]:
    path = segmentation.path
    with _Named(path):
        tree = _dataset(path, pixels=True)
        hw, count = _hw(tree), len(segmentation.frames)
        check_hw((hw[0] * count, hw[1]), where=path, max_pixels=max_pixels)
        if segmentation.bits == 1 and str(tree.file_meta.TransferSyntaxUID) in _PLAIN:
            bits = np.frombuffer(tree.PixelData, np.uint8)
            needed = hw[0] * hw[1] * count
            if bits.size * 8 < needed:
                raise ImageError("the segmentation is cut off", where=path, got=f"{bits.size} bytes")
            # frames follow each other bit by bit, the lowest bit first (PS3.5, 8.1.1 and D)
            return np.unpackbits(bits, count=needed, bitorder="little").reshape(count, *hw).view(np.bool_)
        return np.asarray(tree.pixel_array).reshape(count, *hw)


def _dataset(path: Path, *, pixels: bool) -> Any:  # noqa: ANN401
    """Parse a file that was read whole: a length in it can then not ask for more than there is."""
    require("pydicom", needs="reading DICOM", extra="medical")
    import io

    import pydicom

    data = read_bytes(path, max_bytes=_FILE_BUDGET)
    if data[128:132] != b"DICM":
        raise ImageError("this is not DICOM", where=path, got=repr(data[:8]), fix="export the series again")
    if _DEFLATED in data:
        raise ImageError(
            "the file is deflated, and what it unpacks to is not known before", where=path, fix="export it plain"
        )
    return pydicom.dcmread(io.BytesIO(data), stop_before_pixels=not pixels)


class _Named:
    """Turns whatever pydicom raises on a damaged file into our error, which names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, InputError) and kind is not None:
            from tessella.core.errors import TessellaError

            if isinstance(error, TessellaError):
                return
            raise ImageError(
                f"the DICOM file is damaged, or of a kind that cannot be read ({error})",
                where=self.path,
                fix="export the series again, uncompressed",
            ) from error
