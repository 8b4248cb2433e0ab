"""Doors for labels: open a data set, check it, convert it, say what a path is. None of them needs torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tessella.bundle.manifest import MANIFEST
from tessella.bundle.opening import PLAN, open_bundle
from tessella.checking import check as check_index
from tessella.checking import fix as write_repaired
from tessella.checking.baseline import write_baseline as save_baseline
from tessella.checking.settings import read_settings, settings_of
from tessella.core.errors import InputError, RecipeError
from tessella.dataset.index import Index, open_dataset
from tessella.dataset.inspect import Inspection
from tessella.dataset.inspect import inspect as inspect_path
from tessella.dataset.lock import LOCK, read_lock, verify_lock, verify_locks, write_lock
from tessella.files.archives import is_archive
from tessella.files.write import refuse_existing, refuse_foreign, refuse_nesting, require_writable
from tessella.report.check_page import write_check_page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tessella.checking import Checked
    from tessella.checking.settings import Settings
    from tessella.core.classes import LabelCoding
    from tessella.recipe.plan import Plan


def check(
    data: Index | str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag and of the field in the JSON answer
    classes: LabelCoding | str | Path | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    codes: Collection[str] | None = None,
    config: str | Path | None = None,
    baseline: str | Path | None = None,
    write_baseline: str | Path | None = None,
    html: str | Path | None = None,
    fix: bool = False,
    out: str | Path | None = None,
    overwrite: bool = False,
    max_pixels: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Checked:
    """Look for faults in an annotated data set, and write a repaired copy where that is asked for.

    Args:
        data: An annotated folder, or an index from `tessella.open`.
        format: The format's name, or None to detect it.
        classes: A class table or class file, or None to take what the data set says.
        photos: A further folder where photos may lie, or None.
        options: What is asked of the format, such as `{"annotator": "majority"}`, as for `tessella.open`.
        codes: Rule codes (`L101`) or families (`L`) to look for, whatever the settings say; None for all.
        config: A settings file, or None for `tessella.toml` in the data set's folder.
        baseline: A file of known findings that are left out, or None for the one that the settings name.
        write_baseline: Write such a file, which accepts all that is found.
        html: Write a page with a picture for every finding into this file.
        fix: Write a repaired copy into `out`; the data set itself is never changed.
        out: The folder of the copy; asks for `fix`.
        overwrite: Replace an existing copy that Tessella made (another folder is never replaced), page or baseline.
        max_pixels: Most pixels of a photo or mask, as for `tessella.open`.
        progress: Called with (photos done, photos in all), then with (files copied, files in all).

    Returns:
        The findings, and the figures of the data set; `fixed` says what the copy changes and leaves to a person.

    Raises:
        RecipeError: `fix` without `out`, or `out` without `fix`; a setting or code that there is not.
        InputError: The folder is missing, the settings or the baseline cannot be read, or the data set is locked and
            was changed since.
        FormatError: No format matches, or two do.
        OutputError: `out` exists, lies in the data set or holds it, or cannot be written.
    """
    if fix != (out is not None):
        raise RecipeError(
            "a repaired copy needs both flags", where="tessella check", expected="--fix --out DIR, or neither of them"
        )
    target = None if out is None else Path(out)
    if target is not None:
        refuse_foreign(target, overwrite=overwrite)
        require_writable(target)
    for file in (write_baseline, html):
        if file is not None:
            refuse_existing(Path(file), overwrite=overwrite)
    index = (
        data
        if isinstance(data, Index)
        else open_dataset(data, format=format, classes=classes, photos=photos, max_pixels=max_pixels, options=options)
    )
    if target is not None:
        refuse_nesting(index.root, target)
    verify_locks(index.root, index.listing.photos, progress=progress)
    # what is to be accepted from now on must hold what an old baseline accepts, too
    settings = _settings(index, config, baseline, accepting=write_baseline is None)
    checked = check_index(index, codes=codes, settings=settings, progress=progress)
    if write_baseline is not None:
        save_baseline(Path(write_baseline), checked)
    if html is not None:
        write_check_page(Path(html), index, checked)
    if target is None:
        return checked
    return replace(checked, fixed=write_repaired(index, checked, target, overwrite=overwrite, progress=progress))


@dataclass(frozen=True, slots=True)
class Locked:
    """What `lock` wrote or verified.

    Args:
        path: The lock's file.
        files: How many files it lists.
        bytes: What they add up to.
        digest: The SHA-256 over the list.
    """

    path: Path
    files: int
    bytes: int
    digest: str

    def to_json(self) -> dict[str, object]:
        """Return it as plain JSON data."""
        return {"path": str(self.path), "files": self.files, "bytes": self.bytes, "digest": self.digest}


def lock(
    data: Index | str | Path,
    *,
    out: str | Path | None = None,
    verify: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Locked:
    """Lock a data set: from then on `check` and `train` refuse a changed byte, a missing file and a new one.

    Args:
        data: A folder, an annotation file in it, or an index.
        out: The lock's file, or None for `tessella.lock` in the folder.
        verify: Write nothing, and compare the data set with its lock.
        overwrite: Replace a lock that says something else.
        progress: Called with (files done, files in all).

    Raises:
        InputError: The folder is missing, a file cannot be read, or the data set is not the one that was locked.
        OutputError: There is a lock that says something else, or it cannot be written.
    """
    place = data.root if isinstance(data, Index) else Path(data)
    if place.is_file() and is_archive(place):
        raise InputError(
            "an archive is known by its own hash already", where=place, fix="unpack it, and lock the folder"
        )
    root = place.parent if place.is_file() else place
    path = root / LOCK if out is None else Path(out)
    if verify:
        verify_lock(root, path=path, progress=progress)
        found = read_lock(path)
    else:
        require_writable(path)
        found = write_lock(root, out=path, overwrite=overwrite, progress=progress)
    return Locked(path, len(found.files), found.size, found.digest)


def _settings(index: Index, config: str | Path | None, baseline: str | Path | None, *, accepting: bool) -> Settings:
    settings = settings_of(index.root) if config is None else read_settings(Path(config))
    if baseline is not None:
        settings = replace(settings, baseline=Path(baseline))
    return settings if accepting else replace(settings, baseline=None)


def inspect(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the flag
    classes: LabelCoding | Path | None = None,
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    max_pixels: int | None = None,
) -> Inspection:
    """Say what a file, a folder, a bundle or an exported model is.

    Args:
        path: A picture, an annotation, a class file, an annotated folder, or a bundle or exported `.onnx` file, whose
            hashes are verified.
        format: The annotation format of a folder, or None to detect it.
        classes: The class table or class file of a folder, or None.
        photos: A further folder where photos may lie, or None.
        options: What is asked of the format, such as `{"annotator": "majority"}`, as for `tessella.open`.
        max_pixels: Most pixels of a mask whose values are counted, as for `tessella.open`.

    Returns:
        Its kind and facts.

    Raises:
        InputError: It does not exist or cannot be read.
        FormatError: It is none of these.
        BundleError: The bundle is damaged, or the file was changed after its export.
    """
    place = Path(path)
    if place.suffix.lower() == ".onnx" and place.is_file():
        return _exported(place)
    if not ((place / MANIFEST).is_file() and (place / PLAN).is_file()):
        return inspect_path(path, format=format, classes=classes, photos=photos, max_pixels=max_pixels, options=options)
    bundle = open_bundle(path)
    scores = {key: value for key, value in bundle.scores.items() if isinstance(value, int | float | str)}
    facts = {"verified": True, "digest": bundle.digest, **_model_facts(bundle.plan), "scores": scores}
    return Inspection(str(path), "bundle", facts)


def _exported(path: Path) -> Inspection:
    from tessella.predict.runtime_onnx import logits_path, read_facts

    found = read_facts(path)
    facts = {
        "verified": True,
        "bundle": found.bundle,
        **_model_facts(found.plan),
        "runtime": "onnx",
        "output": found.output,
        "precision": found.precision,
        "logits_variant_beside": logits_path(path).is_file(),
        "bytes": path.stat().st_size,
    }
    return Inspection(str(path), "exported model", facts)


def _model_facts(plan: Plan) -> dict[str, object]:
    return {
        "tessella": plan.tessella,
        "model": plan.model.name,
        "classes": plan.table.to_json(),
        "bands": list(plan.preprocess.bands),
        "dtype": plan.preprocess.dtype,
    }
