"""Two folders of masks, made by anyone: paired by name, read through one class table, scored like a model."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tessella._version import __version__
from tessella.core.classes import IGNORE, LabelCoding
from tessella.core.errors import InputError, LabelError
from tessella.evaluation.examples import choose, shrink
from tessella.evaluation.report import Report
from tessella.evaluation.tally import Tally
from tessella.files.masks import read_mask
from tessella.files.paths import IMAGE_SUFFIXES, require_folder, walk
from tessella.formats.raster.labels import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tessella.core.annotation import StoredMask
    from tessella.core.classes import ClassTable
    from tessella.core.labelmap import Ids

_LOSSY: Final = frozenset({".jpg", ".jpeg"})
_SHOWN: Final = 5


class MaskPair(NamedTuple):
    """A true mask and the prediction of the same photo; `name` is the true mask's path without suffix."""

    name: str
    truth: Path
    guess: Path


def score_folders(
    pred_dir: Path,
    truth_dir: Path,
    coding: LabelCoding,
    *,
    max_pixels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    examples: int = 2,
) -> Report:
    """Score predicted masks against true masks; needs no torch.

    Masks are paired by path without suffix, else by file name alone where that is unique. Both sides are read through
    `coding`, except that masks which carry Tessella's own palette (`tessella predict` writes it) hold class ids. A true
    class where the prediction says ignore counts as missed. Nothing is resized.

    Args:
        pred_dir: Folder of predicted masks.
        truth_dir: Folder of true masks.
        coding: What the stored values or colours mean.
        max_pixels: Most pixels of a mask that is read; by default 300 megapixels, for TIFF 2 gigapixels.
        progress: Called with (masks done, masks in all).
        examples: How many of the best, the median and the worst to keep for the page.

    Returns:
        The report.

    Raises:
        InputError: A folder that is missing, empty or the same twice; a true mask without prediction, or with several;
            a mask that cannot be read.
        LabelError: Stored values or colours without a class, or a pair of different size.
    """
    pairs, spare = pair_masks(pred_dir, truth_dir)
    tally = Tally(coding.table)
    for done, pair in enumerate(pairs, start=1):
        truth, guess = _read(pair, coding, max_pixels)
        tally.add(pair.name, truth=truth, guess=guess)
        if progress is not None:
            progress(done, len(pairs))
    shown = []
    for row, rank in choose(tally.rows, each=examples):
        truth, guess = _read(pairs[row], coding, max_pixels)
        shown.append(shrink(pairs[row].name, rank, photo=None, truth=truth, guess=guess))
    notes = [f"Predicted masks without a true mask, which are in no score: {len(spare)} ({_some(spare)})."]
    return Report(
        scores=tally.scores,
        rows=tally.rows,
        notes=(*(notes if spare else ()), *tally.notes),
        provenance={"tessella": __version__, "predictions": str(pred_dir), "truth": str(truth_dir)},
        examples=tuple(shown),
    )


def pair_masks(pred_dir: Path, truth_dir: Path) -> tuple[list[MaskPair], list[str]]:
    """Pair the masks of two folders.

    Args:
        pred_dir: Folder of predicted masks.
        truth_dir: Folder of true masks.

    Returns:
        A pair for every true mask, and the names of predictions that no true mask asks for.

    Raises:
        InputError: As `score_folders`.
    """
    guesses, truths = _masks(pred_dir), _masks(truth_dir)
    if pred_dir.resolve() == truth_dir.resolve():
        raise InputError("predictions and truth are the same folder, which would score 1", where=pred_dir)
    by_stem: defaultdict[str, list[str]] = defaultdict(list)
    for name in guesses:
        by_stem[name.rpartition("/")[2]].append(name)
    stems = [name.rpartition("/")[2] for name in truths]
    times = Counter(stems)
    partner: dict[str, str] = {}
    for name, stem in zip(truths, stems, strict=True):
        if name in guesses:
            partner[name] = name
        elif len(by_stem[stem]) == 1 and times[stem] == 1:
            partner[name] = by_stem[stem][0]
    if missing := [name for name in truths if name not in partner]:
        raise InputError(
            f"{len(missing)} of {len(truths)} true masks have no prediction: {_some(missing)}",
            where=pred_dir,
            got=f"predictions named {_some(sorted(guesses))}",
            expected="a predicted mask of the same path without suffix for every true mask",
            fix="predict the missing photos, or score the folder of those that were meant",
        )
    used = set(partner.values())
    pairs = [MaskPair(name, truths[name], guesses[partner[name]]) for name in truths]
    return pairs, sorted(name for name in guesses if name not in used)


def _masks(folder: Path) -> dict[str, Path]:
    """List masks by path without suffix. JPEG photos that lie beside lossless masks are not masks."""
    paths = walk(require_folder(folder), IMAGE_SUFFIXES)
    lossless = [path for path in paths if path.suffix.lower() not in _LOSSY]
    masks: dict[str, Path] = {}
    for path in lossless or paths:
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in masks:
            raise InputError(
                "two masks have the same name", where=folder, got=f"{masks[name].name} and {path.name}", fix="keep one"
            )
        masks[name] = path
    if not masks:
        raise InputError("there are no masks in this folder", where=folder, expected="PNG, TIFF, BMP or GIF files")
    return masks


def _read(pair: MaskPair, coding: LabelCoding, max_pixels: int | None) -> tuple[Ids, Ids]:
    truth, guess = (read_mask(path, max_pixels=max_pixels) for path in (pair.truth, pair.guess))
    if truth.hw != guess.hw or truth.orientation != guess.orientation:
        raise LabelError(
            "the predicted mask has another size than the true one",
            where=pair.guess,
            got=_size(guess),
            expected=_size(truth),
            fix="predict at the photo's own size: scores of resized masks are other scores",
        )
    guess_coding = _as_ids(coding.table) if _is_our_own(guess, coding.table) else coding
    return resolve(truth, coding, where=pair.truth).ids, resolve(guess, guess_coding, where=pair.guess).ids


def _is_our_own(mask: StoredMask, table: ClassTable) -> bool:
    return mask.palette is not None and np.array_equal(mask.palette, table.palette())


def _as_ids(table: ClassTable) -> LabelCoding:
    return LabelCoding(table, ignore_values=(IGNORE,))


def _size(mask: StoredMask) -> str:
    turned = f", EXIF orientation {mask.orientation}" if mask.orientation != 1 else ""
    return "{}x{} (width x height){}".format(*reversed(mask.hw), turned)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
