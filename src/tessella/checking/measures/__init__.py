"""Measures pixels, outlines and bytes: what rules judge by."""
