"""Annotation formats: one file per format with plain functions, and the table that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.classes import nearest_hint
from tessella.core.errors import FormatError
from tessella.files.paths import require_folder, walk
from tessella.formats import labelme
from tessella.formats.folders import camvid, colour_mask, index_mask, voc
from tessella.formats.listing import Export, Format, Listing, Match, Record

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DRAWN", "FORMATS", "Export", "Format", "Listing", "Match", "Record", "choose", "detect", "format_named"]

FORMATS: Final[dict[str, Format]] = {
    "index-mask": Format(index_mask.detect, index_mask.read, index_mask.load, index_mask.write),
    "voc": Format(voc.detect, voc.read, voc.load, voc.write),
    "camvid": Format(camvid.detect, camvid.read, camvid.load),
    "colour-mask": Format(colour_mask.detect, colour_mask.read, colour_mask.load, colour_mask.write),
    "labelme": Format(labelme.detect, labelme.read, labelme.load, labelme.write, labelme.photo),
}


DRAWN: Final = frozenset({"labelme"})
"""Formats of drawn shapes: what a label means is its name, never a stored value."""


def format_named(name: str) -> Format:
    """Return a row of the table.

    Raises:
        FormatError: No format has this name; the message gives the nearest ones.
    """
    if name not in FORMATS:
        raise FormatError(
            f"there is no format {name!r}", expected=", ".join(FORMATS), fix=nearest_hint(name, list(FORMATS))
        )
    return FORMATS[name]


def detect(root: Path) -> list[tuple[str, Match]]:
    """Ask every format whether a folder is its own; the surest first."""
    found = [(name, match) for name, row in FORMATS.items() if (match := row.detect(root))]
    return sorted(found, key=lambda item: -item[1].score)


def choose(root: Path) -> tuple[str, Match]:
    """Return the format of a folder and why.

    Raises:
        InputError: There is no such folder.
        FormatError: The folder is empty, holds no labels of a known format, or labels of two formats.
    """
    require_folder(root)
    found = detect(root)
    if not found:
        raise _no_labels(root)
    (name, match), *others = found
    # voc, camvid and index-mask may describe the very same mask files; shapes are other labels
    rivals = [other for other in others if other[1].kind != match.kind or other[1].score == match.score]
    if rivals:
        rival, also = rivals[0]
        raise FormatError(
            "labels of two formats lie here",
            where=root,
            got=f"{name} ({match.why}) and {rival} ({also.why})",
            fix=f"choose one with --format {name} or --format {rival}",
        )
    return name, match


def _no_labels(root: Path) -> FormatError:
    files = walk(root)
    if not files:
        return FormatError("the folder is empty", where=root, fix="give the folder that holds photos and labels")
    kinds: dict[str, int] = {}
    for path in files:
        kinds[path.suffix.lower() or "no suffix"] = kinds.get(path.suffix.lower() or "no suffix", 0) + 1
    most = sorted(kinds.items(), key=lambda item: -item[1])[:4]
    return FormatError(
        "no labels of a known format were found",
        where=root,
        got=", ".join(f"{count} {suffix}" for suffix, count in most),
        expected=f"one of {', '.join(FORMATS)}",
        fix="put masks into masks/ beside images/, or name the format with --format",
    )
