"""Any readable format to any writable one, and several data sets into one; the originals are only read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tessella.core.errors import FormatError
from tessella.core.wording import counted
from tessella.dataset.conversion.classmap import read_class_map
from tessella.dataset.conversion.crew import Job
from tessella.dataset.conversion.items import item_of
from tessella.dataset.conversion.job import run
from tessella.dataset.conversion.merge import merge
from tessella.dataset.index import Index, open_dataset
from tessella.files.write import refuse_foreign, refuse_nesting, require_writable
from tessella.formats import FORMATS, format_named
from tessella.formats.layout.export import write_stems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tessella.core.classes import LabelCoding
    from tessella.dataset.conversion.merge import Part
    from tessella.formats.raster.labels import Fill


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote.

    Args:
        sources: The data sets that were read.
        out: The new data set.
        source_formats: Their formats.
        format: The format that was written.
        samples: How many photos were written.
        labelled: How many of them have labels.
        resumed: How many of them an interrupted conversion had written before.
        classes: Class names in id order.
        left_out: What the sources say and the new data set cannot hold, counted by kind.
        notes: How the sources were read and merged, as sentences for people.
    """

    sources: tuple[str, ...]
    out: str
    source_formats: tuple[str, ...]
    format: str
    samples: int
    labelled: int
    resumed: int
    classes: tuple[str, ...]
    left_out: dict[str, int]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the answer of `convert --json`."""
        return asdict(self)


Data = str | Path | Index


def convert(  # noqa: PLR0913 - one keyword per flag of the command, as in `_doors`
    src: Data | Sequence[Data],
    dst: str | Path,
    *,
    to: str,
    class_map: str | Path | None = None,
    classes: LabelCoding | str | Path | None = None,
    format: str | None = None,  # noqa: A002 - the name of the flag and of the field in the JSON answer
    photos: str | Path | None = None,
    options: Mapping[str, str] | None = None,
    fill: Fill = "centre",
    max_pixels: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Converted:
    """Write one or several data sets in another format, as one.

    Every photo is written, with its labels where it has any, below its split where the data set states splits; the
    class table is written beside them. Photos are copied byte for byte where they are stored upright. All cores work;
    a conversion that was killed goes on where it stopped when it is asked for again.

    Several sources are merged by class names, or by a class map. In a source that never annotated one of the classes
    the background may show it, and so becomes IGNORE there.

    Args:
        src: An annotated folder or an open index, or several of them.
        dst: The folder to make.
        to: A format that can be written.
        class_map: A class map (TOML) that renames, merges, drops and ignores classes; see docs/convert.md.
        classes: A class table or file of the sources, or None to take what each data set says.
        format: The format of the sources, or None to detect each.
        photos: A further folder where photos may lie.
        options: What is asked of the format, such as `{"annotator": "majority"}`, as for `tessella.open`.
        fill: Which pixels drawn shapes cover, where the new format holds pixels.
        max_pixels: Most pixels of a photo or mask, as for `tessella.open`.
        overwrite: Replace an existing folder that Tessella made; another is never replaced.
        progress: Called with (done, total) photos.

    Returns:
        What was written.

    Raises:
        FormatError: The format cannot be written, or a source cannot be read.
        ClassTableError: The class map does not fit the sources.
        InputError: A photo or its labels cannot be read; nothing is left behind.
        LabelError: Labels that the class table does not explain; nothing is left behind.
        OutputError: `dst` exists (without `overwrite`, or Tessella did not make it), lies in a source or holds it, or
            cannot be written.
    """
    row = format_named(to, to_write=True)
    if row.write is None:
        able = ", ".join(name for name, other in FORMATS.items() if other.write is not None)
        raise FormatError(f"{to} can be read but not written", expected=able, fix="choose another format with --to")
    out = Path(dst)
    refuse_foreign(out, overwrite=overwrite)
    require_writable(out)
    given = list(src) if isinstance(src, Sequence) and not isinstance(src, str) else [src]
    indexes = [
        one
        if isinstance(one, Index)
        else open_dataset(
            one, format=format, classes=classes, fill=fill, max_pixels=max_pixels, photos=photos, options=options
        )
        for one in given
    ]
    for index in indexes:
        refuse_nesting(index.root, out)
    merged = merge(indexes, None if class_map is None else read_class_map(Path(class_map)))
    stems = write_stems(((part.name, part.split) for part in merged.parts), one_folder=row.write.one_folder)
    parts = [part.called(stem) for part, stem in zip(merged.parts, stems, strict=True)]
    job = Job(row.write, merged.coding, partial(item_of, coding=merged.coding, drawn=row.drawn, holds=row.holds))
    asked: dict[str, object] = {
        "to": to,
        "fill": fill,
        "options": [sorted(index.listing.options.items()) for index in indexes],
    }
    done = run(job, parts, out, asked=asked, overwrite=overwrite, progress=progress)
    return Converted(
        sources=tuple(str(index.root) for index in indexes),
        out=str(out),
        source_formats=tuple(index.format for index in indexes),
        format=to,
        samples=len(parts),
        labelled=sum(part.record.label is not None for part in parts),
        resumed=done.resumed,
        classes=merged.coding.table.names,
        left_out=dict(sum((Counter(index.listing.left_out) for index in indexes), done.left_out)),
        notes=(*merged.notes, *_notes(indexes, parts)),
    )


def _notes(indexes: Sequence[Index], parts: Sequence[Part]) -> list[str]:
    """Say which photos and labels the new data set lacks, and which photos are in no split though others are."""
    notes = []
    if absent := sum(not part.index.has_photo(part.record) for part in parts):
        missing = counted(absent, "photo is not here: its", "photos are not here: their")
        notes.append(f"{missing} labels alone are written; --photos names where to look")
    if orphans := [where for index in indexes for where in index.listing.orphan_labels]:
        lone = counted(len(orphans), "label without photo is", "labels without photo are")
        notes.append(f"{lone} not written, such as {orphans[0]}")
    if torn := [where for index in indexes for where in index.listing.unreadable]:
        unread = counted(len(torn), "label cannot be read and is", "labels cannot be read and are")
        notes.append(f"{unread} not written, such as {torn[0]}")
    splitless = [index for index in indexes if not any(record.split for record in index.records)]
    if splitless and len(splitless) < len(indexes):
        count, named = sum(map(len, splitless)), ", ".join(index.root.name for index in splitless)
        notes.append(f"{counted(count, 'photo is', 'photos are')} in no split: {named} states none, other sources do")
    return notes
