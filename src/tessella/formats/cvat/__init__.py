"""CVAT's own forms (cvat.ai): XML for images and for video, version 1.1, and its segmentation masks."""

from tessella.formats.cvat import reading, writing

__all__ = ["reading", "writing"]
