"""How messages count: one photo, two photos."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with what it counts, such as "1 photo is" or "3 photos are".

    Args:
        count: How many there are.
        one: The words behind 1.
        many: The words behind every other number; by default `one` with an s.
    """
    return f"{count} {one if count == 1 else many or f'{one}s'}"
