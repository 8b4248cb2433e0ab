"""The demonstration's story: survey, check, fix, plan, train, evaluate, predict, export; each step says what it did."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tessella.core.errors import OutputError
from tessella.core.extras import require
from tessella.demo.paint import paint
from tessella.demo.scene import compose
from tessella.demo.survey import Planted, encode_photo, write_survey
from tessella.files.write import MARKER, explain, mark, refuse_foreign, require_writable, write_bytes
from tessella.recipe.planning.limit import settle_limit
from tessella.recipe.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tessella._doors.train import Run
    from tessella.checking import Checked
    from tessella.evaluation import Report
    from tessella.recipe.plan import Plan
    from tessella.training.events import Progress

SCENES: Final = 72
MINUTES: Final = 1.75
"""Training minutes that keep the whole story below four minutes on two cores."""

_NEW_SCENES: Final = 3
_STEPS: Final = 9
_OWN: Final = frozenset(
    {
        MARKER, "photos", "fixed", "run", "new", "predicted",
        "model.onnx", "model.logits.onnx", "model.parity.json",
    }
)  # fmt: skip
"""What a demonstration leaves in its folder, and what the next one may remove."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What the demonstration leaves behind.

    Args:
        folder: Everything lies here.
        planted: The faults that were planted.
        missed: Planted faults that the check did not find.
        invented: Errors that the check found where nothing was planted, as "code file".
        run: The training run, with its scores.
        onnx: The exported model.
        predictions: Masks and overlays of photos that the model never saw.
        seconds: Wall-clock seconds from the first photo to the exported model.
    """

    folder: Path
    planted: tuple[Planted, ...]
    missed: tuple[Planted, ...]
    invented: tuple[str, ...]
    run: Run
    onnx: Path
    predictions: tuple[Path, ...]
    seconds: float


def run(
    out: str | Path = "tessella-demo",
    *,
    minutes: float = MINUTES,
    seed: int = 0,
    overwrite: bool = False,
    say: Callable[[str], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Demonstration:
    """Go the whole way on a data set that is drawn on the spot: nothing is downloaded.

    Args:
        out: The folder to make: `photos/`, `fixed/`, `run/`, `new/`, `predicted/`, `model.onnx`.
        minutes: Wall-clock minutes of training.
        seed: Another seed draws other scenes.
        overwrite: Replace what an earlier demonstration left in the folder; anything else in it is refused.
        say: Called with one line per step.
        progress: Called after every training step.

    Returns:
        What was made and found.

    Raises:
        RecipeError: Minutes that are no time.
        OutputError: The folder exists, holds something else, or cannot be written.
        MissingExtraError: torch or ONNX Runtime is not installed.
    """
    require("torch", "accelerate", needs="the demonstration", extra="all")
    require("onnx", "onnxscript", "onnxruntime", needs="the demonstration", extra="all")
    folder, say, began = Path(out), say or (lambda _: None), time.monotonic()
    settle_limit(Recipe(), minutes=minutes, epochs=None)  # refused before anything is drawn
    _make_room(folder, overwrite=overwrite)
    planted = _draw(folder, seed=seed, say=say)
    missed, invented = _check_and_fix(folder, planted, say=say)
    trained = _plan_and_train(folder, minutes=minutes, seed=seed, say=say, progress=progress)
    predictions = _predict(folder, seed=seed, say=say)
    onnx = _export(folder, say=say)
    seconds = time.monotonic() - began
    say(f"9/{_STEPS} report   open {trained.page} in a browser; all of this took {seconds:.0f} s")
    return Demonstration(folder, planted, missed, invented, trained, onnx, predictions, seconds)


def _make_room(folder: Path, *, overwrite: bool) -> None:
    """Make the folder, and remove what an earlier demonstration left in it.

    Raises:
        OutputError: The folder holds anything else, or cannot be written.
    """
    refuse_foreign(folder, overwrite=overwrite)
    require_writable(folder)
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    if foreign := [entry.name for entry in entries if entry.name not in _OWN]:
        raise OutputError(
            "the folder holds more than a demonstration left there, and nothing of it was removed",
            where=folder,
            got=", ".join(foreign[:5]),
            fix="choose another --out, or move these away",
        )
    try:
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    except OSError as error:
        raise explain(error, folder) from error
    mark(folder)


def _draw(folder: Path, *, seed: int, say: Callable[[str], None]) -> tuple[Planted, ...]:
    photos = folder / "photos"
    planted = write_survey(photos, scenes=SCENES, seed=seed)
    say(f"1/{_STEPS} survey   drew {SCENES} aerial photos with LabelMe files and planted {len(planted)} label faults")
    return planted


def _check_and_fix(
    folder: Path, planted: tuple[Planted, ...], *, say: Callable[[str], None]
) -> tuple[tuple[Planted, ...], tuple[str, ...]]:
    from tessella.checking import check, fix
    from tessella.dataset.index import open_dataset

    index = open_dataset(folder / "photos")
    checked = check(index)
    missed = tuple(fault for fault in planted if not _is_found(fault, checked))
    spoilt = {fault.where for fault in planted}
    invented = tuple(
        f"{finding.code} {finding.where}"
        for finding in checked.findings
        if finding.severity == "error" and not any(name in finding.where for name in spoilt)
    )
    errors = checked.counts["error"]
    say(
        f"2/{_STEPS} check    found {len(planted) - len(missed)} of {len(planted)} planted faults "
        f"({errors} errors in all, {len(invented)} invented): {', '.join(sorted({fault.code for fault in planted}))}"
    )
    fixed = fix(index, checked, folder / "fixed")
    say(
        f"3/{_STEPS} fix      wrote {folder / 'fixed'}: {len(fixed.changes)} changes, {len(fixed.left_out)} files left "
        f"out, {len(fixed.person)} things left to a person (changes.txt has each with its reason)"
    )
    return missed, invented


def _is_found(fault: Planted, checked: Checked) -> bool:
    return any(finding.code == fault.code and fault.where in finding.where for finding in checked.findings)


def _plan_and_train(
    folder: Path,
    *,
    minutes: float,
    seed: int,
    say: Callable[[str], None],
    progress: Callable[[Progress], None] | None,
) -> Run:
    from tessella._doors.models import plan as settle_plan
    from tessella._doors.train import train
    from tessella.dataset.index import open_dataset

    index = open_dataset(folder / "fixed", split_seed=seed)
    say(f"4/{_STEPS} plan     {_in_words(settle_plan(index, minutes=minutes, seed=seed))}")
    done = train(index, out=folder / "run", minutes=minutes, seed=seed, progress=progress)
    say(
        f"5/{_STEPS} train    {done.steps} steps on {done.plan.splits.train_samples} photos in "
        f"{done.training_seconds / 60:.1f} min; sealed {done.bundle}"
    )
    report = done.reports["val"]
    best, worst = _ends(report)
    say(
        f"6/{_STEPS} evaluate mIoU {report.miou:.3f} on {len(report.rows)} photos it was not trained on "
        f"(best {best}, worst {worst})"
    )
    return done


def _in_words(plan: Plan) -> str:
    height, width = plan.augment.crop_hw
    memory = plan.expected.memory_bytes / 2**30
    return (
        f"{plan.model.name} on crops of {width}x{height}, batch {plan.training.batch}, {plan.training.precision}; "
        f"expected: {plan.training.steps} steps in {plan.expected.seconds / 60:.1f} min, {memory:.1f} GiB"
    )


def _ends(report: Report) -> tuple[str, str]:
    pairs = zip(report.scores.iou.tolist(), report.scores.table.names, strict=True)
    scored = sorted((iou, name) for iou, name in pairs if not math.isnan(iou))
    return f"{scored[-1][1]} {scored[-1][0]:.2f}", f"{scored[0][1]} {scored[0][0]:.2f}"


def _predict(folder: Path, *, seed: int, say: Callable[[str], None]) -> tuple[Path, ...]:
    from tessella.predict.folder import predict_files
    from tessella.predict.load import load

    for number in range(_NEW_SCENES):
        scene = compose(seed * 100_003 + SCENES + number, hw=(400, 520))
        write_bytes(folder / "new" / f"new_{number}.jpg", encode_photo(paint(scene)))
    done = predict_files(load(folder / "run" / "bundle"), [folder / "new"], folder / "predicted", overlay=True)
    say(f"7/{_STEPS} predict  {_NEW_SCENES} new photos of another size; overlays in {folder / 'predicted'}")
    return tuple(done.written)


def _export(folder: Path, *, say: Callable[[str], None]) -> Path:
    from tessella.exporting.door import export

    done = export(folder / "run" / "bundle", out=folder / "model.onnx")
    say(
        f"8/{_STEPS} export   {done.path}: photo in, ids out, any size; "
        f"{done.parity.argmax_agreement:.4%} of pixels as the bundle on {done.parity.images} real photos"
    )
    return done.path
