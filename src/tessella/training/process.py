"""The process around a run: threads, seeds, memory and signals, settled for the run and put back after it."""

from __future__ import annotations

import contextlib
import ctypes
import random
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from tessella.core.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tessella.recipe.plan import Plan

SIGNALS: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""Signals that end a run after its current step, and the exit codes they give."""


class TrainingStopped(TrainingError):  # noqa: N818 - it is what a person asked for
    """A signal ended training after a whole step; its checkpoint is saved.

    Args:
        step: Optimiser steps done.
        number: The signal.
    """

    def __init__(self, step: int, number: int) -> None:
        super().__init__(
            f"training was stopped by {signal.Signals(number).name} after step {step}; a checkpoint was saved",
            fix="add --resume to the same command to go on",
        )
        self.exit_code = SIGNALS[signal.Signals(number)]


@contextlib.contextmanager
def settled_process(plan: Plan) -> Iterator[None]:
    """Seed and settle the process for one run, and put everything back afterwards.

    Threads as planned (other counts add in another order, so they give other weights), deterministic algorithms on the
    CPU, one OpenCV thread per feed thread, freed memory kept for the next step.
    """
    import cv2

    threads, cv2_threads = torch.get_num_threads(), cv2.getNumThreads()
    strict, warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    states = random.getstate(), np.random.get_state(legacy=True), torch.get_rng_state()  # noqa: NPY002 - foreign models may use it
    try:
        torch.set_num_threads(plan.training.threads)
        cv2.setNumThreads(1)
        if not torch.cuda.is_available():
            torch.use_deterministic_algorithms(True, warn_only=True)
            memory.fill_uninitialized_memory = False  # a debugging aid that costs a pass per tensor
        keep_freed_memory()
        random.seed(plan.seed)
        np.random.seed(plan.seed % 2**32)  # noqa: NPY002 - as above
        torch.manual_seed(plan.seed)
        yield
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv2_threads)
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)
        memory.fill_uninitialized_memory = filled
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002 - as above
        torch.set_rng_state(states[2])


def keep_freed_memory() -> None:
    """Let glibc keep the memory that one step frees for the next, instead of giving it back and faulting it in again.

    Measured on two cores with a 5 M network, 8 crops of 320x400 in bf16: 7 % less CPU time per step, and 4 % more
    memory at the peak. Only in effect on Linux with glibc; it stays in effect for the process.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(_M_MMAP_MAX, 0)
            libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Parameters of glibc's `mallopt`, from malloc.h."""


@contextlib.contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Turn SIGINT and SIGTERM into a wish to stop; a second one acts at once, as it would have before.

    Args:
        stop: Called at the first signal, between two instructions of the main thread.

    Yields:
        The signals received so far.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # Python delivers signals to the main thread only
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, _: object) -> None:
        received.append(number)
        stop()
        for other, handler in before.items():
            signal.signal(other, handler)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
