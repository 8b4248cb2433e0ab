"""shapefile: Shapefile polygons on GeoTIFF photos."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tessella.files.geo.shapefile import read_shapefile
from tessella.formats.geo.census import OPTIONS
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

__all__ = ["OPTIONS", "WRITER", "detect", "load", "read"]

NAME: Final = "shapefile"


def detect(source: Source) -> Match | None:
    """Say whether Shapefiles are there."""
    found = len(source.files(".shp"))
    return Match(85, f"{found} Shapefiles", "shapes") if found else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that Shapefiles annotate; see `read_vectors`."""
    return read_vectors(source, coding, source.files(".shp"), name=NAME, read=_layers)


def _layers(path: Path) -> Sequence[VectorFile]:
    return (read_shapefile(path),)


WRITER: Final = Writer(partial(write_one, suffix=".shp"), close)
