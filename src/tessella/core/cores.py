"""How many cores this process may use."""

from __future__ import annotations


def cores() -> int:
    """Return the number of cores that this process may use: what its affinity and its container's share leave it.

    Source: `loky.cpu_count`, which also knows cgroups and `LOKY_MAX_CPU_COUNT`.
    """
    from loky import cpu_count

    found: int = cpu_count()
    return found
