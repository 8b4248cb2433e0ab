"""Writes photos on all cores: by threads where that is quickly done, else by processes.

Reading and painting masks leaves Python's lock to others, and threads suffice. Spelling out the corners of outlines
holds it: two threads then are hardly faster than one, and only processes use a second core.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tessella.core.cores import cores
from tessella.core.errors import InterruptionError, TessellaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from tessella.core.classes import LabelCoding
    from tessella.dataset.conversion.merge import Part
    from tessella.formats.listing import Item, Writer

FIRST: Final = 4
"""Photos per core that threads write before it is known how long the others take."""

WORTH_SECONDS: Final = 6.0
"""So much work is left when processes, which take a second to start, are called in."""

_MOST_BYTES: Final = 256 << 20
"""Every process holds a copy of the data set's listing; a larger one stays with the threads, which share it."""

_AT_ONCE: Final = 8
_IDLE_SECONDS: Final = 10

Line = dict[str, Any]
"""What is said of a photo that is written: its name, the writer's entry, and what was left out."""


class Job(NamedTuple):
    """How photos are written.

    Args:
        writer: The format's writer.
        coding: The classes of the result.
        item_of: Reads one photo, and counts what of it the result cannot hold.
    """

    writer: Writer
    coding: LabelCoding
    item_of: Callable[[Part], Item]


def write_all(job: Job, parts: Sequence[Part], folder: Path) -> Iterator[Line]:
    """Write the files of every photo, and yield what is said of each when they are whole, in no order.

    Args:
        job: How.
        parts: What.
        folder: Where.

    Raises:
        InputError: A photo or its labels cannot be read.
        InterruptionError: A process was ended from outside.
        OutputError: A file cannot be written.
    """
    first = FIRST * cores()
    start = time.perf_counter()
    yield from _by_threads(job, parts[:first], folder)
    rest = parts[first:]
    expected = (time.perf_counter() - start) / first * len(rest)
    carried = _carried((job, rest, folder)) if cores() > 1 and expected > WORTH_SECONDS else b""
    if 0 < len(carried) <= _MOST_BYTES:
        yield from _by_processes(carried, len(rest))
    else:
        yield from _by_threads(job, rest, folder)


def _carried(work: object) -> bytes:
    """Return what a process needs; nothing where a part of it cannot be sent, or is of the caller's own script."""
    try:
        carried = pickle.dumps(work)
    except (pickle.PicklingError, AttributeError, TypeError):
        return b""
    return b"" if b"__main__" in carried else carried


def _by_threads(job: Job, parts: Sequence[Part], folder: Path) -> Iterator[Line]:
    def write(some: range) -> list[Line]:
        return [_write(job, parts[position], folder) for position in some]

    pool = ThreadPoolExecutor(cores())
    try:
        yield from _done(pool, write, len(parts))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # Ctrl-C must not wait for the rest of the data set


def _by_processes(carried: bytes, photos: int) -> Iterator[Line]:
    from loky import ProcessPoolExecutor
    from loky.process_executor import BrokenProcessPool

    pool = ProcessPoolExecutor(cores(), timeout=_IDLE_SECONDS, initializer=_join, initargs=(carried, os.getpid()))
    try:
        yield from _done(pool, _write_mine, photos)
    except BrokenProcessPool as error:
        raise InterruptionError(
            "a process that wrote photos was ended from outside, most likely because memory ran out",
            fix="free memory, and give the same command again: it goes on from where it stopped",
        ) from error
    finally:
        pool.shutdown(wait=True, kill_workers=True)


def _done(pool: Executor, write: Callable[[range], list[Line]], photos: int) -> Iterator[Line]:
    """Hand the photos out by the handful, and yield the lines as they come."""
    at_once = max(1, min(_AT_ONCE, photos // (8 * cores())))  # so that no core waits for another's last handful
    spans = (range(start, min(start + at_once, photos)) for start in range(0, photos, at_once))
    futures = [pool.submit(write, span) for span in spans]
    try:
        for future in as_completed(futures):
            yield from future.result()
    except TessellaError:
        for future in futures:  # of several faults, the first in the order of the photos is named, each time
            future.result()
        raise


def _write(job: Job, part: Part, folder: Path) -> Line:
    item = job.item_of(part)
    entry = job.writer.one(item, job.coding, folder)
    return {"name": part.name, "entry": entry, "left_out": +item.lost}


_mine: dict[str, Any] = {}
"""In a process of the crew: the job, the photos, the folder, and who called it."""


def _join(carried: bytes, caller: int) -> None:
    """Begin as a process of the crew."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the caller, who ends the crew
    _mine["work"], _mine["caller"] = pickle.loads(carried), caller  # noqa: S301 - from the caller, through a pipe


def _write_mine(some: range) -> list[Line]:
    job, parts, folder = _mine["work"]
    lines = []
    for position in some:
        if os.name != "nt" and os.getppid() != _mine["caller"]:
            os._exit(1)  # the caller was killed; another may be at work in the folder already
        lines.append(_write(job, parts[position], folder))
    return lines
