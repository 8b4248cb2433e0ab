"""yolo-seg: a text file of normalised polygons per photo, and a YAML file of class names (Ultralytics)."""

from tessella.formats.tools.yolo.reading import detect, load, read
from tessella.formats.tools.yolo.writing import WRITER

__all__ = ["WRITER", "detect", "load", "read"]
