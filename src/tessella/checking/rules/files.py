"""F: files that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.looking.look import Look


def unreadable(look: Look) -> Iterator[Finding]:
    """F101: the photo or the label is damaged, truncated, foreign or too large."""
    for where, fault in ((look.photo_where, look.photo_fault), (look.label_where, look.label_fault)):
        if fault:
            yield Finding(
                "F101",
                "error",
                where or look.label_where,
                fault,
                "export or copy the file again; a repaired copy leaves this photo and its label out",
            )
