"""GeoPackage (OGC 12-128r18): the feature tables of an SQLite file, read only and within limits, and written."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import FormatError, InputError, OutputError
from tessella.files.geo.crs import epsg_of, to_wkt
from tessella.files.geo.geojson import closed
from tessella.files.geo.vectors import FEATURE_BUDGET, Feature, VectorFile, as_text
from tessella.files.geo.wkb import pack_wkb, read_wkb
from tessella.files.write import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAGIC: Final = b"SQLite format 3\0"
_SECONDS: Final = 60.0
"""Longest that one question to a GeoPackage may take: a view in it can ask for anything."""

_LONGEST: Final = 1 << 28
_ENVELOPES: Final = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
"""Bytes of the box in a geometry's header, by its indicator (clause 2.1.3.1.1)."""

_OWN_SYSTEM: Final = 100_000
"""The `srs_id` of a coordinate system without EPSG number."""


def read_geopackage(path: Path, *, only: str | None = None) -> list[VectorFile]:
    """Read the feature tables of a GeoPackage, in the order of their names.

    Args:
        path: The `.gpkg` file.
        only: The one table to be read, in any case; a file that lacks it answers with none.

    Raises:
        InputError: The file cannot be read.
        FormatError: Damaged, no GeoPackage, or too large a table.
    """
    with _opened(path) as connection:
        tables = _tables(connection, path)
        chosen = [table for table in tables if only is None or str(table[0]).casefold() == only.casefold()]
        return [_layer(connection, table, path, alone=len(tables) == 1) for table in chosen]


def tables_of(path: Path) -> dict[str, int]:
    """Return the feature tables of a GeoPackage in the order of their names, and how many rows each has.

    Raises:
        InputError: The file cannot be read.
        FormatError: Damaged, or no GeoPackage.
    """
    with _opened(path) as connection:
        found = {}
        for name, *_ in _tables(connection, path):
            question = f"SELECT count(*) FROM {_quoted(str(name))}"  # noqa: S608 - a table of the file's own
            found[str(name)] = int(connection.execute(question).fetchone()[0])
        return found


def _tables(connection: sqlite3.Connection, path: Path) -> list[tuple[Any, ...]]:
    tables = _rows(
        connection,
        'SELECT g."table_name", g."column_name", s."organization", s."organization_coordsys_id", s."definition" '
        "FROM gpkg_geometry_columns AS g LEFT JOIN gpkg_spatial_ref_sys AS s ON g.srs_id = s.srs_id ORDER BY 1",
    )
    if not tables:
        raise FormatError("the GeoPackage holds no table of features", where=path)
    return tables


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror or error})", where=path) from error
    if start != MAGIC:
        raise FormatError("this is not a GeoPackage", where=path, got=repr(start), fix="export the layer again")
    try:
        # immutable: no journal is looked for, no lock taken, nothing written beside the user's file
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(connection):
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            until = time.monotonic() + _SECONDS
            connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
            yield connection
    except (sqlite3.Error, ValueError, OverflowError, MemoryError) as error:
        raise FormatError(f"the GeoPackage is damaged ({error})", where=path, fix="export the layer again") from error


def _rows(connection: sqlite3.Connection, question: str) -> list[tuple[Any, ...]]:
    rows = connection.execute(question).fetchmany(FEATURE_BUDGET + 1)
    if len(rows) > FEATURE_BUDGET:
        raise ValueError(f"more than {FEATURE_BUDGET} rows")
    return rows


def _layer(connection: sqlite3.Connection, table: tuple[Any, ...], path: Path, *, alone: bool) -> VectorFile:
    name, column = str(table[0]), str(table[1])
    quoted = _quoted(name)
    cursor = connection.execute(f"SELECT * FROM {quoted}")  # noqa: S608 - a quoted name of the file's own table
    names = [str(entry[0]) for entry in cursor.description]
    if column not in names:
        raise FormatError(f"the table {name!r} has no column {column!r}", where=path, fix="export the layer again")
    place = names.index(column)
    keys = _keys(connection, quoted)
    kept = [at for at, key in enumerate(names) if key != column and key not in keys]
    features = []
    for number, row in enumerate(cursor):
        if number >= FEATURE_BUDGET:
            raise FormatError("too many features", where=path, expected=f"at most {FEATURE_BUDGET}")
        polygons, kind = _geometry(row[place], f"{path}: {name}, row {number}")
        cells = ((names[at], as_text(row[at])) for at in kept)
        features.append(Feature(polygons, {key: text for key, text in cells if text}, kind))
    columns = tuple(names[at] for at in kept)
    return VectorFile(path, "" if alone else name, _crs(table), tuple(features), columns=columns)


