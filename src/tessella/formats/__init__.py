"""Annotation formats: one file per format with plain functions, and the table that names them."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from tessella.core.classes import nearest_hint
from tessella.core.errors import FormatError, InputError
from tessella.files.paths import IMAGE_SUFFIXES, require_folder
from tessella.files.text import read_json
from tessella.formats import cvat, labelme
from tessella.formats.arrays import array_mask, mat, tiff_stack
from tessella.formats.coco import instances, panoptic, panoptic_writing, stuff, writing
from tessella.formats.driving import bdd100k, cityscapes, kitti, mapillary, mots, scalabel, synthia
from tessella.formats.folders import (
    camvid,
    class_folder,
    class_masks,
    colour_mask,
    index_mask,
    instance_map,
    instances_png,
    roboflow_mask,
    voc,
)
from tessella.formats.geo import geojson, geopackage, shapefile, spacenet
from tessella.formats.listing import Format, Listing, Match, Record
from tessella.formats.platforms import darwin, encord, hasty, labelbox, segments_ai, superannotate, supervisely
from tessella.formats.public import ade20k, ade20k_full, aerial, cell_tracking, medical, open_images
from tessella.formats.source import Source
from tessella.formats.tools import datumaro, label_studio, not_masks, via, yolo
from tessella.formats.volumes import dicom_seg, nifti, nrrd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tessella.core.classes import LabelCoding

__all__ = ["FORMATS", "Format", "Listing", "Match", "Record", "Source", "choose", "detect", "format_named"]

_LOOK_AT: Final = 8
_LIKELY: Final = 10
"""A lower score says whose files these are, though they say nothing of pixels: reading them tells why."""

FORMATS: Final[dict[str, Format]] = {
    "index-mask": Format(index_mask.detect, index_mask.read, index_mask.load, index_mask.WRITER),
    "voc": Format(voc.detect, voc.read, voc.load, voc.WRITER, holds=frozenset({"instances"})),
    "camvid": Format(camvid.detect, camvid.read, camvid.load),
    "colour-mask": Format(colour_mask.detect, colour_mask.read, colour_mask.load, colour_mask.WRITER),
    "labelme": Format(
        labelme.detect,
        labelme.read,
        labelme.load,
        labelme.WRITER,
        labelme.photo,
        drawn=True,
        holds=frozenset(
            {"shapes", "instances", "groups", "attributes", "boxes", "circles", "lines", "points", "masks"}
        ),
    ),
    "coco": Format(
        instances.detect,
        instances.read,
        instances.load,
        writing.WRITER,
        drawn=True,
        holds=frozenset({"shapes", "instances", "attributes", "masks"}),
    ),
    "coco-panoptic": Format(
        panoptic.detect,
        panoptic.read,
        panoptic.load,
        panoptic_writing.WRITER,
        drawn=True,
        holds=frozenset({"instances"}),
    ),
    "labelme-xml": Format(labelme.web.detect, labelme.web.read, labelme.web.load, drawn=True),
    "coco-stuff": Format(stuff.detect, stuff.read, stuff.load),
    "cvat": Format(
        cvat.reading.detect,
        cvat.reading.read,
        cvat.reading.load,
        cvat.writing.WRITER,
        drawn=True,
        holds=frozenset(
            {"shapes", "instances", "groups", "attributes", "boxes", "circles", "ellipses", "lines", "points", "masks"}
        ),
    ),
    "cvat-mask": Format(
        cvat.masks.detect, cvat.masks.read, cvat.masks.load, cvat.masks.WRITER, holds=frozenset({"instances"})
    ),
    "cvat-video": Format(cvat.video.detect, cvat.video.read, cvat.video.load, drawn=True),
    "label-studio": Format(
        label_studio.detect,
        label_studio.read,
        label_studio.load,
        label_studio.WRITER,
        drawn=True,
        holds=frozenset({"shapes", "attributes", "boxes", "circles", "ellipses", "masks"}),
        options=label_studio.OPTIONS,
        opinions=label_studio.opinions,
    ),
    "supervisely": Format(
        supervisely.detect,
        supervisely.read,
        supervisely.load,
        supervisely.WRITER,
        drawn=True,
        holds=frozenset({"shapes", "attributes", "holes", "boxes", "lines", "masks"}),
    ),
    "geojson": Format(
        geojson.detect,
        geojson.read,
        geojson.load,
        geojson.WRITER,
        drawn=True,
        holds=frozenset({"shapes", "instances", "holes", "attributes"}),
        options=geojson.OPTIONS,
    ),
    "shapefile": Format(
        shapefile.detect,
        shapefile.read,
        shapefile.load,
        shapefile.WRITER,
        drawn=True,
        holds=frozenset({"shapes", "instances", "holes"}),
        options=shapefile.OPTIONS,
    ),
    "geopackage": Format(
        geopackage.detect,
        geopackage.read,
        geopackage.load,
        geopackage.WRITER,
        drawn=True,
        holds=frozenset({"shapes", "instances", "holes", "attributes"}),
        options=geopackage.OPTIONS,
    ),
    "spacenet": Format(spacenet.detect, spacenet.read, spacenet.load, drawn=True, options=spacenet.OPTIONS),
    "superannotate": Format(superannotate.detect, superannotate.read, superannotate.load, drawn=True),
    "darwin": Format(
        darwin.detect,
        darwin.read,
        darwin.load,
        darwin.WRITER,
        drawn=True,
        holds=frozenset(
            {"shapes", "instances", "groups", "attributes", "holes", "boxes", "circles", "ellipses", "lines"}
        ),
    ),
    "via": Format(via.detect, via.read, via.load, drawn=True),
    "labelbox": Format(labelbox.detect, labelbox.read, labelbox.load, drawn=True),
    "cityscapes": cityscapes.CITYSCAPES.row(cityscapes.WRITER),
    "kitti": kitti.KITTI.row(),
    "mapillary": mapillary.NEWEST.row(),
    "mapillary-1.2": mapillary.FIRST.row(),
    "synthia": synthia.SYNTHIA.row(),
    "mots": mots.MOTS.row(),
    "bdd100k": bdd100k.BDD100K.row(),
    "scalabel": Format(scalabel.detect, scalabel.read, scalabel.load, drawn=True),
    "ade20k": ade20k.ADE20K.row(),
    "ade20k-full": ade20k_full.ADE20K_FULL.row(),
    "loveda": aerial.LOVEDA.row(),
    "inria": aerial.INRIA.row(),
    "massachusetts": aerial.MASSACHUSETTS.row(),
    "drive": medical.DRIVE.row(),
    "isic": medical.ISIC.row(),
    "roboflow-mask": Format(roboflow_mask.detect, roboflow_mask.read, roboflow_mask.load),
    "instances-png": Format(
        instances_png.detect, instances_png.read, instances_png.load, drawn=True, holds=frozenset({"instances"})
    ),
    "instance-map": Format(
        instance_map.detect, instance_map.read, instance_map.load, drawn=True, holds=frozenset({"instances"})
    ),
    "ctc": Format(
        cell_tracking.detect,
        cell_tracking.read,
        cell_tracking.load,
        drawn=True,
        holds=frozenset({"instances"}),
        options=cell_tracking.OPTIONS,
    ),
    "class-folder": Format(class_folder.detect, class_folder.read, class_folder.load),
    "class-masks": Format(class_masks.detect, class_masks.read, class_masks.load, class_masks.WRITER),
    "array-mask": Format(array_mask.detect, array_mask.read, array_mask.load, array_mask.WRITER, array_mask.photo),
    "mat": Format(mat.detect, mat.read, mat.load),
    "tiff-stack": Format(tiff_stack.detect, tiff_stack.read, tiff_stack.load, photo=tiff_stack.photo),
    "nifti": Format(nifti.detect, nifti.read, nifti.load, photo=nifti.photo),
    "nrrd": Format(nrrd.detect, nrrd.read, nrrd.load, photo=nrrd.photo),
    "dicom-seg": Format(dicom_seg.detect, dicom_seg.read, dicom_seg.load, photo=dicom_seg.photo),
    "hasty": Format(hasty.detect, hasty.read, hasty.load, drawn=True),
    "encord": Format(encord.detect, encord.read, encord.load, drawn=True),
    "yolo-seg": Format(
        yolo.detect, yolo.read, yolo.load, yolo.WRITER, drawn=True, holds=frozenset({"shapes", "instances", "holes"})
    ),
    "datumaro": Format(datumaro.detect, datumaro.read, datumaro.load, drawn=True),
    "segments-ai": Format(segments_ai.detect, segments_ai.read, segments_ai.load, drawn=True),
    "open-images": Format(open_images.detect, open_images.read, open_images.load, drawn=True),
}


_MOST_NAMED: Final = 6
_MOST_LOOKS: Final = 24
_MOST_SUFFIXES: Final = 4


def read_as_asked(row: Format, source: Source, coding: LabelCoding | None) -> Listing:
    """Read a folder or file by the format that was asked for.

    Raises:
        InputError: As the format does.
        FormatError: As the format does; where nothing of it is there, the message says that `--format` can be left out.
        ClassTableError: The class file contradicts itself.
    """
    try:
        return row.read(source, coding)
    except FormatError as error:
        if error.where not in {str(source.root), str(source.file)} or row.detect(source) is not None:
            raise
        cure = "leave out --format to have the format detected"
        raise FormatError(
            error.what,
            where=error.where,
            got=error.got,
            expected=error.expected,
            fix=f"{error.fix}, or {cure}" if error.fix else cure,
        ) from error


def format_named(name: str, *, to_write: bool = False) -> Format:
    """Return a row of the table.

    Args:
        name: Its name.
        to_write: Whether it is asked for to be written, so that the message names formats that can be.

    Raises:
        FormatError: No format has this name; the message gives the nearest ones.
    """
    if name in FORMATS:
        return FORMATS[name]
    foreign = _foreign()
    if name in foreign:
        return foreign[name]
    known = [other for other, row in (FORMATS | foreign).items() if row.write is not None or not to_write]
    raise FormatError(f"there is no format {name!r}", expected=", ".join(known), fix=nearest_hint(name, known))


def _foreign() -> dict[str, Format]:
    """Return the formats that other packages add by the entry points of the group `tessella.formats`."""
    return {point.name: point.load() for point in entry_points(group="tessella.formats")}


def detect(source: Source) -> list[tuple[str, Match]]:
    """Ask every format whether a folder or file is its own; the surest first."""
    found = [(name, match) for name, row in (FORMATS | _foreign()).items() if (match := row.detect(source))]
    return sorted(found, key=lambda item: -item[1].score)


def choose(source: Source) -> tuple[str, Match]:
    """Return the format of a folder or file, and why.

    Raises:
        InputError: There is no such folder.
        FormatError: The folder is empty, holds no labels of a known format, or labels of two formats.
    """
    require_folder(source.root)
    found = detect(source)
    if not found:
        raise _no_labels(source)
    if rivals := _rivals(found):
        raise _several(source, [found[0], *rivals])
    return found[0]


def _rivals(found: Sequence[tuple[str, Match]]) -> list[tuple[str, Match]]:
    """Return who else may be right: voc, camvid and index-mask may describe the same masks, but shapes are others."""
    (_, match), *others = found
    likely = [other for other in others if other[1].score >= _LIKELY]  # boxes rival nothing
    return [other for other in likely if "shapes" in {other[1].kind, match.kind} or other[1].score == match.score]


def _several(source: Source, claims: Sequence[tuple[str, Match]]) -> FormatError:
    claims = claims[:_MOST_NAMED]
    places = _places(source)
    one = f"{'one of the folders' if len(places) > 1 else 'the folder'} {', '.join(places)}" if places else "one alone"
    return FormatError(
        f"labels of {len(claims) if len(claims) > 2 else 'two'} formats lie here",
        where=source.file or source.root,
        got=" and ".join(f"{name} ({match.why})" for name, match in claims),
        fix=f"give {one}; or choose {' or '.join(f'--format {name}' for name, _ in claims)}",
    )


def _places(source: Source) -> list[str]:
    """Return the folders of a mixed folder that hold labels of one format each, as far as a few dozen looks tell."""
    found: list[str] = []
    folders = [] if source.file is not None else _folders_in(source.root)
    for _ in range(_MOST_LOOKS):
        if not folders or len(found) == _MOST_NAMED:
            break
        folder = folders.pop(0)
        claims = detect(Source(folder))
        if claims and _rivals(claims):
            folders += _folders_in(folder)
        elif claims:
            found.append(f"{folder.relative_to(source.root).as_posix()} ({claims[0][0]})")
    return found


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if _is_looked_into(path))
    except OSError:  # closed to this user; what was found already stands
        return []


def _is_looked_into(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")


def _broken_json(source: Source) -> InputError | None:
    """Return what is wrong with the first JSON file that cannot be read: it may be why nothing was recognised."""
    known = {outline.path for outline in source.outlines}
    for path in [path for path in source.files(".json") if path not in known][:_LOOK_AT]:
        try:
            read_json(path, allow_nan=True)
        except InputError as error:
            return error
    return None


def _no_labels(source: Source) -> InputError:
    root, files = source.file or source.root, source.files()
    if not files:
        return FormatError("the folder is empty", where=root, fix="give the folder that holds photos and labels")
    if known := not_masks.explain(source):
        return FormatError(
            f"these are {known[0]}: {known[1]}",
            where=root,
            got=_kinds_of(files),
            expected="outlines or masks",
            fix="give the folder that holds them, or name a format with --format",
        )
    if (broken := _broken_json(source)) is not None:
        return broken
    alone = ": there are pictures alone" if all(path.suffix.lower() in IMAGE_SUFFIXES for path in files) else ""
    return FormatError(
        f"no labels of a known format were found{alone}",
        where=root,
        got=_kinds_of(files),
        expected="one of the layouts that docs/formats.md lists",
        fix="put masks into masks/ beside images/, or name the format with --format",
    )


def _kinds_of(files: Sequence[Path]) -> str:
    kinds = Counter(path.suffix.lower() or "no suffix" for path in files)
    shown = kinds.most_common(_MOST_SUFFIXES)
    rest = len(files) - sum(count for _, count in shown)
    return ", ".join([f"{count} {suffix}" for suffix, count in shown] + ([f"{rest} more"] if rest else []))
