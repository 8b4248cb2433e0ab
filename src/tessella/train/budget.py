"""The budget of a run: how far it is, by steps and by the clock, and when it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Budget:
    """Progress of a run: the larger of the share of its steps and the share of its minutes.

    The learning rate follows this progress, so that it reaches its end when the time is up on a slow or noisy machine
    as well as when all steps are done. Without a time limit the progress depends on the step alone, and a run can be
    repeated bit for bit.

    Args:
        steps: Optimiser steps of the run.
        seconds: Wall-clock limit; 0 = none.
        spent: Seconds that were spent before an interruption.
        clock: Returns seconds; only differences count.
    """

    steps: int
    seconds: float
    spent: float = 0.0
    clock: Callable[[], float] = time.monotonic
    reserve: float = field(default=0.0, init=False)
    _start: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._start = self.clock()

    def elapsed(self) -> float:
        """Seconds of training so far, including those before an interruption."""
        return self.spent + self.clock() - self._start

    def keep_back(self, seconds: float) -> None:
        """Reserve time for what has to be done after the last step, such as the last checkpoint.

        At most a tenth of the limit is kept back.
        """
        self.reserve = min(seconds, 0.1 * self.seconds)

    def progress(self, step: int) -> float:
        """Return 0..1: how far the run is in the middle of step `step` (counted from 0).

        The middle is taken so that neither the first step nor the last one has a learning rate of 0.
        """
        by_steps = (step + 0.5) / self.steps
        return min(1.0, max(by_steps, self._by_time()))

    def is_over(self, step: int) -> bool:
        """Whether the run ends before step `step` (counted from 0)."""
        return step >= self.steps or self._by_time() >= 1.0

    def remaining(self, step: int) -> float:
        """Estimate the seconds that are left before the run is over, at the pace so far; 0 before the first step."""
        elapsed = self.elapsed()
        by_steps = elapsed / step * (self.steps - step) if step else 0.0
        if not self.seconds:
            return by_steps
        by_time = max(0.0, self.seconds - self.reserve - elapsed)
        return min(by_steps, by_time) if step else by_time

    def _by_time(self) -> float:
        if not self.seconds:
            return 0.0
        return self.elapsed() / (self.seconds - self.reserve)
