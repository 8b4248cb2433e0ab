"""Checks for what other packages add to Tessella, to be run by their own tests."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.checking.engine import look_for
from tessella.checking.plugins import CODE
from tessella.checking.settings import Settings
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.formats import Source, format_named

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.checking.rule import Rule
    from tessella.core.finding import Finding

__all__ = ["check_format", "check_rule"]

_GRAVITY: Final = ("info", "warning", "error")


def check_format(name: str, root: Path, scratch: Path) -> Index:
    """Check that a format keeps the promises on which Tessella's other rooms rely.

    Args:
        name: The name under which it is installed as an entry point of the group `tessella.formats`.
        root: A small data set in this format, with at least two labelled photos.
        scratch: An empty folder, for a copy in the same format where it can be written.

    Returns:
        The open data set, so that a test can look closer.

    Raises:
        AssertionError: The message says which promise is broken.
    """
    row, before = format_named(name), _bytes_below(root)
    match = row.detect(Source(root))
    _require(match is not None and 1 <= match.score <= 100 and bool(match.why), f"{name} does not detect its own data")
    index = open_dataset(root, format=name)
    records = index.records
    names = [record.name for record in records]
    _require(len(records) >= 2, f"{name} lists {len(records)} photos")
    _require(names == sorted(set(names)), f"the names of {name} are not unique and sorted")
    _require(not any("\\" in one or one.startswith("/") for one in names), f"{name} has names that are no plain paths")
    _require(any("class" in note for note in index.listing.notes), f"no note of {name} says whence the classes come")
    elsewhere = pickle.loads(pickle.dumps((row, index)))[1]  # noqa: S301
    _require(elsewhere.records == records, f"records of {name} do not cross processes")
    labels, same = index.labels(0), elsewhere.labels(0)
    unchanged = labels is same or (labels is not None and same is not None and np.array_equal(labels.ids, same.ids))
    _require(unchanged, f"labels of {name} are others in another process")
    for position, record in enumerate(records):
        if record.label is not None and index.has_photo(record):
            _ = index[position]  # refuses labels of another size than the photo
    _require(_bytes_below(root) == before, f"reading {name} changes the data set")
    if row.write is not None:
        _check_written(name, index, scratch / "written")
    return index


def _check_written(name: str, index: Index, out: Path) -> None:
    convert(index, out, to=name)
    again = open_dataset(out, format=name)
    _require(again.table == index.table, f"{name} writes other classes than it was given")
    _require(len(again) == len(index), f"{name} writes another number of photos")
    old = sorted(sample.labels.ids.tobytes() for sample in index if sample.labels is not None)
    new = sorted(sample.labels.ids.tobytes() for sample in again if sample.labels is not None)
    _require(old == new, f"{name} reads other ids than it wrote")


def _bytes_below(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def check_rule(rule: Rule, *, faulty: Index | str | Path, clean: Index | str | Path) -> tuple[Finding, ...]:
    """Check that a rule finds what it is for, says it as Tessella's own rules do, and leaves clean data alone.

    Args:
        rule: The rule.
        faulty: A data set with the fault planted.
        clean: The same, or one like it, without the fault.

    Returns:
        What the rule finds in `faulty`, so that a test can look closer.

    Raises:
        AssertionError: The message says what the rule does wrong.
    """
    _require(bool(CODE.fullmatch(rule.code)), f"the code {rule.code!r} is not capital letters and three digits")
    _require((rule.look is None) != (rule.survey is None), f"{rule.code} needs either `look` or `survey`")
    _require(rule.severity in _GRAVITY, f"{rule.code} has the severity {rule.severity!r}")
    _require(bool(rule.title.strip()), f"{rule.code} has no title")
    found = _findings(rule, faulty)
    _require(bool(found), f"{rule.code} finds nothing in the faulty data set")
    _require(_findings(rule, faulty) == found, f"{rule.code} finds something else the second time")
    for finding in found:
        _require(finding.code == rule.code, f"{rule.code} gives a finding with the code {finding.code}")
        graver = _GRAVITY.index(finding.severity) > _GRAVITY.index(rule.severity)
        _require(not graver, f"{rule.code} gives a finding graver than it says: {finding.severity}")
        for name in ("where", "what", "fix"):
            _require(bool(getattr(finding, name).strip()), f"{rule.code} gives a finding without `{name}`")
    alarms = _findings(rule, clean)
    _require(not alarms, f"{rule.code} calls clean data faulty: {alarms[:1]}")
    return found


def _findings(rule: Rule, data: Index | str | Path) -> tuple[Finding, ...]:
    index = data if isinstance(data, Index) else open_dataset(data)
    return look_for([rule], index, Settings()).findings


def _require(true: bool, otherwise: str) -> None:
    if not true:
        raise AssertionError(otherwise)
