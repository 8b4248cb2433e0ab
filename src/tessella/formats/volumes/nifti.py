"""nifti: NIfTI label volumes beside NIfTI scans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tessella.core.wording import counted
from tessella.files.volumes.nifti import is_nifti
from tessella.formats.listing import Match
from tessella.formats.volumes.reading import load, photo, read_volumes

if TYPE_CHECKING:
    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Listing
    from tessella.formats.source import Source

__all__ = ["detect", "load", "photo", "read"]

NAME: Final = "nifti"


def detect(source: Source) -> Match | None:
    """Say whether NIfTI files are there."""
    found = sum(is_nifti(path) for path in source.files(".nii", ".gz", ".hdr"))
    return Match(80, counted(found, "NIfTI volume")) if found else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the axial slices of NIfTI scans; see `read_volumes`."""
    return read_volumes(source, coding, name=NAME, is_own=is_nifti)
