"""P: photos and labels without their partner, and names that keep them apart."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from tessella.checking.rule import Located
from tessella.checking.rules.labels.names import one_slip
from tessella.core.finding import Finding
from tessella.files.paths import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

    from tessella.checking.survey import Survey, Trace

_LONGEST_COMPARED = 2000
"""Lone labels times lone photos of one folder beyond this many pairs are not compared letter by letter."""

_FOUND_BY_STEM: Final = "labelme"
"""The format that finds a photo by the name of its label file, too, and keeps a label without photo that states its
size."""


class _Meant(NamedTuple):
    """A lone label and the one lone photo that it must belong to."""

    label: str
    photo: Trace
    by: Literal["case", "form", "near"]


def photo_without_label(survey: Survey) -> Iterator[Located]:
    """P101: nothing is annotated for this photo; nothing where a label of nearly its name lies beside."""
    explained = {meant.photo.position for meant in _meant(survey)}
    for trace in survey.traces:
        if not trace.label_where and trace.position not in explained:
            finding = Finding(
                "P101",
                "warning",
                trace.photo_where,
                "this photo has no label",
                "annotate it, or move it out of the data set; training and scoring pass it over",
            )
            yield Located(trace.position, finding)


def label_without_photo(survey: Survey) -> Iterator[Located]:
    """P102: the photo that this label belongs to is missing."""
    explained = {meant.label for meant in _meant(survey)}
    fix = "bring the photo back, or correct its name; a repaired copy leaves this label out"
    for where in survey.orphan_labels:
        if where not in explained:
            yield Located(None, Finding("P102", "error", where, "this label has no photo", fix))
    fix = "bring the photo back, correct its name, or give its folder (--photos)"
    for trace in survey.traces:
        if trace.missing and trace.label_where not in explained:
            finding = Finding("P102", "error", trace.label_where, "the photo of this label is missing", fix)
            yield Located(trace.position, finding)


def differs_by_case(survey: Survey) -> Iterator[Located]:
    """P103: photo and label would meet if it were not for small and capital letters."""
    yield from _named(survey, "P103", "case", "only small and capital letters differ")


def differs_by_form(survey: Survey) -> Iterator[Located]:
    """P104: the names look alike, but their accents are written in two Unicode forms (NFC and NFD)."""
    yield from _named(survey, "P104", "form", "the same letters in another Unicode form (NFC and NFD)")


def nearly_named(survey: Survey) -> Iterator[Located]:
    """P105: a lone label and a lone photo whose names are one slip apart."""
    yield from _named(survey, "P105", "near", "the names are one slip apart")


def rename_label(where: str, survey: Survey) -> str | None:
    """Return the place of a label under the name of the photo it belongs to (P103, P104)."""
    for meant in _meant(survey):
        if meant.label == where and meant.by != "near":
            path = PurePosixPath(where)
            return str(path.with_name(_renamed(path.name, PurePosixPath(meant.photo.photo_where).stem)))
    return None


def shared_label(survey: Survey) -> Iterator[Located]:
    """P106: two photos that have one label file."""
    by_label: dict[str, list[Trace]] = defaultdict(list)
    for trace in survey.traces:
        if trace.label_where and PurePosixPath(trace.label_where).suffix.lower() in IMAGE_SUFFIXES:
            by_label[trace.label_where].append(trace)
    for label, (first, *others) in by_label.items():
        for other in others:
            finding = Finding(
                "P106",
                "warning",
                other.where,
                f"has the same label as {first.where}: {label}",
                "keep the photo that was annotated, or give each a label of its own",
            )
            yield Located(other.position, finding)


def colliding_names(survey: Survey) -> Iterator[Located]:
    """P107: two files that are one on a system which does not tell case or Unicode forms apart."""
    by_name: dict[str, Trace] = {}
    for trace in survey.traces:
        if not trace.photo_where:
            continue
        first = by_name.setdefault(_plain(trace.photo_where), trace)
        if first.photo_where != trace.photo_where:
            finding = Finding(
                "P107",
                "warning",
                trace.photo_where,
                f"on Windows and macOS this is the same name as {first.photo_where}: one would replace the other",
                "rename one of the two, and its label",
            )
            yield Located(trace.position, finding)


def _named(survey: Survey, code: str, by: str, why: str) -> Iterator[Located]:
    sure = by != "near"
    for meant in _meant(survey):
        if meant.by == by:
            finding = Finding(
                code,
                "error" if sure else "warning",
                meant.label,
                f"this label has no photo, and {meant.photo.photo_where} no label: {why}",
                "rename the label like its photo (--fix does)" if sure else "rename the label, if that photo is meant",
                sure,
            )
            yield Located(None, finding)


def _meant(survey: Survey) -> list[_Meant]:
    """Pair lone labels with lone photos by name; only where one photo and one label can be meant."""
    labels = [where for where in _lone_labels(survey) if "#" not in where]
    if not labels:
        return []
    photos = [trace for trace in survey.traces if not trace.label_where and trace.photo_where]
    found: list[_Meant] = []
    steps: tuple[tuple[Literal["case", "form"], Callable[[str], str]], ...] = (
        ("form", lambda name: unicodedata.normalize("NFC", name)),
        ("case", _plain),
    )
    for by, plain in steps:
        found += _matched(labels, photos, by, plain)
        taken, named = {meant.photo.position for meant in found}, {meant.label for meant in found}
        photos = [trace for trace in photos if trace.position not in taken]
        labels = [label for label in labels if label not in named]
    if len(labels) * len(photos) <= _LONGEST_COMPARED:
        found += _near(labels, photos)
    return found


def _lone_labels(survey: Survey) -> list[str]:
    """Return the labels without photo that a photo of nearly their name may belong to."""
    missing = (trace.label_where for trace in survey.traces if trace.missing)
    return [*survey.orphan_labels, *(missing if survey.format == _FOUND_BY_STEM else ())]


def _matched(
    labels: list[str], photos: list[Trace], by: Literal["case", "form"], plain: Callable[[str], str]
) -> list[_Meant]:
    by_stem: dict[str, list[Trace]] = defaultdict(list)
    for trace in photos:
        by_stem[plain(PurePosixPath(trace.photo_where).stem)].append(trace)
    stems: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        stems[plain(PurePosixPath(label).stem)].append(label)
    return [
        _Meant(claims[0], by_stem[stem][0], by)
        for stem, claims in stems.items()
        if len(claims) == 1 and len(by_stem.get(stem, ())) == 1
    ]


def _near(labels: list[str], photos: list[Trace]) -> list[_Meant]:
    found = []
    for label in labels:
        stem = _plain(PurePosixPath(label).stem)
        near = [trace for trace in photos if _is_slip(stem, _plain(PurePosixPath(trace.photo_where).stem))]
        if len(near) == 1:
            found.append(_Meant(label, near[0], "near"))
    claimed = [meant.photo.position for meant in found]
    return [meant for meant in found if claimed.count(meant.photo.position) == 1]


def _is_slip(one: str, other: str) -> bool:
    """Whether two stems are one slip apart, or the same but for leading zeros and the signs between words.

    A digit that differs makes another number, and no slip.
    """
    if _words(one) == _words(other):
        return True
    digits = ["".join(letter for letter in name if letter.isdigit()) for name in (one, other)]
    return digits[0] == digits[1] and min(len(one), len(other)) >= 4 and one_slip(one, other)


def _words(stem: str) -> tuple[str, ...]:
    spaced = "".join(letter if letter.isalnum() else " " for letter in stem)
    return tuple(word.lstrip("0") or "0" for word in spaced.split())


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _renamed(name: str, stem: str) -> str:
    return stem + PurePosixPath(name).suffix
