"""The two LabelMe tools: JSON of the desktop one (github.com/wkentaro/labelme), XML of the older one for the web."""

from tessella.formats.labelme import web
from tessella.formats.labelme.reading import detect, load, photo, read, read_drawing
from tessella.formats.labelme.writing import WRITER

__all__ = ["WRITER", "detect", "load", "photo", "read", "read_drawing", "web"]
