"""geopackage: the feature tables of GeoPackages on GeoTIFF photos."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tessella.core.classes import nearest_hint
from tessella.core.errors import FormatError, InputError
from tessella.files.geo.geopackage import read_geopackage, tables_of
from tessella.formats.geo import census
from tessella.formats.geo.reading import load, read_vectors
from tessella.formats.geo.writing import close, write_one
from tessella.formats.listing import Match, Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.classes import LabelCoding
    from tessella.formats.listing import Listing
    from tessella.formats.source import Source

__all__ = ["OPTIONS", "WRITER", "detect", "load", "read"]

NAME: Final = "geopackage"
LAYER: Final = "layer"
OPTIONS: Final = {**census.OPTIONS, LAYER: "the one feature table (layer) to be read, in any case; all by default"}

_SHOWN: Final = 8


def detect(source: Source) -> Match | None:
    """Say whether GeoPackages are there."""
    found = len(source.files(".gpkg"))
    return Match(85, f"{found} GeoPackages", "shapes") if found else None


def read(source: Source, coding: LabelCoding | None) -> Listing:
    """List the photos that GeoPackages annotate; see `read_vectors`.

    Raises:
        FormatError: No file has the table that was asked for.
    """
    paths, only = source.files(".gpkg"), source.options.get(LAYER)
    note = _layers(paths, only, where=source.root)
    listing = read_vectors(source, coding, paths, name=NAME, read=partial(read_geopackage, only=only))
    return replace(listing, notes=(*listing.notes, note)) if note else listing


def _layers(paths: Sequence[Path], only: str | None, *, where: Path) -> str:
    """Return a note on files of several tables; refuse a table that no file has."""
    rows: Counter[str] = Counter()
    several = lacking = 0
    for path in paths:
        with contextlib.suppress(InputError):  # a damaged file is named when its photo is loaded
            tables = tables_of(path)
            rows.update(tables)
            several += len(tables) > 1
            lacking += only is not None and only.casefold() not in map(str.casefold, tables)
    listed = ", ".join(f"{name!r} with {count} features" for name, count in sorted(rows.items())[:_SHOWN])
    if only is not None and only.casefold() not in map(str.casefold, rows):
        raise FormatError(
            f"no GeoPackage has a layer {only!r}",
            where=where,
            got=f"{LAYER}={only}",
            expected=listed or "none at all",
            fix=nearest_hint(only, list(rows)),
        )
    if only is not None:
        return f"{lacking} GeoPackages have no layer {only!r}" if lacking else ""
    if not several:
        return ""
    return f"{several} GeoPackages have several layers ({listed}): all count, see --option {LAYER}=NAME"


WRITER: Final = Writer(partial(write_one, suffix=".gpkg"), close)
