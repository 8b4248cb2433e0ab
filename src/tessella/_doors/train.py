"""The door for training: check, plan, train, score, seal, report; the whole way from a folder to a bundle."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tessella._doors.models import plan as settle_plan
from tessella._doors.request import refuse_other_request, settle_request
from tessella.checking import check
from tessella.core.errors import InputError
from tessella.core.extras import require
from tessella.core.finding import SEVERITIES
from tessella.core.sample import Sample
from tessella.core.wording import counted
from tessella.dataset.index import Index, open_dataset
from tessella.dataset.lock import verify_locks
from tessella.evaluation import Report, evaluate
from tessella.files.archives import is_archive
from tessella.files.hashes import sha256_file
from tessella.files.write import refuse_existing, refuse_nesting, require_writable
from tessella.predict.bands import fit_bands
from tessella.recipe.opening import Reading, open_to_resume, reading_of
from tessella.report import environment, write_report
from tessella.training import prepare_process
from tessella.training.folder import BUNDLE, stored_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tessella.checking import Checked
    from tessella.core.classes import LabelCoding
    from tessella.recipe.plan import Plan
    from tessella.recipe.recipe import Recipe
    from tessella.training.events import Progress
    from tessella.training.run import Trained

_PARITY_PHOTOS: Final = 8


@dataclass(frozen=True, slots=True)
class Run:
    """What `train` leaves behind.

    Args:
        folder: The run's folder.
        bundle: The sealed bundle in it.
        page: The report to look at.
        plan: What was run.
        reports: One report per split that was scored: `val`, and `test` where the data set has one.
        steps: Optimiser steps done; under a time limit not those that the plan expected.
        training_seconds: Wall-clock seconds from the start to the last step.
        scoring_seconds: Wall-clock seconds of the final scoring.
        sealing_seconds: Wall-clock seconds of writing and proving the bundle, and of the report.
        broken: Training photos that could not be read.
    """

    folder: Path
    bundle: Path
    page: Path
    plan: Plan
    reports: Mapping[str, Report]
    steps: int
    training_seconds: float
    scoring_seconds: float
    sealing_seconds: float
    broken: tuple[str, ...]

    def summary(self) -> str:
        """Say in a few lines what came out and where to look."""
        lines = [
            f"mIoU {report.miou:.4f} on {len(report.rows)} photos ({split})" for split, report in self.reports.items()
        ]
        lines.append(
            f"{self.steps} steps in {self.training_seconds / 60:.1f} min, scored in {self.scoring_seconds:.0f} s, "
            f"sealed and reported in {self.sealing_seconds:.0f} s"
        )
        if self.broken:
            lines.append(f"{counted(len(self.broken), 'photo')} could not be read: {', '.join(self.broken[:3])}")
        return "\n".join([*lines, f"bundle  {self.bundle}", f"report  {self.page}"])

    def to_json(self) -> dict[str, object]:
        """Return the headline figures as plain JSON data."""
        return {
            "folder": str(self.folder),
            "bundle": str(self.bundle),
            "report": str(self.page),
            "steps": self.steps,
            "training_seconds": round(self.training_seconds, 1),
            "scoring_seconds": round(self.scoring_seconds, 1),
            "sealing_seconds": round(self.sealing_seconds, 1),
            "miou": {split: report.scores.to_json()["miou"] for split, report in self.reports.items()},
            "broken": list(self.broken),
        }


def train(
    data: Index | str | Path,
    *,
    out: str | Path,
    minutes: float | None = None,
    epochs: float | None = None,
    recipe: Recipe | str | Path | None = None,
    preset: str | None = None,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | str | Path | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    max_pixels: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
    scoring: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Train a data set: check it, settle a plan, train, score, seal the bundle, write the report.

    `minutes` counts from this call to the last training step, with checking and planning; the final scoring comes
    after it and is announced.

    Args:
        data: An annotated folder, or an index.
        out: The run's folder: `bundle/`, `report.html`, `report.json`, `metrics.jsonl`, `tensorboard/`.
        minutes: Wall-clock minutes of training.
        epochs: Passes over the training photos, instead of minutes.
        recipe: A recipe or its TOML file.
        preset: `general`, `driving`, `satellite`, `medical`, `cell` or `industrial`.
        overrides: Single settings as `key=value`; they win over recipe and preset.
        seed: Seeds weights, crops, order and the split where the data set has none.
        format: The format's name, or None to detect it.
        classes: A class table or class file, or None to take what the data set says.
        photos: A further folder where photos may lie, or None.
        options: What is asked of the format, such as `{"annotator": "majority"}`, as for `tessella.open`.
        max_pixels: Most pixels of a photo or mask, as for `tessella.open`.
        resume: Go on from the newest intact checkpoint in `out`, with the plan that lies there. Settings given beside
            it must be those of that run. Without a time limit the result is the same bits as of a run that was never
            interrupted; under `minutes` it is not, for the clock drives the learning rate.
        overwrite: Replace an existing run; it is kept until the new one is ready to start.
        progress: Called after every training step.
        scoring: Called with (photos scored, photos in all) during the final scoring.
        say: Called with sentences for people.

    Returns:
        The run.

    Raises:
        RecipeError: An unknown key, two limits, a setting that does not fit, or another one than that of the run to be
            resumed.
        InputError: The data set cannot be used, is locked and changed since, or the weights are absent and cannot be
            fetched.
        TrainingError: A loss that is not finite, too many broken photos, or nothing to resume from.
        OutputError: The folder exists, or cannot be written.
        MissingExtraError: torch is not installed.
    """
    began = time.monotonic()
    out = Path(out)
    say = say or (lambda _: None)
    require("torch", "accelerate", needs="training", extra="train")
    prepare_process()
    request: dict[str, Any] = {"preset": preset, "overrides": overrides, "minutes": minutes, "epochs": epochs}
    reading: Reading = {
        "format": format,
        "classes": classes,
        "photos": photos,
        "options": options,
        "max_pixels": max_pixels,
    }
    if resume:
        plan = stored_plan(out)
        refuse_other_request(plan, recipe, seed=seed, **request)
        require_writable(out)
        index = open_to_resume(data, plan, **reading)
        origin = _origin(data, index) | verify_locks(index.root, index.listing.photos)
        checked = _checked(index, say)
    else:
        refuse_existing(out, overwrite=overwrite)
        asked = settle_request(recipe, **request)  # refused before anything is read
        require_writable(out)
        split_seed = (asked.seed if seed is None else seed) or 0
        index = data if isinstance(data, Index) else open_dataset(data, split_seed=split_seed, **reading)
        refuse_nesting(index.root, out)
        origin = _origin(data, index) | verify_locks(index.root, index.listing.photos)
        checked = _checked(index, say)
        plan = settle_plan(index, minutes=minutes, epochs=epochs, recipe=asked, seed=seed)
    from tessella.training.run import run

    trained = run(
        index.split("train"),
        index.split("val") if "val" in index.split_names else None,
        plan=plan,
        out=out,
        resume=resume,
        spent_seconds=time.monotonic() - began,
        progress=progress,
        say=say,
    )
    return _finish(index, plan, trained, checked=checked, origin=origin, out=out, scoring=scoring)


