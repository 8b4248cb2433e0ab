"""Splits: those of the data set, else a seeded one that keeps groups together."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tessella.dataset.grounds import on_shared_ground
from tessella.dataset.lookalikes import MOST_PHOTOS, lookalikes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tessella.formats.listing import Record

_NUMBERED = re.compile(r"^(.*?)[_\-. ]*[a-z]?(\d+)$", re.I | re.S)
_ROBOFLOW = re.compile(r"[_.](?:jpe?g|png|bmp|tiff?)\.rf\.[0-9a-f]{8,}$", re.I)
_FEWEST_SEQUENCES: Final = 5
_BLOCKS: Final = 20


@dataclass(frozen=True, slots=True)
class SplitRule:
    """How photos are split where the data set does not say.

    Args:
        seed: Same seed, same split, on every machine.
        val_share: Share of the labelled photos set aside for validation, 0..1.
        settled: The records carry their final split; nothing is assigned.
        max_pixels: Most pixels of a photo that is looked at for its like, or None for the usual budget.
    """

    seed: int = 0
    val_share: float = 0.2
    settled: bool = False
    max_pixels: int | None = None


def assign(records: Sequence[Record], rule: SplitRule) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Give every labelled photo a split.

    Splits that the data set states are kept. Where it states `train` but not `val`, a part of `train` becomes `val`;
    where it states none, everything is split. Frames of one sequence, look-alike photos, and GeoTIFFs that overlap stay
    together.
    Labelled photos outside the stated splits stay outside, and a note counts them.

    Args:
        records: The photos.
        rule: Seed and share.

    Returns:
        The records with their splits, and notes on how they came about.

    A data set of fewer than two labelled photos gets no split.
    """
    if rule.settled:
        return tuple(records), ()
    stated = {record.split for record in records if record.label is not None} - {""}
    if "val" in stated or (stated and "train" not in stated):
        named = ", ".join(sorted(stated))
        return tuple(records), (f"splits as the data set states them: {named}", *_left_out(records))
    source = "train" if "train" in stated else ""
    open_ = [number for number, record in enumerate(records) if record.label is not None and record.split == source]
    if len(open_) < 2:
        return tuple(records), ("fewer than two labelled photos cannot be split into train and val",)
    groups, notes = find_groups([records[number] for number in open_], max_pixels=rule.max_pixels)
    chosen = _choose(groups, rule)
    settled = list(records)
    for place, number in enumerate(open_):
        split = "val" if groups[place] in chosen else "train"
        settled[number] = replace(records[number], split=split, group=groups[place])
    picked = sum(group in chosen for group in groups)
    said = (
        f"{picked} of {len(open_)} photos set aside as val (seed {rule.seed}), {len(set(groups))} groups kept together"
    )
    return tuple(settled), (said, *notes, *_left_out(settled))


def digest_of_drawn(records: Sequence[Record], splits: Sequence[str]) -> str:
    """Return what tells one drawn split from another: a SHA-256 of the sorted names of the photos drawn as `val`.

    Args:
        records: The photos with the splits that the data set states.
        splits: Their final splits, as `assign` gave them.

    Returns:
        64 hexadecimal digits, or "" where nothing was drawn.
    """
    drawn = sorted(record.name for record, split in zip(records, splits, strict=True) if split == "val" != record.split)
    return hashlib.sha256(json.dumps(drawn).encode()).hexdigest() if drawn else ""


def _left_out(records: Sequence[Record]) -> list[str]:
    left = sum(record.label is not None and not record.split for record in records)
    return [f"labelled photos in no split that the data set states, which are left out: {left}"] if left else []


def find_groups(records: Sequence[Record], *, max_pixels: int | None = None) -> tuple[list[str], list[str]]:
    """Name the group of every photo: the data set's own, else sequences by name.

    Groups join where photos look alike or overlap on the ground.

    Returns:
        A group name per record, and notes.
    """
    groups = [record.group for record in records]
    notes: list[str] = []
    if not any(groups):
        groups, notes = groups_by_name([record.name for record in records])
    for pairs, alike in (
        (lookalikes(records, max_pixels=max_pixels), "look like others"),
        (on_shared_ground(records), "overlap others on the ground"),
    ):
        if pairs:
            joined = _joined(groups, pairs)
            several = len(set(joined)) > 1
            groups = joined if several else groups
            ending = "and stay with them" if several else "too many to keep together; the score may be too good"
            notes.append(
                f"{len({place for pair in pairs for place in pair})} photos {alike}{' ' if several else ', '}{ending}"
            )
    if len(records) > MOST_PHOTOS:
        notes.append(f"with more than {MOST_PHOTOS} photos, look-alikes are not searched for")
    if len(set(groups)) < 2:
        groups = [record.name for record in records]
        notes.append("all photos are one group, so they are split one by one; the score may be too good")
    return groups, notes


def groups_by_name(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tell sequences by their names: what comes before the last number.

    `0001TP_006690` is frame 6690 of `0001TP`. With fewer than five sequences, or one that holds half of the photos,
    each is cut into blocks of neighbouring frames instead. Copies that Roboflow augments (`x_jpg.rf.<hash>`) are told
    by what comes before the hash.

    Returns:
        A group name per photo, and notes.
    """
    plain = [_ROBOFLOW.sub("", name) for name in names]
    parts = [_NUMBERED.match(name) for name in plain]
    sequences = [match[1] if match else name for match, name in zip(parts, plain, strict=True)]
    sizes: dict[str, int] = defaultdict(int)
    for sequence in sequences:
        sizes[sequence] += 1
    if len(sizes) == len(names):
        return list(plain), []
    if len(sizes) >= _FEWEST_SEQUENCES and max(sizes.values()) <= len(names) / 2:
        return sequences, [f"{len(sizes)} sequences told by file names"]
    return _blocks(plain, sequences, parts), ["numbered photos are kept in blocks of neighbours"]


def _blocks(names: Sequence[str], sequences: Sequence[str], parts: Sequence[re.Match[str] | None]) -> list[str]:
    size = max(1, round(len(set(names)) / _BLOCKS))
    number = {name: int(match[2]) if match else 0 for name, match in zip(names, parts, strict=True)}
    members: dict[str, set[str]] = defaultdict(set)
    for name, sequence in zip(names, sequences, strict=True):
        members[sequence].add(name)
    block = {}
    for sequence, own in members.items():
        for rank, name in enumerate(sorted(own, key=lambda name: (number[name], name))):
            block[name] = f"{sequence}#{rank // size}"
    return [block[name] for name in names]


def _joined(groups: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[str]:
    parent = {group: group for group in groups}

    def top(group: str) -> str:
        while parent[group] != group:
            group = parent[group]
        return group

    for one, other in pairs:
        first, second = sorted((top(groups[one]), top(groups[other])))
        parent[second] = first
    return [top(group) for group in groups]


def _choose(groups: Sequence[str], rule: SplitRule) -> set[str]:
    """Draw groups until the share is met: closest to it, at least one group on either side."""
    sizes: dict[str, int] = defaultdict(int)
    for group in groups:
        sizes[group] += 1
    order = sorted(sizes)
    random.Random(rule.seed).shuffle(order)  # noqa: S311 - a reproducible split, not a secret
    wanted = rule.val_share * len(groups)
    chosen: set[str] = set()
    count = 0
    for group in order:
        fits = abs(count + sizes[group] - wanted) < abs(count - wanted)
        if fits and len(chosen) + 1 < len(sizes):
            chosen.add(group)
            count += sizes[group]
    return chosen or {min(sizes, key=lambda group: (sizes[group], group))}
