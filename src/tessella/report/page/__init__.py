"""The page itself: markup, charts and pictures, put together into one HTML file."""

from tessella.report.page.layout import render
from tessella.report.page.pictures import make_panels

__all__ = ["make_panels", "render"]
