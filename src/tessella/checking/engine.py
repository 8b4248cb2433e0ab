"""Runs the rules over a data set: each file decoded once, all cores at work, findings in the same order every time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tessella.checking.baseline import accept
from tessella.checking.checked import Checked
from tessella.checking.fixing.amend import can_amend, can_leave_out, shared_files
from tessella.checking.looking.annotators import compare_annotators
from tessella.checking.looking.reading import look_at, look_at_unreadable
from tessella.checking.looking.trace import trace_of
from tessella.checking.looking.twins import compare_twins
from tessella.checking.measures.likeness import similar
from tessella.checking.measures.noise import noise_of
from tessella.checking.rule import Located
from tessella.checking.rules.sets.classes import class_pixels
from tessella.checking.settings import chosen, settings_of
from tessella.checking.survey import Survey, Trace
from tessella.core.cores import cores
from tessella.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from tessella.checking.rule import Rule
    from tessella.checking.settings import Settings
    from tessella.core.finding import Finding
    from tessella.dataset.index import Index

_FEWEST_FOR_A_POOL = 4
_MOST_HANDED_OUT = 8
"""Records that a thread takes at once in a large set: handing one over takes as long as decoding a small mask."""

MOVED: Final = 32
"""Masks that are moved about under their photo: enough to judge a set, and a tenth of a second."""

MOVED_AT_LEAST: Final = 12
"""Likewise in a small set, where more would take longer than decoding."""


def check(
    index: Index,
    *,
    codes: Collection[str] | None = None,
    settings: Settings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Checked:
    """Look at every photo and label of a data set.

    Photos and labels are decoded on all cores by threads: the decoders work outside Python's lock, and nothing has to
    be sent between processes.

    Args:
        index: The data set.
        codes: Codes (`L101`) or families (`L`) to look for, whatever the settings say; None for all.
        settings: Which rules are off, severities and the baseline; None for what `tessella.toml` in the data set's
            folder says.
        progress: Called with (done, total) records.

    Returns:
        The findings and the figures of the data set.

    Raises:
        RecipeError: A code that no rule has; a setting that there is not.
        InputError: The baseline cannot be read.
    """
    settings = settings_of(index.root) if settings is None else settings
    checked = look_for(chosen(codes, settings), index, settings, progress=progress)
    return checked if settings.baseline is None else accept(checked, settings.baseline)


def look_for(
    rules: Sequence[Rule],
    index: Index,
    settings: Settings,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Checked:
    """Run some rules over a data set.

    Args:
        rules: In the order in which findings are listed.
        index: The data set.
        settings: Severities; what they ignore and accept does not count here.
        progress: Called with (done, total) records.
    """
    splits = splits_of(index)
    traces: list[Trace] = []
    found: list[Located] = []
    for trace, findings in _traced(index, splits, rules):
        traces.append(trace)
        found += [Located(trace.position, finding) for finding in findings]
        if progress is not None:
            progress(len(traces), len(index))
    looks = [rule.look for rule in rules if rule.look is not None]
    for torn in (look_at_unreadable(index, where) for where in index.listing.unreadable):
        found += [Located(None, finding) for ask in looks for finding in ask(torn)]
    families = {rule.code[0] for rule in rules if rule.survey is not None}
    compared = compare_twins(index, traces)
    if "N" in families:
        compared = compare_annotators(index, compared, threads=cores())
    survey = Survey(
        traces=compared,
        coding=index.coding,
        format=index.format,
        discovered=index.listing.discovered,
        orphan_labels=index.listing.orphan_labels,
        given_splits=any(record.split for record in index.records),
        similar=similar(compared) if "D" in families else (),
        noise=noise_of(index, compared, threads=cores()) if "N" in families else {},
        merged=index.listing.merged,
        boxed=index.listing.boxed,
        published=index.listing.published,
        unread=tuple(index.listing.unreadable),
    )
    for rule in rules:
        if rule.survey is not None:
            found += rule.survey(survey)
    by_code, shared = {rule.code: rule for rule in rules}, shared_files(index)

    def is_written(position: int | None, code: str) -> bool:
        rule, record = by_code.get(code), None if position is None else index.records[position]
        if rule is None or record is None:
            return True
        if rule.sets_aside == "fixable" and not can_leave_out(record, index, shared):
            return False
        return rule.repair is None or can_amend(record, index, code)

    settled = [_settled(one, settings, is_written) for one in found]
    return _checked(index, survey, settled, settings=settings, order=[rule.code for rule in rules])


def splits_of(index: Index) -> tuple[str, ...]:
    """Return the split of every record; "" throughout where the data set is too small to be split."""
    try:
        return index.splits
    except InputError:
        return ("",) * len(index)


def spread(total: int, most: int) -> frozenset[int]:
    """Return at most `most` positions, evenly spread over `total`."""
    return frozenset(range(0, total, max(1, -(-total // most))))


def _traced(index: Index, splits: tuple[str, ...], rules: Sequence[Rule]) -> Iterator[tuple[Trace, list[Finding]]]:
    deep = spread(len(index), min(MOVED, max(MOVED_AT_LEAST, len(index) // 20)))
    looks = [rule.look for rule in rules if rule.look is not None]

    def visit(position: int) -> tuple[Trace, list[Finding]]:
        look = look_at(index, position, splits[position], deep=position in deep)
        trace = trace_of(look)
        return trace, [finding for ask in looks for finding in ask(look)]

    # in a small set few at once, so that no core waits for another's last handful
    at_once = max(1, min(_MOST_HANDED_OUT, len(index) // (8 * cores())))

    def visit_some(first: int) -> list[tuple[Trace, list[Finding]]]:
        return [visit(position) for position in range(first, min(first + at_once, len(index)))]

    if len(index) < _FEWEST_FOR_A_POOL or cores() == 1:
        yield from map(visit, range(len(index)))
        return
    with ThreadPoolExecutor(cores()) as pool:
        try:
            for some in pool.map(visit_some, range(0, len(index), at_once)):
                yield from some
        finally:
            pool.shutdown(wait=True, cancel_futures=True)  # Ctrl-C must not wait for the rest of the data set


def _settled(located: Located, settings: Settings, is_written: Callable[[int | None, str], bool]) -> Located:
    """Give a finding the severity that is set, and call only those fixable that can be written in this format."""
    position, finding = located
    severity = settings.severity_of(finding.code, finding.severity)
    if severity != finding.severity:
        finding = replace(finding, severity=severity)
    if finding.fixable and not is_written(position, finding.code):
        finding = replace(finding, fixable=False, fix=finding.fix.replace(" (--fix does)", ""))
    return Located(position, finding)


def _checked(
    index: Index, survey: Survey, found: list[Located], *, settings: Settings, order: Sequence[str]
) -> Checked:
    rank = {code: number for number, code in enumerate(order)}
    last = len(index)

    def place(located: Located) -> tuple[int, int]:
        return rank.get(located.finding.code, len(rank)), last if located.position is None else located.position

    found = sorted(found, key=place)  # stable: findings of one rule on one record keep the rule's order
    total = class_pixels(survey)
    counted: dict[str, int] = {}
    for trace in survey.traces:
        if trace.split:
            counted[trace.split] = counted.get(trace.split, 0) + 1
    usual = ("train", "val", "test")
    return Checked(
        format=index.format,
        samples=len(index),
        classes=index.table.names,
        splits={
            name: counted[name] for name in sorted(counted, key=lambda n: (usual.index(n) if n in usual else 9, n))
        },
        pixels={name: int(count) for name, count in zip((*index.table.names, "ignore"), total, strict=True)},
        findings=tuple(located.finding for located in found),
        positions=tuple(located.position for located in found),
        notes=tuple(note for note in (*index.listing.notes, index.left_out_note, settings.note) if note),
        survey=survey,
    )
