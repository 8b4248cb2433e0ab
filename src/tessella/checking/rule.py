"""The row of the table of rules: a code, its severity, what it looks at, and its repair where one exists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from tessella.checking.looking.look import Look
from tessella.checking.survey import Survey
from tessella.core.finding import Finding, Severity

if TYPE_CHECKING:
    from tessella.core.annotation import Annotation, Drawing, StoredMask


class Change(NamedTuple):
    """One change that a repair made.

    Args:
        what: What was done, as words that follow the place.
        shape: The shape's position in the drawing before this repair; None for the whole label.
    """

    what: str
    shape: int | None = None


class Mend(NamedTuple):
    """A repaired annotation.

    Args:
        annotation: Like the one in the look, repaired. A changed shape is a new object, all others are the same ones.
        changes: What was done.
        deleted: Positions, before this repair, of the shapes that are left out.
    """

    annotation: Annotation
    changes: tuple[Change, ...] = ()
    deleted: tuple[int, ...] = ()


def mask_to_mend(look: Look) -> StoredMask:
    """Return the mask that a repair changes; repairs run only where their rule fired, and so where there is one."""
    if look.mask is None:
        raise TypeError(f"{look.label_where} is no mask")
    return look.mask


def drawing_to_mend(look: Look) -> Drawing:
    """Return the drawing that a repair changes; likewise."""
    if look.drawing is None:
        raise TypeError(f"{look.label_where} holds no shapes")
    return look.drawing


class Located(NamedTuple):
    """A finding of a rule about the whole set, with the record it concerns (None: the set itself)."""

    position: int | None
    finding: Finding


LookRule = Callable[[Look], Iterator[Finding]]
SurveyRule = Callable[[Survey], Iterator[Located]]
Repair = Callable[[Look], Mend]

Rebuild = Callable[[bytes], bytes | None]
"""The bytes of a damaged file to those of the repaired one; None where it cannot be proved."""

Rename = Callable[[str, Survey], str | None]
"""A label file's place, relative to the data set, to the place it ought to have."""


class Rule(NamedTuple):
    """One rule.

    Args:
        code: Family letter and number; `docs/rules/<code>.md` explains it.
        severity: The gravest it reports; a finding may be milder.
        title: What is wrong, in a few words.
        look: Finds it in one record, or None.
        survey: Finds it in the whole set, or None.
        repair: Repairs the annotation of a record in which a fixable finding was made, or None.
        rebuild: Makes the bytes of the file that a fixable finding names anew, or None.
        rename: Says what the file that a fixable finding names is to be called, or None.
        sets_aside: Whether a repaired copy leaves the record out: `always`, where it would break the copy; `fixable`:
            where leaving it out is the repair; or `never`.
    """

    code: str
    severity: Severity
    title: str
    look: LookRule | None = None
    survey: SurveyRule | None = None
    repair: Repair | None = None
    rebuild: Rebuild | None = None
    rename: Rename | None = None
    sets_aside: Literal["never", "fixable", "always"] = "never"

    @property
    def repairs(self) -> bool:
        """Whether `--fix` can do anything about its findings but leave files out that would break the copy."""
        return bool(self.repair or self.rebuild or self.rename) or self.sets_aside == "fixable"
