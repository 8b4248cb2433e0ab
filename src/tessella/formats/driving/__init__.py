"""Data sets of street scenes: Cityscapes and those that store labels in its ways."""
