"""Writes a repaired copy of a data set: every change listed with its reason, the source never touched."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tessella._version import __version__
from tessella.checking.engine import splits_of
from tessella.checking.fixing.amend import Amendment, amended_path, write_amended
from tessella.checking.looking.reading import look_at, relook
from tessella.checking.plugins import all_rules
from tessella.checking.rule import Rule
from tessella.core.errors import InputError, TessellaError
from tessella.files.classes import write_classes
from tessella.files.hashes import sha256_file
from tessella.files.paths import relative_name, walk
from tessella.files.text import read_bytes
from tessella.files.write import new_folder, refuse_foreign, refuse_nesting, write_bytes, write_json, write_text
from tessella.formats.layout.class_files import find_classes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tessella.checking.checked import Checked
    from tessella.checking.looking.look import Look
    from tessella.checking.rule import Rebuild
    from tessella.core.finding import Finding
    from tessella.dataset.index import Index

CHANGES_JSON = "changes.json"
CHANGES_TEXT = "changes.txt"
CLASSES_FILE = "classes.toml"


@dataclass(frozen=True, slots=True)
class Repaired:
    """One change in the copy.

    Args:
        file: The file relative to the data set, with forward slashes.
        code: The rule that asked for it.
        what: What was done.
        why: What was found.
    """

    file: str
    code: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class FixReport:
    """What `fix` did.

    Args:
        out: The repaired copy.
        source: The data set, unchanged.
        added: Files that the copy has besides: the class table, where the source took it from elsewhere. It replaces a
            file of that name which says otherwise.
        changes: What differs inside files.
        left_out: Files that the copy lacks.
        person: Errors and warnings that need a person.
    """

    out: str
    source: str
    added: tuple[str, ...]
    changes: tuple[Repaired, ...]
    left_out: tuple[Repaired, ...]
    person: tuple[Finding, ...]

    def __str__(self) -> str:
        """Return the report for people."""
        return self.to_text()

    def to_json(self) -> dict[str, object]:
        """Return the report as it is written to `changes.json`."""
        return {
            "tessella": __version__,
            "source": self.source,
            "added": list(self.added),
            "changes": [asdict(change) for change in self.changes],
            "left_out": [asdict(change) for change in self.left_out],
            "person": [finding.to_json() for finding in self.person],
        }

    def to_text(self) -> str:
        """Return the report for people, as it is written to `changes.txt`."""
        lines = [f"Repaired copy of {self.source}, written by Tessella {__version__}", ""]
        lines += [f"Added: {', '.join(self.added)}", ""] if self.added else []
        for title, changes in (("Changed", self.changes), ("Left out", self.left_out)):
            lines.append(f"{title}: {len(changes)}")
            lines += [f"  {one.file}: {one.what} ({one.code}: {one.why})" for one in changes] + [""]
        lines.append(f"Left to a person: {len(self.person)}")
        lines += [f"  {finding.where}: {finding.what} ({finding.code}); {finding.fix}" for finding in self.person]
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Work:
    """What is to be done, gathered before anything is written; what is mended by file and entry in it."""

    mended: dict[Path, dict[str, Amendment]]
    rebuilt: dict[Path, Rebuild]
    renamed: dict[Path, Path]
    changes: list[Repaired]
    left_out: dict[Path, Repaired]
    done: set[int]


def fix(
    index: Index,
    checked: Checked,
    out: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> FixReport:
    """Write a repaired copy of a data set.

    All files of the data set are copied; labels with fixable findings are repaired, copies of a photo and files that
    would break the copy are left out. `changes.json` and `changes.txt` in the copy list every change and its reason,
    and what needs a person. The source is only read.

    Args:
        index: The data set.
        checked: What `check` found in it.
        out: The folder to make.
        overwrite: Replace an existing folder that Tessella made; another is never replaced.
        progress: Called with (done, total) files.

    Returns:
        What was changed, left out, and left to a person.

    Raises:
        OutputError: `out` exists (without `overwrite`, or Tessella did not make it), lies in the source or holds it, or
            cannot be written.
        InputError: A file of the source cannot be read.
    """
    refuse_nesting(index.root, out)
    refuse_foreign(out, overwrite=overwrite)
    work = _plan(index, checked)
    person = tuple(
        finding
        for number, finding in enumerate(checked.findings)
        if number not in work.done and finding.severity != "info"
    )
    needs_table = _needs_table(index)
    added = (CLASSES_FILE,) if needs_table else ()
    report = FixReport(str(out), str(index.root), added, tuple(work.changes), tuple(work.left_out.values()), person)
    files = walk(index.root)
    with new_folder(out, overwrite=overwrite, marked=True) as folder:
        for number, path in enumerate(files):
            _copy(path, folder, index, work)
            if progress is not None:
                progress(number + 1, len(files))
        if needs_table:
            write_classes(folder / CLASSES_FILE, index.coding)
        write_json(folder / CHANGES_JSON, report.to_json())
        write_text(folder / CHANGES_TEXT, report.to_text())
    return report


def _needs_table(index: Index) -> bool:
    """Whether a copy would mean something else on its own, its classes being from --classes or from elsewhere."""
    if index.listing.discovered:
        return False
    try:
        beside = find_classes(index.root)
    except TessellaError:
        return True  # only --classes can have opened the data set
    return beside is None or beside[0] != index.coding


def _plan(index: Index, checked: Checked) -> _Work:
    work = _Work({}, {}, {}, [], {}, set())
    by_record: dict[int, list[int]] = {}
    for number, (finding, position) in enumerate(zip(checked.findings, checked.positions, strict=True)):
        if position is not None:
            by_record.setdefault(position, []).append(number)
        elif _rule(finding).sets_aside == "always" and (index.root / finding.where).is_file():
            _leave_out(work, index, index.root / finding.where, finding)
        _rebuild(work, index, number, finding)
    _rename(work, index, checked)
    splits = splits_of(index)
    aside = {position for position, numbers in by_record.items() if _sets_aside(checked, numbers)}
    kept = [record for number, record in enumerate(index.records) if number not in aside]
    needed = {path for record in kept for path in (record.image, record.label)}
    for position, numbers in sorted(by_record.items()):
        if position in aside:
            _set_aside(work, index, checked, numbers, position=position, needed=needed)
        # of a photo that is set aside the entry stays in a file that others need
        stays = position not in aside or (index.records[position].key and index.records[position].label in needed)
        if stays and any(_is_repairable(checked.findings[number]) for number in numbers):
            _mend(work, look_at(index, position, splits[position]), checked, numbers, index=index)
    return work


def _rule(finding: Finding) -> Rule:
    """Return the rule of a finding; one of a plug-in that has gone since repairs nothing."""
    return all_rules().get(finding.code) or Rule(finding.code, finding.severity, "")


def _is_repairable(finding: Finding) -> bool:
    return finding.fixable and _rule(finding).repair is not None


def _sets_aside(checked: Checked, numbers: list[int]) -> bool:
    return any(_asks_for_leaving_out(checked.findings[number]) for number in numbers)


def _asks_for_leaving_out(finding: Finding) -> bool:
    when = _rule(finding).sets_aside
    if when == "always":
        return not finding.fixable  # a file that is rebuilt can stay
    return when == "fixable" and finding.fixable


def _rebuild(work: _Work, index: Index, number: int, finding: Finding) -> None:
    rebuild = _rule(finding).rebuild
    if rebuild is not None and finding.fixable:
        work.rebuilt[index.root / finding.where] = rebuild
        work.changes.append(Repaired(finding.where, finding.code, "the bytes were restored", finding.what))
        work.done.add(number)


def _rename(work: _Work, index: Index, checked: Checked) -> None:
    for number, finding in enumerate(checked.findings):
        rename = _rule(finding).rename
        if rename is None or not finding.fixable or checked.survey is None:
            continue
        name = rename(finding.where, checked.survey)
        if name is not None and not (index.root / name).exists():
            work.renamed[index.root / finding.where] = index.root / name
            work.changes.append(Repaired(finding.where, finding.code, f"renamed to {name}", finding.what))
            work.done.add(number)


def _leave_out(work: _Work, index: Index, path: Path, finding: Finding) -> None:
    file = relative_name(path, index.root)
    work.left_out.setdefault(path, Repaired(file, finding.code, "left out of the copy", finding.what))


def _set_aside(
    work: _Work, index: Index, checked: Checked, numbers: list[int], *, position: int, needed: set[Path | None]
) -> None:
    record = index.records[position]
    asked = [n for n in numbers if _asks_for_leaving_out(checked.findings[n])]
    for path in (record.image, record.label):
        if path is not None and path not in needed:
            _leave_out(work, index, path, checked.findings[asked[0]])
    done = numbers if record.label not in needed else asked
    work.done.update(number for number in done if checked.findings[number].fixable)


def _mend(work: _Work, look: Look, checked: Checked, numbers: list[int], *, index: Index) -> None:
    """Run the repairs of one label in the order of the rules, each on the result of the one before."""
    record = index.records[look.position]
    if record.label is None or look.annotation is None or record.key in work.mended.get(record.label, {}):
        return
    before, target = look.annotation, amended_path(record, look.annotation, index)
    if target is None:
        return
    origin = tuple(range(len(look.drawing.shapes))) if look.drawing is not None else ()
    changes: list[Repaired] = []
    for number in numbers:
        finding = checked.findings[number]
        repair = _rule(finding).repair
        if repair is None or not finding.fixable:
            continue
        mend = repair(look)
        for change in mend.changes:
            what = change.what if change.shape is None else f"shape {origin[change.shape]}: {change.what}"
            changes.append(Repaired(look.label_where, finding.code, what, finding.what))
        origin = tuple(place for number_, place in enumerate(origin) if number_ not in mend.deleted)
        look = relook(look, mend.annotation)
        work.done.add(number)
    if changes and look.annotation is not None:
        amendment = Amendment(record, target, look.annotation, before, origin)
        work.mended.setdefault(record.label, {})[record.key] = amendment
        work.changes += changes


def _copy(path: Path, folder: Path, index: Index, work: _Work) -> None:
    if path in work.left_out:
        return
    amendments = list(work.mended.get(path, {}).values())
    target = amendments[0].target if amendments else work.renamed.get(path, path)
    place = folder / target.relative_to(index.root)
    place.parent.mkdir(parents=True, exist_ok=True)
    rebuilt = work.rebuilt[path](read_bytes(path)) if path in work.rebuilt else None
    if rebuilt is not None:
        write_bytes(place, rebuilt)
    elif amendments:
        write_amended(path, place, amendments, index)
    else:
        _copy_file(path, place)


def _copy_file(path: Path, place: Path) -> None:
    try:
        shutil.copyfile(path, place)
    except OSError:
        _require_readable(path)
        raise  # then the copy could not be written


def _require_readable(path: Path) -> None:
    try:
        sha256_file(path)  # reads to the end: a bad disk may give half of a file
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror or error})",
            where=path,
            fix="change its rights, or move it out of the data set",
        ) from error