def _finish(
    index: Index,
    plan: Plan,
    trained: Trained,
    *,
    checked: Checked,
    origin: Mapping[str, str],
    out: Path,
    scoring: Callable[[int, int], None] | None,
) -> Run:
    from tessella.bundle.writing import write_bundle
    from tessella.predict.load import load

    started = time.monotonic()
    arrays = {name: tensor.numpy() for name, tensor in trained.state.items()}
    reports = _score(index, plan, arrays, out=out, scoring=scoring)
    scored = time.monotonic()
    held_out = index.split(next(iter(reports), "train")).labelled()
    bundle = write_bundle(
        out / BUNDLE,
        plan=plan,
        state=arrays,
        scores=_scores(reports),
        provenance={
            **environment(seed=plan.seed),
            **origin,
            "training_seconds": round(trained.seconds, 1),
            "steps": trained.steps,
        },
        probe_image=next(_readable(held_out, plan)).image,
        parity=islice(_readable(held_out, plan), _PARITY_PHOTOS),
        overwrite=True,
    )
    for place, (name, report) in enumerate(reports.items()):
        write_report(
            report,
            out / name if place else out,
            checked=checked,
            history=trained.history,
            plan=plan,
            environment=environment(seed=plan.seed, bundle_sha256=bundle.digest),
            overwrite=True,
        )
    load(bundle.path)  # opening replays the probe: what was sealed is what was scored
    return Run(
        folder=out,
        bundle=bundle.path,
        page=out / "report.html",
        plan=plan,
        reports=reports,
        steps=trained.steps,
        training_seconds=trained.seconds,
        scoring_seconds=scored - started,
        sealing_seconds=time.monotonic() - scored,
        broken=trained.broken,
    )


