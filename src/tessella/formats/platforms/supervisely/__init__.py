"""supervisely: projects of Supervisely, an annotation file per photo and one file of classes."""

from __future__ import annotations

from tessella.formats.platforms.supervisely.reading import NAME, detect, load, read
from tessella.formats.platforms.supervisely.writing import WRITER

__all__ = ["NAME", "WRITER", "detect", "load", "read"]