def _keys(connection: sqlite3.Connection, quoted: str) -> frozenset[str]:
    """The columns that only number the rows."""
    return frozenset(str(row[1]) for row in connection.execute(f"PRAGMA table_info({quoted})") if row[5])


def _crs(table: tuple[Any, ...]) -> str:
    organisation, number, definition = table[2], table[3], table[4]
    if isinstance(organisation, str) and organisation.upper() == "EPSG" and isinstance(number, int) and number > 0:
        return f"EPSG:{number}"
    # srs_id -1 and 0 stand for an unknown system (clause 1.1.2.1.2), whose definition is `undefined`
    return definition if isinstance(definition, str) and definition != "undefined" else ""


def _geometry(blob: object, where: str) -> tuple[tuple[Any, ...], str]:
    if blob is None:
        return (), "features without geometry"
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP" or (blob[3] >> 1 & 7) not in _ENVELOPES:
        raise FormatError("a geometry is damaged", where=where, fix="export the layer again")
    flags = blob[3]
    if flags & 0x20:
        return (), "geometries of extensions"
    if flags & 0x10:
        return (), "features without geometry"
    return read_wkb(blob[8 + _ENVELOPES[flags >> 1 & 7] :], where=where)


def write_geopackage(path: Path, features: Sequence[Feature], *, crs: str, table: str, column: str) -> None:
    """Write polygons as a GeoPackage with one table, whose columns are their attributes as text.

    Args:
        path: The `.gpkg` file; one that exists is replaced.
        features: Their coordinates are in `crs`. The names of attributes are no more than 1,000, differ by more than
            their case, and are not `fid` or `geom`.
        crs: The coordinate system: a name or WKT.
        table: What the table is called: letters, digits and underscores.
        column: The attribute whose column comes first.

    Raises:
        OutputError: The file cannot be written.
    """
    epsg = epsg_of(crs)
    number = epsg if epsg is not None else _OWN_SYSTEM
    system = (to_wkt(crs).split('"')[1], number, "EPSG" if epsg is not None else "NONE", number, to_wkt(crs))
    rings = [ring for feature in features for polygon in feature.polygons for ring in polygon]
    xy = np.concatenate(rings) if rings else np.zeros((1, 2))
    box = (*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist())
    contents = (table, table, "1970-01-01T00:00:00.000Z", *box, number)  # no clock: the same bytes for the same labels
    names = list(dict.fromkeys([column, *(name for feature in features for name in feature.attributes)]))
    rows = ((_packed(feature, number), *map(feature.attributes.get, names)) for feature in features)
    columns, values = ", ".join(map(_quoted, names)), ", ".join("?" * len(names))
    try:
        with atomic_path(path) as temporary, contextlib.closing(sqlite3.connect(temporary)) as connection:
            connection.executescript(_SCHEMA.format(table=table, columns=" TEXT, ".join(map(_quoted, names)) + " TEXT"))
            connection.executemany(
                "INSERT OR REPLACE INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)", [*_USUAL, system]
            )
            connection.execute("INSERT INTO gpkg_contents VALUES (?, 'features', ?, '', ?, ?, ?, ?, ?, ?)", contents)
            connection.execute(
                "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'MULTIPOLYGON', ?, 0, 0)", (table, number)
            )
            insert = f'INSERT INTO "{table}" (geom, {columns}) VALUES (?, {values})'  # noqa: S608 - quoted names
            connection.executemany(insert, rows)
            connection.commit()
    except sqlite3.Error as error:
        raise OutputError(f"the GeoPackage cannot be written ({error})", where=path) from error


def _packed(feature: Feature, number: int) -> bytes:
    polygons = [
        [closed(ring, clockwise=place > 0) for place, ring in enumerate(polygon)] for polygon in feature.polygons
    ]
    return b"GP\0\x01" + struct.pack("<i", number) + pack_wkb(polygons)


_USUAL: Final = (
    ("Undefined Cartesian SRS", -1, "NONE", -1, "undefined"),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined"),
    (
        "WGS 84 geodetic", 4326, "EPSG", 4326,
        (
            'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
            'UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4326"]]'
        ),
    ),
)  # fmt: skip
"""The rows that every GeoPackage must have (clause 1.1.2.1.2)."""

_SCHEMA: Final = """
PRAGMA application_id = 1196444487;
PRAGMA user_version = 10300;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY,
  organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
  geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE "{table}" (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom MULTIPOLYGON, {columns});
"""
