"""nrrd: NRRD label volumes and segmentations of 3D Slicer beside NRRD scans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.files.volumes.nrrd import is_nrrd
from tessella.formats.listing import Match
from tessella.formats.volumes.reading import load, photo, read_volumes

if TYPE_CHECKING:
    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Listing
    from tessella.formats.source import Source

__all__ = ["detect", "load", "photo", "read"]

NAME: Final = "nrrd"


def detect(source: Source) -> Match | None:
    """Say whether NRRD files are there."""
    found = sum(is_nrrd(path) for path in source.files(".nrrd", ".nhdr"))
    return Match(80, f"{found} NRRD volumes") if found else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the axial slices of NRRD scans; see `read_volumes`."""
    return read_volumes(source, coding, name=NAME, is_own=is_nrrd)
