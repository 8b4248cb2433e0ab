"""Decoded photos and ids in memory, for training: each file is decoded once where the memory suffices."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tessella.core.errors import LabelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tessella.core.image import Pixels
    from tessella.core.labelmap import Ids
    from tessella.dataset.index import Index


class DecodedCache:
    """Photos and ids of an index by position; kept up to a limit, read again beyond it. Safe to use from threads.

    Args:
        index: Photos with labels (see `Index.labelled`).
        max_bytes: How much memory the decoded arrays may take.
    """

    def __init__(self, index: Index, *, max_bytes: int) -> None:
        self._index = index
        self._max_bytes = max_bytes
        self._kept: dict[int, tuple[Pixels, Ids]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def bytes_kept(self) -> int:
        """Memory that the decoded arrays take now, in bytes."""
        return self._bytes

    def read(self, position: int) -> tuple[Pixels, Ids]:
        """Return a photo and its ids.

        Args:
            position: 0..len - 1.

        Returns:
            Pixels (H, W, C) in the photo's dtype and ids (H, W) uint8, both read-only.

        Raises:
            InputError: The photo or its annotation cannot be read; nothing is kept, and the next call tries again.
            LabelError: There are no labels, or they do not fit.
        """
        kept = self._kept.get(position)
        if kept is not None:
            return kept
        sample = self._index[position]
        if sample.labels is None:
            raise LabelError("a photo without labels cannot be trained on", where=sample.name)
        pair = (sample.image.pixels, sample.labels.ids)
        size = _size(pair[0]) + _size(pair[1])
        with self._lock:
            if position not in self._kept and self._bytes + size <= self._max_bytes:
                self._kept[position] = pair
                self._bytes += size
        return pair


def _size(array: Pixels | NDArray) -> int:  # type: ignore[type-arg]
    return int(array.nbytes)
