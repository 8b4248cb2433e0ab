"""geopackage: the feature tables of GeoPackages on GeoTIFF photos."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tessella.files.geo.geopackage import read_geopackage
from tessella.formats.geo.reading import load, read_vectors
from tessella.formats.geo.writing import close, write_one
from tessella.formats.listing import Match, Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.classes import LabelCoding
    from tessella.files.geo.vectors import VectorFile
    from tessella.formats.listing import Listing
    from tessella.formats.source import Source

__all__ = ["WRITER", "detect", "load", "read"]

NAME: Final = "geopackage"


def detect(source: Source) -> Match | None:
    """Say whether GeoPackages are there."""
    found = len(source.files(".gpkg"))
    return Match(85, f"{found} GeoPackages", "shapes") if found else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that GeoPackages annotate; see `read_vectors`."""
    return read_vectors(source, coding, source.files(".gpkg"), name=NAME, read=_layers)


def _layers(path: Path) -> Sequence[VectorFile]:
    return read_geopackage(path)


WRITER: Final = Writer(partial(write_one, suffix=".gpkg"), close)