def _score(
    index: Index,
    plan: Plan,
    arrays: Mapping[str, NDArray[Any]],
    *,
    out: Path,
    scoring: Callable[[int, int], None] | None,
) -> dict[str, Report]:
    """Score the network as it will be sealed on every split that is held out and has labels, `val` first."""
    import torch

    from tessella.bundle.network import build
    from tessella.predict.load import wrap

    device = "cuda" if torch.cuda.is_available() else "cpu"
    unsealed = wrap(build(plan, arrays, where=out).to(device), plan)
    splits = [name for name in ("val", "test") if name in index.split_names and len(index.split(name).labelled())]
    return {name: evaluate(unsealed, index.split(name), split=name, progress=scoring) for name in splits}


def _origin(data: Index | str | Path, index: Index) -> dict[str, str]:
    """Say what is trained on, and how it was read: names alone, for a bundle travels; of an archive also its hash.

    It is asked as soon as the data are open: after training an archive may be another one, or gone.
    """
    place = index.root if isinstance(data, Index) else Path(data)
    reading = reading_of(index)
    asked = ", ".join(f"{name}={said}" for name, said in sorted(reading.options.items()))
    told = {"data": place.resolve().name, "format": reading.format, "options": asked, "photos": reading.photos}
    if place.is_file() and is_archive(place):
        told["data_sha256"] = sha256_file(place)
    return {name: said for name, said in told.items() if said}


def _scores(reports: Mapping[str, Report]) -> dict[str, Any]:
    """Gather what the bundle keeps: the scores of the first split, and of the others under their names."""
    kept: dict[str, Any] = {}
    for name, report in reports.items():
        scores = report.scores.to_json() | {"split": name}
        kept |= {name: scores} if kept else scores
    return kept


def _readable(index: Index, plan: Plan) -> Iterator[Sample]:
    """Yield the samples that can be read, with the bands of the network; the first few from all over the data set.

    A photo that broke during a long training must not keep its network from being sealed.
    """
    few = min(_PARITY_PHOTOS, len(index))
    spread = [place * len(index) // few for place in range(few)]
    for position in dict.fromkeys([*spread, *range(len(index))]):
        try:
            sample = index[position]
            image = fit_bands(sample.image, plan.preprocess, where=sample.name)
        except InputError:
            continue
        yield Sample(image, sample.labels, sample.name)


def _checked(index: Index, say: Callable[[str], None]) -> Checked:
    """Check the data set, and say how it was read, which classes were found, and how many findings there are."""
    say("; ".join(filter(None, (*index.listing.notes, index.left_out_note))))
    if index.listing.discovered:
        say(f"{len(index.table)} classes: {', '.join(index.table.names)}")
    checked = check(index)
    say(_summary(checked))
    return checked


def _summary(checked: Checked) -> str:
    counts = checked.counts
    if not checked.findings:
        return "check: no findings"
    told = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
    return f"check: {told}; `tessella check` lists them, and so does the report"
