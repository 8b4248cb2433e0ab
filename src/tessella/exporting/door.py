"""Export: a sealed bundle to a runtime model that was proved against it before it was written."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella._version import __version__
from tessella.bundle.opening import open_bundle
from tessella.bundle.probe import centre_crop
from tessella.core.errors import LabelError, RecipeError
from tessella.core.extras import require
from tessella.core.image import Image
from tessella.core.labelmap import LabelMap
from tessella.core.sample import Sample
from tessella.exporting.parity import Parity, measure
from tessella.files.write import atomic_path, refuse_existing
from tessella.predict.bands import fit_bands
from tessella.predict.runtime_onnx import LOGITS_SUFFIX, OnnxSession
from tessella.recipe.opening import Reading, open_as_trained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Unpack

    from tessella.bundle.opening import Bundle
    from tessella.core.classes import LabelCoding
    from tessella.exporting.onnx import OnnxFiles

RUNTIMES: Final = ("onnx",)
PRECISIONS: Final = ("fp32",)
PHOTOS: Final = 8
"""Photos that parity is measured on."""

_MAX_PIXELS: Final = 1_000_000
"""Larger parity photos are cut to their middle: parity is about arithmetic, not about size."""


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported.

    Args:
        runtime: Such as `onnx`.
        precision: Such as `fp32`.
        path: The file that gives class ids.
        logits_path: The file that gives logits.
        parity: How near it is to the bundle.
    """

    runtime: str
    precision: str
    path: Path
    logits_path: Path
    parity: Parity

    def to_json(self) -> dict[str, object]:
        """Return the document of `export --json`."""
        return {
            "runtime": self.runtime,
            "precision": self.precision,
            "path": str(self.path),
            "logits_path": str(self.logits_path),
            "parity": self.parity.to_json(),
            "ok": True,
        }


def export(  # noqa: PLR0913 - one keyword per flag of the command, as in `_doors`
    bundle: str | Path,
    *,
    out: str | Path,
    to: str = "onnx",
    precision: str = "fp32",
    data: str | Path | None = None,
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | str | Path | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    max_pixels: int | None = None,
    overwrite: bool = False,
) -> Export:
    """Export a bundle and prove the result.

    Three files are written side by side, all or none: `NAME.onnx` (raw photos to class ids), `NAME.logits.onnx` (raw
    photos to logits, for tiling and confidence) and `NAME.parity.json`.

    Args:
        bundle: The bundle folder.
        out: Path of the first file; ends in `.onnx`.
        to: The runtime.
        precision: The arithmetic.
        data: An annotated data set whose validation photos parity is measured on. Without it: the validation photos in
            the bundle, or its probe when there are none.
        format: The format of `data`, or None to detect it.
        classes: A class table or class file of `data`, or None to take what it says.
        photos: A further folder where photos of `data` may lie, or None.
        options: What is asked of the format, as for `tessella.open`; None: what was asked of it for training.
        max_pixels: Most pixels of a photo or mask of `data`, as for `tessella.open`.
        overwrite: Replace files that exist.

    Returns:
        Paths and parity.

    Raises:
        RecipeError: An unknown runtime or precision, or another suffix.
        OutputError: A file exists already, or cannot be written.
        BundleError: The bundle is damaged.
        ParityError: The exported model answers otherwise than the bundle; nothing was written.
        MissingExtraError: torch, onnx, onnxscript or onnxruntime is not installed.
    """
    path = Path(out)
    _check_request(to, precision, path)
    paths = (path, path.with_suffix(LOGITS_SUFFIX), path.with_suffix(".parity.json"))
    for each in paths:
        refuse_existing(each, overwrite=overwrite)
    opened = open_bundle(bundle)
    require("torch", needs="export", extra="train")
    require("onnx", "onnxscript", "onnxruntime", needs="export to ONNX", extra="onnx")
    reading: Reading = {
        "format": format,
        "classes": classes,
        "photos": photos,
        "options": options,
        "max_pixels": max_pixels,
    }
    samples = _samples(opened, None if data is None else Path(data), reading)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see predict.load
    from tessella.exporting.onnx import export_onnx

    files = export_onnx(opened, precision=precision)
    parity = _prove(opened, files, samples)
    result = Export(to, precision, path, paths[1], parity)
    report = result.to_json() | {"tessella": __version__, "bundle": opened.digest}
    contents = (files.ids, files.logits, (json.dumps(report, indent=2) + "\n").encode())
    with ExitStack() as stack:
        for each, content in zip(paths, contents, strict=True):
            stack.enter_context(atomic_path(each)).write_bytes(content)
    return result


def _check_request(to: str, precision: str, path: Path) -> None:
    if to not in RUNTIMES:
        raise RecipeError("no such runtime", where="--to", got=to, expected=" or ".join(RUNTIMES))
    if precision not in PRECISIONS:
        raise RecipeError("no such precision", where="--precision", got=precision, expected=" or ".join(PRECISIONS))
    if path.suffix.lower() != ".onnx" or path.name.lower().endswith(LOGITS_SUFFIX):
        raise RecipeError("the file needs another name", where="--out", got=path, expected="NAME.onnx")


def _prove(bundle: Bundle, files: OnnxFiles, samples: list[Sample]) -> Parity:
    from tessella.predict.runtime_torch import TorchRuntime

    return measure(
        samples,
        bundle.table,
        # the CPU, because the exported file is run there too
        bundle=TorchRuntime.of_bundle(bundle, device="cpu"),
        ids=OnnxSession(files.ids, where="the exported model"),
        logits=OnnxSession(files.logits, where="the exported model"),
    )


def _samples(bundle: Bundle, data: Path | None, reading: Reading) -> list[Sample]:
    """Choose the parity photos: from the data set, from the bundle, or the probe."""
    if data is not None:
        samples = list(_from_data(bundle, data, **reading))
    else:
        samples = list(bundle.parity_samples()) or [Sample(Image(bundle.probe().pixels), None, "probe")]
    preprocess = bundle.plan.preprocess
    return [
        Sample(fit_bands(sample.image, preprocess, where=sample.name), sample.labels, sample.name)
        for sample in map(_small, samples)
    ]


def _from_data(bundle: Bundle, data: Path, **reading: Unpack[Reading]) -> Iterator[Sample]:
    index = open_as_trained(data, bundle.plan, **reading)
    if index.table.names != bundle.table.names:
        raise LabelError(
            "the data set has other classes than the bundle",
            where=data,
            got=", ".join(index.table.names),
            expected=", ".join(bundle.table.names),
            fix="give the data set it was trained on, or a class file with --classes",
        )
    part = (index.split("val") if "val" in index.split_names else index).labelled()
    if not len(part):
        raise LabelError("the data set has no labelled photo", where=data)
    # spread over the split: neighbours are frames of one video
    for position in sorted({int(place) for place in np.linspace(0, len(part) - 1, PHOTOS)}):
        yield part[position]


def _small(sample: Sample) -> Sample:
    """Cut a large photo and its labels to their middle."""
    height, width = sample.image.hw
    if height * width <= _MAX_PIXELS:
        return sample
    side = int(_MAX_PIXELS**0.5)
    image = Image(centre_crop(sample.image.pixels, (side, side)), sample.image.bands)
    labels = sample.labels and LabelMap(centre_crop(sample.labels.ids, (side, side)), sample.labels.table)
    return Sample(image, labels, sample.name)
