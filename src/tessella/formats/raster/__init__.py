"""Geometry of labels: which pixels a shape covers, outlines of regions, run lengths, and the way to class ids."""
