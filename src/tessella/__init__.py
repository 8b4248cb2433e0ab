"""Tessella: semantic segmentation that cannot fail silently."""

from tessella._version import __version__

__all__ = ["__version__"]
