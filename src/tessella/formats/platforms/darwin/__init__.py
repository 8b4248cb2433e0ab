"""darwin: V7's Darwin JSON, version 2 with its slots and raster layers, and version 1."""

from __future__ import annotations

from tessella.formats.platforms.darwin.reading import NAME, detect, load, read
from tessella.formats.platforms.darwin.writing import WRITER

__all__ = ["NAME", "WRITER", "detect", "load", "read"]
