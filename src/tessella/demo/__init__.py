"""The demonstration: aerial scenes drawn by a seed, annotated, spoilt, and taken the whole way to a model."""

from tessella.demo.story import MINUTES, Demonstration, run

__all__ = ["MINUTES", "Demonstration", "run"]
