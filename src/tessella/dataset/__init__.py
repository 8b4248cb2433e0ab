"""Data sets: pairs, splits, facts and decoded pixels; all lazy, all by position."""

from tessella.dataset.index import Index, open_dataset

__all__ = ["Index", "open_dataset"]
