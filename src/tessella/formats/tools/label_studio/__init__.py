"""label-studio: tasks of Label Studio, as its exports JSON and JSON-MIN hold them."""

from __future__ import annotations

from tessella.formats.tools.label_studio.annotators import OPTIONS
from tessella.formats.tools.label_studio.reading import NAME, detect, load, opinions, read
from tessella.formats.tools.label_studio.writing import WRITER

__all__ = ["NAME", "OPTIONS", "WRITER", "detect", "load", "opinions", "read"]
