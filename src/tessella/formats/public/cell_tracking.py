"""ctc: the Cell Tracking Challenge, 2-D: sequences of frames, and for some of them maps of cell numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tessella.core.annotation import Drawing
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError
from tessella.files.images import read_header
from tessella.files.masks import read_mask
from tessella.formats.layout.instances import object_name, objects_of
from tessella.formats.layout.places import Place, tree
from tessella.formats.layout.published import Kind, Published
from tessella.formats.listing import Match

if TYPE_CHECKING:
    from tessella.core.annotation import Annotation
    from tessella.formats.listing import Listing, Record
    from tessella.formats.source import Source

__all__ = ["OPTIONS", "detect", "load", "read"]

NAME: Final = "ctc"
OPTION: Final = "truth"
GOLD: Final = "gold"
SILVER: Final = "silver"
OPTIONS: Final = {OPTION: "which segmentations count: `gold` (_GT/SEG, the default) or `silver` (_ST/SEG)"}

_CELL: Final = "cell"
_CELLS: Final = LabelCoding(ClassTable.from_names(("background", _CELL)), ignore_values=())
_SEQUENCE: Final = r"(?P<group>(?:.+/)?\d\d)"
_FRAMES: Final = Place.of(_SEQUENCE, r"t(?P<stem>\d{3,4})\.tiff?")
_SEG: Final = r"man_seg(?P<stem>\d{3,4})\.tiff?"
_PLANES: Final = Place.of(rf"{_SEQUENCE}_[GS]T/SEG", r"man_seg_\d{3,4}_\d{3,4}\.tiff?")
"""Maps of one plane of a frame in 3-D."""

_NOTE: Final = "every number above 0 is a cell; frames without a map have no labels, and sequences are groups"
_KINDS: Final = {
    asked: Kind(
        f"{asked} segmentations (_{folder}/SEG)", _FRAMES, Place.of(rf"{_SEQUENCE}_{folder}/SEG", _SEG), _CELLS, _NOTE,
        whole=False, certain=True,
    )
    for asked, folder in ((GOLD, "GT"), (SILVER, "ST"))
}  # fmt: skip
_SETS: Final = {
    asked: Published(
        NAME,
        92,
        (_KINDS[asked], _KINDS[other]),
        "01/t000.tif and 01_GT/SEG/man_seg000.tif",
        beside=(
            (f"{other} segmentations (--option {OPTION}={other})", _KINDS[other].labels),
            ("maps of tracks (TRA)", Place.of(rf"{_SEQUENCE}_GT/TRA", r"man_track\d{3,4}\.tiff?")),
        ),
        own_classes=False,
    )
    for asked, other in ((GOLD, SILVER), (SILVER, GOLD))
}


def detect(source: Source) -> Match | None:
    """Say whether maps of cells lie where the Cell Tracking Challenge has them; those of planes are refused later."""
    if found := _SETS[GOLD].detect(source):
        return found
    plane = None if source.file is not None else _PLANES.look(source.once(tree))
    return Match(92, f"{plane.name} lies where {NAME} keeps maps of single planes") if plane else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the frames of all sequences.

    Raises:
        FormatError: Nothing is laid out so, the frames are stacks of planes, or a truth that there is not.
    """
    asked = source.options.get(OPTION, GOLD)
    if asked not in _SETS:
        raise FormatError(
            "there is no such truth", where=source.root, got=f"{OPTION}={asked}", expected=f"{GOLD} or {SILVER}"
        )
    _refuse_volumes(source)
    listing = _SETS[asked].read(source, coding)
    taken = _SETS[asked].kinds[listing.content if isinstance(listing.content, int) else 0]
    if taken.title == _KINDS[asked].title:
        return listing
    left = {what: count for what, count in listing.left_out.items() if OPTION not in what}
    return replace(listing, left_out=left, notes=(f"there are no {asked} segmentations", *listing.notes))


def _refuse_volumes(source: Source) -> None:
    """Refuse sequences in 3-D: a frame is a stack of planes, of which a map may show one."""
    files = source.once(tree)
    first = next((path for _, path in _FRAMES.files(files)), None)
    planes = next((path for _, path in _PLANES.files(files)), None)
    try:
        pages = 1 if first is None else read_header(first).frames
    except InputError:
        pages = 1  # named when the frame is loaded
    if pages > 1 or planes is not None:
        raise FormatError(
            "these sequences of the Cell Tracking Challenge are 3-D: every frame is a stack of planes",
            where=planes or first,
            got="a map of a single plane" if planes is not None else f"{pages} planes",
            expected="frames of one plane, as in the data sets called 2DL and 2DH",
            fix="write each plane and its map as pictures of their own",
        )


def load(record: Record, listing: Listing) -> Annotation:
    """Read every cell of a map of cell numbers as a mask of its own.

    Raises:
        InputError: The frame has no map, or it cannot be read.
        FormatError: A colour mask, or a stack of planes.
    """
    path = listing.label_of(record)
    mask = read_mask(path, max_pixels=listing.max_pixels)
    pages = read_header(path).frames
    if mask.is_colour or pages > 1:
        raise FormatError(
            "this is no map of cell numbers",
            where=path,
            got=f"{pages} planes" if pages > 1 else f"colours ({mask.mode})",
            expected="one plane of whole numbers",
        )
    return Drawing(objects_of(mask.pixels, object_name(listing.coding, usual=_CELL)), mask.hw, "centre")
