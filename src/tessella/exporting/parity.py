"""Parity: an exported model must answer as its bundle does, on real photos, at two sizes and in a batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from tessella.core.classes import IGNORE
from tessella.core.errors import BundleError, ParityError
from tessella.metrics import confusion, score
from tessella.predict.decide import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tessella.core.classes import ClassTable
    from tessella.core.image import Pixels
    from tessella.core.labelmap import Ids
    from tessella.core.sample import Sample

MIN_AGREEMENT: Final = 0.9999
MAX_LOGIT_SHARE: Final = 1e-3
"""Largest difference of a logit, as a share of the span of the bundle's logits."""

MAX_MIOU_DELTA: Final = 1e-3


class Exported(Protocol):
    """Runs one exported file."""

    def run(self, photos: NDArray[Any]) -> NDArray[Any]:
        """Run (B, H, W, C) photos of one size."""
        ...


class Reference(Protocol):
    """Runs the bundle."""

    def logits(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Run (B, C, H, W) photos of one size."""
        ...


@dataclass(frozen=True, slots=True)
class Parity:
    """How near an exported model is to its bundle.

    Args:
        images: Photos compared, each at two sizes.
        argmax_agreement: Share of all pixels with the same class id.
        max_abs_logit: Largest difference of a logit.
        miou_delta: mIoU of the exported model minus mIoU of the bundle, against the truth of the photos; where they
            have none, against what the bundle predicts.
    """

    images: int
    argmax_agreement: float
    max_abs_logit: float
    miou_delta: float

    def to_json(self) -> dict[str, float]:
        """Return the value of `parity` in `export --json`."""
        return asdict(self)


@dataclass(slots=True)
class _Sums:
    """Integer counts over all photos, divided once at the end."""

    classes: int
    same: int = 0
    pixels: int = 0
    difference: float = 0.0
    lowest: float = np.inf
    highest: float = -np.inf
    bundle: NDArray[np.int64] = field(init=False)
    exported: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.bundle = np.zeros((self.classes, self.classes), np.int64)
        self.exported = np.zeros((self.classes, self.classes), np.int64)


def measure(
    samples: Sequence[Sample], table: ClassTable, *, bundle: Reference, ids: Exported, logits: Exported
) -> Parity:
    """Compare both exported files with the bundle.

    Args:
        samples: Real photos with the bands of the network, at least one.
        table: The classes.
        bundle: The network itself.
        ids: The file that gives class ids.
        logits: The file that gives logits.

    Returns:
        The figures, when they are good enough.

    Raises:
        ParityError: They are not.
    """
    sums = _Sums(len(table))
    for sample in samples:
        pixels = sample.image.pixels
        [(expected, decided)] = _compare(pixels[None], sums, bundle=bundle, ids=ids, logits=logits)
        truth = expected if sample.labels is None or _is_empty(sample.labels.ids) else sample.labels.ids
        sums.bundle += confusion(truth, expected, classes=len(table))
        sums.exported += confusion(truth, decided, classes=len(table))
        second = _second_size(pixels)
        _compare(np.stack([second, second[::-1]]), sums, bundle=bundle, ids=ids, logits=logits)
    parity = Parity(
        images=len(samples),
        argmax_agreement=sums.same / sums.pixels,
        max_abs_logit=sums.difference,
        miou_delta=_miou(sums.exported, table) - _miou(sums.bundle, table),
    )
    _judge(parity, span=sums.highest - sums.lowest)
    return parity


def _compare(
    photos: NDArray[Any], sums: _Sums, *, bundle: Reference, ids: Exported, logits: Exported
) -> list[tuple[Ids, Ids]]:
    """Add the comparison of photos of one size; returns what bundle and exported model say of each."""
    answers, decided = _run(logits, photos), _run(ids, photos)
    said: list[tuple[Ids, Ids]] = []
    for photo, answer, guess in zip(photos, answers, decided, strict=True):
        own = bundle.logits(np.moveaxis(photo, 2, 0)[None])[0]
        expected = decide(own, where="a parity photo")
        said.append((expected, guess))
        # np.maximum keeps a NaN, max() may drop it
        sums.difference = float(np.maximum(sums.difference, np.abs(answer - own).max()))
        sums.lowest, sums.highest = min(sums.lowest, float(own.min())), max(sums.highest, float(own.max()))
        sums.same += int((guess == expected).sum())
        sums.pixels += guess.size
    return said


def _run(exported: Exported, photos: NDArray[Any]) -> NDArray[Any]:
    try:
        return exported.run(photos)
    except BundleError as error:
        raise ParityError(
            f"the exported model does not run; nothing was written ({error.what})",
            got=f"photos {photos.shape}",
            fix="choose another network, or use the bundle itself",
        ) from error


def _second_size(pixels: Pixels) -> NDArray[Any]:
    """Cut about three quarters of a photo, to odd numbers of rows and columns."""
    height, width = (max(side * 3 // 4, 1) | 1 for side in pixels.shape[:2])
    part: NDArray[Any] = pixels[: min(height, pixels.shape[0]), : min(width, pixels.shape[1])]
    return part


def _is_empty(ids: Ids) -> bool:
    return bool((ids == IGNORE).all())


def _miou(counts: NDArray[np.int64], table: ClassTable) -> float:
    return float(score(counts, table, images=1).miou)


def _judge(parity: Parity, *, span: float) -> None:
    allowed = MAX_LOGIT_SHARE * max(span, 1e-6)
    # each written so that NaN fails
    if not parity.argmax_agreement >= MIN_AGREEMENT:
        _refuse(
            "class ids agree", got=f"{parity.argmax_agreement:.6f} of the pixels", expected=f"at least {MIN_AGREEMENT}"
        )
    if not parity.max_abs_logit <= allowed:
        _refuse("logits agree", got=f"a difference of {parity.max_abs_logit:.3g}", expected=f"at most {allowed:.3g}")
    if not abs(parity.miou_delta) <= MAX_MIOU_DELTA:
        _refuse("scores agree", got=f"mIoU {parity.miou_delta:+.4f}", expected=f"within {MAX_MIOU_DELTA}")


def _refuse(what: str, *, got: str, expected: str) -> None:
    raise ParityError(
        f"the exported model does not answer as the bundle does ({what}: no); nothing was written",
        got=got,
        expected=expected,
        fix="report it with the plan.json of the bundle; the bundle itself is not affected",
    )
