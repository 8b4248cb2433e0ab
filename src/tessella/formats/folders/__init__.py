"""Formats that are folders of pictures: masks whose values or colours are classes, and the layouts they come in."""
