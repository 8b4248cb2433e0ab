"""The budget of a run: how far it is, by steps or by the clock, and when it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_BACK: Final = 0.1
"""Largest share of a time limit that is reserved for what comes after the last step."""


@dataclass(slots=True)
class Budget:
    """Progress of a run: the share of its steps, or, where there is a time limit, the share of its time.

    The learning rate follows this progress. Under a time limit it therefore reaches its end when the time is up, on a
    slow or busy machine as on a fast one, and the planned steps are an estimate only: they were counted from a short
    measurement, and a run that ended with them would give time away when the machine turns out to be quieter. Without a
    time limit progress depends on the step alone, and on a CPU a run can be repeated bit for bit.

    Args:
        steps: Optimiser steps of the plan.
        seconds: Wall-clock limit; 0 = none.
        spent: Seconds that were spent before, on planning or before an interruption.
        started_at: Seconds spent when the first step began: there the progress is 0. None: it has not begun.
        clock: Returns seconds; only differences count.
    """

    steps: int
    seconds: float
    spent: float = 0.0
    started_at: float | None = None
    clock: Callable[[], float] = time.monotonic
    _reserve: float = 0.0
    _origin: float = 0.0

    def __post_init__(self) -> None:
        self._origin = self.clock()

    def begin(self) -> None:
        """Say that the first step begins now; without effect when the run goes on after an interruption."""
        if self.started_at is None:
            self.started_at = self.elapsed()

    def elapsed(self) -> float:
        """Return the seconds spent so far, including those before an interruption."""
        return self.spent + self.clock() - self._origin

    def keep_back(self, seconds: float) -> None:
        """Reserve time for what has to be done after the last step, such as the last checkpoint."""
        self._reserve = min(seconds, KEPT_BACK * self.seconds)

    def progress(self, step: int) -> float:
        """Return 0..1: how far the run is at step `step` (counted from 0).

        By steps, the middle of the step is meant, so that neither the first nor the last has a learning rate of 0.
        """
        if not self.seconds:
            return min(1.0, (step + 0.5) / self.steps)
        started = self.started_at or 0.0
        whole = self.seconds - self._reserve - started
        # time that was used up before the first step leaves one step, not none
        return min(1.0, (self.elapsed() - started) / whole) if whole > 0 else float(step > 0)

    def is_over(self, step: int) -> bool:
        """Whether the run ends before step `step` (counted from 0); one step is always made."""
        if not self.seconds:
            return step >= self.steps
        return step > 0 and self.progress(step) >= 1.0

    def expected_steps(self, step: int) -> int:
        """Return the steps of the whole run, `step` of which are done: the plan's, or an estimate from the clock."""
        share = self.progress(step)
        if not self.seconds or not step or share <= 0:
            return self.steps
        return max(step, round(step / share))

    def remaining(self, step: int) -> float:
        """Return the seconds that are left, `step` steps being done: an estimate, or what the clock says."""
        elapsed = self.elapsed()
        if self.seconds:
            return max(0.0, self.seconds - self._reserve - elapsed)
        paced = elapsed - (self.started_at or 0.0)
        return paced / step * (self.steps - step) if step else 0.0
