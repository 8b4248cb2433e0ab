"""Runs a conversion with a journal of the photos that are done: a killed one goes on where it stopped."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from tessella._version import __version__
from tessella.dataset.conversion.crew import Job, write_all
from tessella.files.hashes import sha256_bytes
from tessella.files.write import resumable_folder
from tessella.formats.listing import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tessella.dataset.conversion.merge import Part

_JOURNAL = ".journal.jsonl"


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
            for line in write_all(job, todo, folder):  # after its files, so that what the journal names is whole
                stream.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
                stream.flush()
                lines[line["name"]] = line
                if progress is not None:
                    progress(len(lines), len(parts))
        in_order = [lines[part.name] for part in parts]
        written = [
            Written(part.name, part.stem, part.split, line["entry"]) for part, line in zip(parts, in_order, strict=True)
        ]
        job.writer.close(written, job.coding, folder)
        journal.unlink()
        left_out = sum((Counter(line["left_out"]) for line in in_order), Counter[str]())
    return Done(resumed, left_out)


def _lines(journal: Path) -> dict[str, dict[str, Any]]:
    """Return what the journal says is written, by name; the last line may be torn."""
    lines: dict[str, dict[str, Any]] = {}
    if journal.is_file():
        text = journal.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]
        for line in whole.split("\n")[:-1]:  # `splitlines` would cut at U+2028 within a text
            parsed = json.loads(line)
            lines[parsed["name"]] = parsed
        with journal.open("w", encoding="utf-8") as stream:
            stream.write(whole)
    return lines


def _fingerprint(parts: Sequence[Part], asked: dict[str, object]) -> str:
    """Return a hash of everything that the result depends on: settings, classes, and the state of every file."""
    rows = [
        (part.name, part.stem, part.split, part.record.key, part.lookup.tobytes().hex(), *map(str, _paths(part)))
        for part in parts
    ]
    codings = {id(part.index): repr(part.index.coding) for part in parts}
    files = _states({path for part in parts for path in _paths(part)})
    said = repr((__version__, sorted(asked.items()), list(codings.values()), rows, files))
    return sha256_bytes(said.encode("utf-8", "surrogateescape"))


def _paths(part: Part) -> list[Path]:
    record = part.record
    return [path for path in (record.image, record.label, *record.parts) if path is not None]


def _states(paths: set[Path]) -> list[tuple[str, int, int]]:
    """Return name, size and time of files, and of those beside them that differ in the suffix: `.dbf` by `.shp`."""
    stems: dict[Path, set[str]] = {}
    for path in paths:
        stems.setdefault(path.parent, set()).add(_stem(path.name))
    found = []
    for folder, wanted in stems.items():
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if _stem(entry.name) in wanted and entry.is_file():
                    state = entry.stat()
                    found.append((entry.path, state.st_size, state.st_mtime_ns))
    return sorted(found)


def _stem(name: str) -> str:
    return name.partition(".")[0]
