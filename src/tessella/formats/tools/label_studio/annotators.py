"""Tasks that several people annotated: whose annotations count, and which class most of them painted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.classes import IGNORE, nearest_hint
from tessella.core.errors import FormatError
from tessella.core.wording import counted
from tessella.formats.raster.labels import count_values
from tessella.formats.tools.plain import table, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tessella.core.labelmap import Ids

OPTION: Final = "annotator"
MAJORITY: Final = "majority"
OPTIONS: Final = {OPTION: "whose annotations count: an e-mail or id, or `majority` for the class that most painted"}

Rivals = list[tuple[str, list[Any]]]
"""What several people said of one task: name and results of each."""

_MOST_NAMED: Final = 8


@dataclass(slots=True)
class Panel:
    """The people who annotated an export, and whose annotations count.

    Args:
        asked: An e-mail or id, `majority`, or None for what is marked as ground truth, else what was changed last.
        several: Tasks that were annotated more than once.
        differ: How many of them show different annotations.
        missed: Tasks that others annotated, but not who is asked for.
        met: Whether who is asked for annotated any task.
        known: The e-mails and ids of all.
    """

    asked: str | None
    several: int = 0
    differ: int = 0
    missed: int = 0
    met: bool = False
    known: set[str] = field(default_factory=set)

    def choose(self, done: Sequence[dict[str, Any]], results: Sequence[list[Any]]) -> list[list[Any]]:
        """Return the results of a task that count: of one person, of nobody, or for a majority the last of each.

        Args:
            done: The valid annotations of the task.
            results: What each holds.
        """
        names = [_names(one) for one in done]
        self.known.update(*names)
        self.several += len(done) > 1
        self.differ += len({_fingerprint(result) for result in results}) > 1
        order = sorted(range(len(done)), key=lambda place: (_rank(done[place]), place))
        if self.asked == MAJORITY:
            return [results[place] for place in _last_of_each(names, order)]
        if self.asked is not None:
            asked = self.asked.casefold()
            order = [place for place in order if asked in map(str.casefold, names[place])]
            self.met |= bool(order)
            self.missed += not order
        return [results[place] for place in order[-1:]]

    def refuse_stranger(self, where: object) -> None:
        """Refuse a name that nobody here has.

        Raises:
            FormatError: Who is asked for annotated no task.
        """
        if self.missed and not self.met:
            known = sorted(self.known)
            raise FormatError(
                f"nobody called {self.asked!r} annotated these tasks",
                where=where,
                got=f"{OPTION}={self.asked}",
                expected=", ".join([*known[:_MOST_NAMED], MAJORITY]) + (" ..." if len(known) > _MOST_NAMED else ""),
                fix=nearest_hint(str(self.asked), [*known, MAJORITY]),
            )

    def notes(self) -> list[str]:
        """Say what was annotated more than once, and what counts."""
        found = []
        if self.several:
            several = counted(self.several, "task was", "tasks were")
            found.append(
                f"{several} annotated more than once: {self._rule()}; in {self.differ} of them the annotations differ"
            )
        if self.missed:
            missed = counted(self.missed, "task has no labels, as it was", "tasks have no labels, as they were")
            found.append(f"{missed} not annotated by {self.asked}")
        return found

    def _rule(self) -> str:
        if self.asked is None:
            return "what is marked as ground truth counts, else what was changed last (see --option annotator)"
        if self.asked == MAJORITY:
            return "a pixel is of the class that most annotators painted, and ignored where classes tie"
        return f"what {self.asked} annotated counts"


def rivals(done: Sequence[dict[str, Any]], results: Sequence[list[Any]]) -> Rivals:
    """Return the name of each person who annotated a task, and the results of their annotation that would count alone.

    Annotations without a name are of different people. Nothing where there is one person, or all say the same.

    Args:
        done: The valid annotations of the task.
        results: What each holds.
    """
    if len(done) < 2 or len({_fingerprint(result) for result in results}) == 1:
        return []
    names = [_names(one) for one in done]
    order = sorted(range(len(done)), key=lambda place: (_rank(done[place]), place))
    places = _last_of_each(names, order)
    found = [(names[place][0] if names[place] else f"annotator {place + 1}", results[place]) for place in places]
    return found if len(found) > 1 else []


def _last_of_each(names: Sequence[tuple[str, ...]], order: Sequence[int]) -> list[int]:
    """Return the place of everybody's last annotation, in the order of the file."""
    return sorted({names[place] or place: place for place in order}.values())


def majority(votes: Sequence[Ids]) -> Ids:
    """Return per pixel the value that most maps hold, and IGNORE where several values are as frequent.

    Args:
        votes: (H, W) uint8 ids, one map per annotator; IGNORE is a vote like any other.
    """
    best = np.zeros(votes[0].shape, np.min_scalar_type(len(votes)))
    winner = np.full(votes[0].shape, IGNORE, np.uint8)
    for value in np.flatnonzero(sum(count_values(vote) for vote in votes)):
        count = np.zeros_like(best)
        for vote in votes:
            count += vote == value
        winner[count == best] = IGNORE
        winner[count > best] = value
        np.maximum(best, count, out=best)
    return winner


def _names(done: dict[str, Any]) -> tuple[str, ...]:
    """Return the e-mail and id of who made an annotation: `completed_by`, in JSON-MIN `annotator`."""
    person = done.get("completed_by", done.get("annotator"))
    said = (table(person).get("email"), table(person).get("id"), person)
    return tuple(name for one in said if (name := words(one)))


def _rank(done: dict[str, Any]) -> tuple[bool, str, str]:
    return done.get("ground_truth") is True, words(done.get("updated_at")), words(done.get("created_at"))


def _fingerprint(results: list[Any]) -> str:
    said = [json.dumps([table(one).get("type"), table(one).get("value")], sort_keys=True) for one in results]
    return "\n".join(sorted(said))
