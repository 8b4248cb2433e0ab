"""Runs a conversion on all cores, photo by photo, with a journal: a killed one goes on where it stopped."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from tessella._version import __version__
from tessella.files.hashes import sha256_bytes
from tessella.files.write import resumable_folder
from tessella.formats.listing import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tessella.core.classes import LabelCoding
    from tessella.dataset.conversion.merge import Part
    from tessella.formats.listing import Item, Writer

_JOURNAL = ".journal.jsonl"


class Job(NamedTuple):
    """How photos are written.

    Args:
        writer: The format's writer.
        coding: The classes of the result.
        item_of: Reads one photo; returns it, and what of it the result cannot hold.
    """

    writer: Writer
    coding: LabelCoding
    item_of: Callable[[Part], tuple[Item, Counter[str]]]


class Done(NamedTuple):
    """What a conversion came to.

    Args:
        resumed: Photos that an interrupted conversion had written.
        left_out: What the result cannot hold, counted by kind.
    """

    resumed: int
    left_out: Counter[str]


def run(
    job: Job,
    parts: Sequence[Part],
    out: Path,
    *,
    asked: dict[str, object],
    overwrite: bool,
    progress: Callable[[int, int], None] | None,
) -> Done:
    """Write every photo, then the lists.

    Args:
        job: How.
        parts: What.
        out: The folder to make.
        asked: The settings of the conversion; other settings are another job.
        overwrite: Replace an existing folder that Tessella made.
        progress: Called with (done, total) photos.

    Raises:
        InputError: A photo or its labels cannot be read; nothing is left behind.
        OutputError: The folder cannot be written.
    """
    with resumable_folder(out, _fingerprint(parts, asked), overwrite=overwrite) as folder:
        journal = folder / _JOURNAL
        lines = _lines(journal)
        resumed = len(lines)
        todo = [part for part in parts if part.name not in lines]
        with journal.open("a", encoding="utf-8") as stream:
            for number, line in enumerate(_write(job, todo, folder, stream), start=resumed + 1):
                lines[line["name"]] = line
                if progress is not None:
                    progress(number, len(parts))
        written = [Written(part.name, part.stem, part.split, lines[part.name]["entry"]) for part in parts]
        job.writer.close(written, job.coding, folder)
        journal.unlink()
        left_out = sum((Counter(line["left_out"]) for line in lines.values()), Counter[str]())
    return Done(resumed, left_out)


def _write(job: Job, parts: Sequence[Part], folder: Path, journal: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a text stream
    lock = threading.Lock()

    def write(part: Part) -> dict[str, Any]:
        item, left_out = job.item_of(part)
        line = {"name": part.name, "entry": job.writer.one(item, job.coding, folder), "left_out": left_out}
        text = json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
        with lock:  # after its files, so that what the journal names is whole
            journal.write(text)
            journal.flush()
        return line

    with ThreadPoolExecutor(_cores()) as pool:
        try:
            yield from pool.map(write, parts)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)  # Ctrl-C must not wait for the rest of the data set


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _lines(journal: Path) -> dict[str, dict[str, Any]]:
    """Return what the journal says is written, by name; the last line may be torn."""
    lines: dict[str, dict[str, Any]] = {}
    if journal.is_file():
        text = journal.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]
        for line in whole.splitlines():
            parsed = json.loads(line)
            lines[parsed["name"]] = parsed
        with journal.open("w", encoding="utf-8") as stream:
            stream.write(whole)
    return lines


def _fingerprint(parts: Sequence[Part], asked: dict[str, object]) -> str:
    """Return a hash of everything that the result depends on: settings, classes, and the state of every file."""
    rows = [
        (
            *(part.name, part.stem, part.split, part.record.key, part.lookup.tobytes().hex()),
            *(_state(path) for path in (part.record.image, part.record.label, *part.record.parts)),
        )
        for part in parts
    ]
    codings = {id(part.index): repr(part.index.coding) for part in parts}
    said = repr((__version__, sorted(asked.items()), list(codings.values()), rows))
    return sha256_bytes(said.encode("utf-8", "surrogateescape"))


def _state(path: Path | None) -> tuple[str, int, int] | None:
    if path is None:
        return None
    try:
        state = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), state.st_size, state.st_mtime_ns
