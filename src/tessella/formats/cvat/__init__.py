"""CVAT's own forms (cvat.ai): XML for images and for video, version 1.1, and its segmentation masks."""

from tessella.formats.cvat import masks, reading, video, writing

__all__ = ["masks", "reading", "video", "writing"]
