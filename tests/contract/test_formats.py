"""Every row of the table of formats keeps the same promises; a new row needs a generator in `data/layouts.py` only."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.layouts import WRITERS
from tessella.core.annotation import Drawing, StoredMask
from tessella.core.errors import InputError, TessellaError
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.files.geo.frame import has_frame
from tessella.formats import FORMATS, Format, Listing, Match, Source, choose, format_named
from tessella.testing import check_format

WRITABLE = [name for name, row in FORMATS.items() if row.write is not None]
ON_THE_MAP = ("geojson", "shapefile", "geopackage")
"""Formats that only photos with a place on Earth can be written in."""


@pytest.fixture(params=sorted(FORMATS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def root(name: str, tmp_path: Path) -> Path:
    return WRITERS[name](tmp_path / "set")


def test_it_keeps_the_promises_that_packages_can_check_too(name: str, root: Path, tmp_path: Path) -> None:
    index = check_format(name, root, tmp_path)
    assert choose(Source(root))[0] == name
    assert len(index) == 4
    assert len(index.table) >= 2  # some formats can only say yes or no


def test_loading_gives_an_annotation_at_the_photos_size(name: str, root: Path) -> None:
    index = open_dataset(root)
    for position in range(len(index)):
        annotation = index.annotation(position)
        assert isinstance(annotation, StoredMask | Drawing)
        labels = index.labels(position)
        assert labels is not None
        assert labels.hw == index.image(position).hw == (12, 16)


def test_a_photo_without_label_stays_in_the_listing(name: str, root: Path) -> None:
    index = open_dataset(root)
    if _share_a_file(index):
        return  # without its file there is no data set
    label = index.records[0].label
    assert label is not None
    image = index.records[0].image
    for path in (label, *index.records[0].parts):
        path.unlink()
    again = open_dataset(root)
    lone = [record for record in again.records if record.image == image]
    assert [record.label for record in lone] == [None]
    assert len(again.labelled()) == len(again) - 1
    with pytest.raises(InputError, match=r"no (labels|mask)"):
        again.annotation(again.records.index(lone[0]))


def test_a_label_without_photo_is_reported(name: str, root: Path) -> None:
    index = open_dataset(root)
    record = index.records[0]
    if record.image is None:
        return  # the photo lies in another file
    assert record.label is not None
    record.image.unlink()
    listing = open_dataset(root).listing
    where = record.label.relative_to(root).as_posix() + (f"#{record.key}" if record.key else "")
    stays = [one for one in listing.records if (one.image, one.label, one.key) == (None, record.label, record.key)]
    assert listing.orphan_labels == (where,) or len(stays) == 1


def test_photos_that_are_asked_for_where_they_lie_already_are_found_once(
    name: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(photos: str | Path | None = None) -> list[tuple[str, str, str]]:
        records = open_dataset(root, format=name, photos=photos).records
        return sorted((str(record.image), str(record.label), record.key) for record in records)

    own = found()
    assert found(root) == own
    image = open_dataset(root).records[0].image
    if image is not None:
        monkeypatch.chdir(root)
        for folder in (image.parent, image.parent.relative_to(root), root.parent):
            assert found(folder) == own


def test_a_damaged_label_is_an_error_that_names_the_file(name: str, root: Path) -> None:
    index = open_dataset(root)
    label = index.records[0].label
    assert label is not None
    label.write_bytes(label.read_bytes()[:40])
    if _share_a_file(index):
        with pytest.raises(TessellaError):
            _ = [sample.labels for sample in open_dataset(root, format=name)]
        return
    again = open_dataset(root, format=name)
    place = [record.label for record in again.records].index(label)
    with pytest.raises(TessellaError, match=re.escape(label.name)):
        again.labels(place)


def _share_a_file(index: Index) -> bool:
    """Whether one annotation file describes several photos."""
    return len({record.label for record in index.records}) < len(index.records)


def test_an_empty_folder_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TessellaError):
        open_dataset(tmp_path / "empty", format=name)


@pytest.mark.parametrize("to", WRITABLE)
def test_written_in_any_format_and_read_again_ids_and_splits_are_the_same(
    name: str, root: Path, tmp_path: Path, to: str
) -> None:
    index = open_dataset(root)
    if _is_refused(index, tmp_path / "out", to):
        return
    convert(index, tmp_path / "out", to=to)
    again = open_dataset(tmp_path / "out")
    assert again.format == to
    assert again.table == index.table
    assert again.coding.table.colours == index.coding.table.colours
    splits = {_stem(record.name): record.split for record in again.records}
    assert splits == {_stem(record.name): record.split for record in index.records}
    theirs_by_stem = {_stem(sample.name): sample for sample in again}
    assert len(theirs_by_stem) == len(again) == len(index)
    for mine in index:
        theirs = theirs_by_stem[_stem(mine.name)]
        assert mine.labels is not None
        assert theirs.labels is not None
        np.testing.assert_array_equal(mine.labels.ids, theirs.labels.ids)
        np.testing.assert_array_equal(mine.image.pixels, theirs.image.pixels)


def _stem(name: str) -> str:
    """The photo's own name; formats with a single folder write `street/7` as `street__7`."""
    return name.rsplit("/", maxsplit=1)[-1].rsplit("__", maxsplit=1)[-1]


def _is_refused(index: Index, out: Path, to: str) -> bool:
    """Whether photos that do not say where on Earth they lie are refused by a format of the map, as they must be."""
    photo = index.records[0].image
    if to not in ON_THE_MAP or (photo is not None and has_frame(photo)):
        return False
    with pytest.raises(InputError, match="where on Earth"):
        convert(index, out, to=to)
    return True


def test_every_format_has_its_page() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "formats"
    assert sorted(path.stem for path in docs.glob("*.md")) == sorted(FORMATS)


def test_an_unknown_format_is_answered_with_the_nearest() -> None:
    with pytest.raises(TessellaError, match="did you mean 'labelme'"):
        format_named("labelm")


def test_another_package_adds_a_format_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "theirs"

        def load(self) -> Format:
            return FORMATS["index-mask"]._replace(detect=lambda _source: Match(100, "it is theirs"))

    monkeypatch.setattr("tessella.formats.entry_points", lambda group: [Point()] * (group == "tessella.formats"))
    root = WRITERS["index-mask"](tmp_path / "set")
    assert choose(Source(root)) == ("theirs", Match(100, "it is theirs"))
    assert len(open_dataset(root, format="theirs")) == 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"detect": lambda _source: None}, "does not detect its own data"),
        ({"read": lambda source, coding: _without_notes(FORMATS["index-mask"].read(source, coding))}, "whence"),
        ({"read": lambda source, coding: _backwards(FORMATS["index-mask"].read(source, coding))}, "unique and sorted"),
        ({"write": FORMATS["labelme"].write}, "no photo here has a mask"),
    ],
)
def test_a_format_that_breaks_a_promise_is_told_which(
    change: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "theirs", FORMATS["index-mask"]._replace(**change))
    with pytest.raises((AssertionError, TessellaError), match=says):
        check_format("theirs", WRITERS["index-mask"](tmp_path / "set"), tmp_path / "scratch")


def _without_notes(listing: Listing) -> Listing:
    return replace(listing, notes=())


def _backwards(listing: Listing) -> Listing:
    return replace(listing, records=listing.records[::-1])
