"""labelme: one JSON file per photo with its drawn shapes (github.com/wkentaro/labelme, every version of the file)."""

from tessella.formats.labelme.reading import detect, load, photo, read, read_drawing
from tessella.formats.labelme.writing import WRITER

__all__ = ["WRITER", "detect", "load", "photo", "read", "read_drawing"]
