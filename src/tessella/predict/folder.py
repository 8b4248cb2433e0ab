"""Many photos: files and folders streamed one by one; a bad file is reported at the end and stops nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

import numpy as np

from tessella.core.errors import InputError, OutputError
from tessella.core.prediction import blend
from tessella.files.images import read_image
from tessella.files.masks import write_mask, write_picture
from tessella.files.paths import IMAGE_SUFFIXES, walk
from tessella.files.write import require_writable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tessella.predict.predictor import Predictor

OVERLAY: Final = "-overlay"
CONFIDENCE: Final = "-confidence"


@dataclass(frozen=True, slots=True)
class Failure:
    """One photo that could not be predicted: its path, and the whole message."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """What became of many photos.

    Args:
        written: The id masks, in order.
        failed: The photos that could not be predicted.
    """

    written: tuple[Path, ...]
    failed: tuple[Failure, ...]

    def to_json(self) -> dict[str, object]:
        """Return `{"written": [...], "failed": [{"where", "what"}]}`."""
        return {
            "written": [path.as_posix() for path in self.written],
            "failed": [{"where": failure.where, "what": failure.what} for failure in self.failed],
        }


def predict_files(
    predictor: Predictor,
    inputs: Sequence[Path],
    out: Path,
    *,
    overlay: bool = False,
    confidence: bool = False,
    overwrite: bool = False,
    max_pixels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predicted:
    """Predict files and folders.

    Every photo gives `<stem>.png`, a palette PNG of exactly the photo's size whose pixel value is the class id. Photos
    of a folder keep their place in it.

    Args:
        predictor: A loaded model.
        inputs: Photos, and folders that are walked for photos.
        out: The folder to write into.
        overlay: Also write `<stem>-overlay.png`: the class colours half over the photo.
        confidence: Also write `<stem>-confidence.png`: 8-bit grey, value / 255 = probability of the predicted class.
        overwrite: Replace files that exist.
        max_pixels: Refuse larger photos before they are decoded; by default 300 megapixels, for TIFF 2 gigapixels.
        progress: Called with (done, total) after every photo.

    Returns:
        What was written, and what failed.

    Raises:
        InputError: An input does not exist, a folder holds no photo, or two photos would write the same file.
        OutputError: A result exists already, or cannot be written.
    """
    from PIL import Image as Pillow

    require_writable(out)
    suffixes = ["", *([OVERLAY] if overlay else []), *([CONFIDENCE] if confidence else [])]
    jobs = _jobs(inputs, out)
    _refuse_clashes(jobs, suffixes, overwrite=overwrite)
    written: list[Path] = []
    failed: list[Failure] = []
    for done, (source, stem) in enumerate(jobs, start=1):
        try:
            image = read_image(source, max_pixels=max_pixels)
            sure = np.empty(image.hw, np.uint8) if confidence else None
            labels = predictor.fill(image, where=source, confidence=sure)
        except InputError as error:
            failed.append(Failure(source.as_posix(), str(error)))
        else:
            write_mask(_beside(stem, ""), labels)
            if sure is not None:
                write_picture(_beside(stem, CONFIDENCE), Pillow.fromarray(sure))
            if overlay:
                write_picture(_beside(stem, OVERLAY), blend(image, labels))
            written.append(_beside(stem, ""))
        if progress is not None:
            progress(done, len(jobs))
    return Predicted(tuple(written), tuple(failed))


def _jobs(inputs: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Pair every photo with its output path without suffix."""
    jobs: list[tuple[Path, Path]] = []
    for given in inputs:
        if given.is_dir():
            photos = _photos(given, out)
            if not photos:
                raise InputError("the folder holds no photo", where=given, expected=", ".join(sorted(IMAGE_SUFFIXES)))
            jobs += [(path, out / path.relative_to(given).with_suffix("")) for path in photos]
        elif given.exists():
            jobs.append((given, out / PurePath(given.name).stem))
        else:
            raise InputError("there is no such file or folder", where=given, fix="check the spelling")
    return jobs


def _photos(folder: Path, out: Path) -> list[Path]:
    """List the photos of a folder; results of an earlier run in a folder within it are none."""
    root, results = folder.resolve(), out.resolve()
    photos = walk(folder, IMAGE_SUFFIXES)
    if results == root or not results.is_relative_to(root):
        return photos
    inside = folder / results.relative_to(root)
    return [path for path in photos if not path.is_relative_to(inside)]


def _refuse_clashes(jobs: Sequence[tuple[Path, Path]], suffixes: Sequence[str], *, overwrite: bool) -> None:
    """Refuse everything that would lose a file, before the first photo is predicted."""
    owner: dict[str, Path] = {}
    existing: list[Path] = []
    for source, stem in jobs:
        for suffix in suffixes:
            path = _beside(stem, suffix)
            # case-folded: many file systems know one file by two spellings
            other = owner.setdefault(path.as_posix().casefold(), source)
            if other is not source:
                raise InputError(
                    "two photos would write the same file",
                    where=path,
                    got=f"{other} and {source}",
                    fix="predict them into different folders",
                )
            if path.resolve() == source.resolve():
                raise OutputError("the result would replace the photo itself", where=path, fix="choose another --out")
            if path.exists():
                existing.append(path)
    if existing and not overwrite:
        raise OutputError(
            f"{len(existing)} of the results exist already",
            where=existing[0],
            fix="choose another --out, or pass --overwrite",
        )


def _beside(stem: Path, suffix: str) -> Path:
    # not with_suffix: the stem of photo.2024.jpg holds a dot of its own
    return stem.with_name(f"{stem.name}{suffix}.png")
