"""labelme: one JSON file per photo with its drawn shapes (github.com/wkentaro/labelme, every version of the file)."""

from tessella.formats.labelme.reading import detect, load, photo, read, read_drawing
from tessella.formats.labelme.writing import write

__all__ = ["detect", "load", "photo", "read", "read_drawing", "write"]
