"""Formats that keep labels in arrays rather than pictures: NumPy, MATLAB, stacks of TIFF pages."""
