"""Any readable format to any writable one; the original is only read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tessella.core.annotation import Annotation, Drawing
from tessella.core.errors import FormatError
from tessella.dataset.index import Index, open_dataset
from tessella.files.write import new_folder, refuse_foreign, refuse_nesting, require_writable
from tessella.formats import FORMATS, Export, format_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tessella.core.classes import LabelCoding
    from tessella.core.sample import Sample
    from tessella.formats.raster.labels import Fill


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote.

    Args:
        source: The data set that was read.
        out: The new data set.
        source_format: The format that was read.
        format: The format that was written.
        samples: How many photos were written.
        labelled: How many of them have labels.
        classes: Class names in id order.
        notes: How the source was read, as sentences for people.
    """

    source: str
    out: str
    source_format: str
    format: str
    samples: int
    labelled: int
    classes: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the answer of `convert --json`."""
        return asdict(self)


class _Drawings(Mapping[str, Annotation]):
    """The drawn shapes of an index by sample name, read when they are asked for."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._places = {record.name: place for place, record in enumerate(index.records) if record.label is not None}

    def __getitem__(self, name: str) -> Annotation:
        return self._index.annotation(self._places[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def convert(  # noqa: PLR0913 - one keyword per flag of the command, as in `_doors`
    src: str | Path | Index,
    dst: str | Path,
    *,
    to: str,
    classes: LabelCoding | str | Path | None = None,
    format: str | None = None,  # noqa: A002 - the name of the flag and of the field in the JSON answer
    fill: Fill = "centre",
    max_pixels: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Converted:
    """Write a data set in another format.

    Every photo is written, with its labels where it has any, below its split where the data set states splits; the
    class table is written beside them. Photos are copied byte for byte where they are stored upright.

    Args:
        src: An annotated folder or an open index.
        dst: The folder to make.
        to: A format that can be written.
        classes: A class table or file, or None to take what the data set says.
        format: The format of `src`, or None to detect it.
        fill: Which pixels drawn shapes cover, where the new format holds pixels.
        max_pixels: Most pixels of a photo or mask, as for `tessella.open`.
        overwrite: Replace an existing folder that Tessella made; another is never replaced.
        progress: Called with (done, total) photos.

    Returns:
        What was written.

    Raises:
        FormatError: The format cannot be written, or `src` cannot be read.
        InputError: A photo or its labels cannot be read; nothing is left behind.
        LabelError: Labels that the class table does not explain; nothing is left behind.
        OutputError: `dst` exists (without `overwrite`, or Tessella did not make it), lies in `src` or holds it, or
            cannot be written.
    """
    write = format_named(to).write
    if write is None:
        able = ", ".join(name for name, row in FORMATS.items() if row.write is not None)
        raise FormatError(f"{to} can be read but not written", expected=able, fix="choose another format with --to")
    out = Path(dst)
    refuse_foreign(out, overwrite=overwrite)
    require_writable(out)
    index = (
        src
        if isinstance(src, Index)
        else open_dataset(src, format=format, classes=classes, fill=fill, max_pixels=max_pixels)
    )
    refuse_nesting(index.root, out)
    shapes = any(isinstance(index.annotation(place), Drawing) for place in _first_labelled(index))
    export = Export(
        photos={record.name: record.image for record in index.records if record.image is not None},
        splits={record.name: record.split for record in index.records},
        drawings=_Drawings(index) if shapes and to == index.format else {},
    )
    with new_folder(out, overwrite=overwrite, marked=True) as folder:
        write(_samples(index, progress), index.coding, folder, export)
    return Converted(
        source=str(index.root),
        out=str(out),
        source_format=index.format,
        format=to,
        samples=len(index),
        labelled=sum(record.label is not None for record in index.records),
        classes=index.table.names,
        notes=index.listing.notes,
    )


def _first_labelled(index: Index) -> list[int]:
    return [place for place, record in enumerate(index.records) if record.label is not None][:1]


def _samples(index: Index, progress: Callable[[int, int], None] | None) -> Iterator[Sample]:
    for place in range(len(index)):
        yield index[place]
        if progress is not None:
            progress(place + 1, len(index))
