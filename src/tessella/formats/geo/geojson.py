"""geojson: GeoJSON polygons on GeoTIFF photos, or in the pixels of photos without a place on Earth (QuPath)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tessella.core.errors import InputError
from tessella.core.wording import counted
from tessella.files.geo.geojson import is_geojson, read_geojson
from tessella.files.text import read_json
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

NAME: Final = "geojson"


def detect(source: Source) -> Match | None:
    """Say whether GeoJSON files are there: `.geojson` by name, `.json` by their first words."""
    found = len(source.files(".geojson"))
    found += sum(is_geojson(outline.tree) for outline in source.outlines if outline.path.suffix.lower() == ".json")
    return Match(85, counted(found, "GeoJSON file"), "shapes") if found else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that GeoJSON files annotate; see `read_vectors`."""
    paths = [path for path in source.files(".geojson", ".json") if path.suffix.lower() == ".geojson" or _is_one(path)]
    return read_vectors(source, coding, paths, name=NAME, read=_layers)


def _is_one(path: Path) -> bool:
    try:
        return is_geojson(read_json(path))
    except InputError:
        return False


def _layers(path: Path) -> Sequence[VectorFile]:
    return (read_geojson(path),)


WRITER: Final = Writer(partial(write_one, suffix=".geojson"), close)
