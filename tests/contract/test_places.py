"""Formats that describe many photos in one file name the file and the entry where the labels of one are at fault."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.layouts import WRITERS
from tessella.checking import check
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import InputError, LabelError, TessellaError
from tessella.dataset.index import Index, open_dataset
from tessella.formats import FORMATS

IN_ONE_FILE = (
    "coco", "coco-panoptic", "cvat", "cvat-video", "datumaro", "dicom-seg", "encord", "hasty", "label-studio",
    "labelbox", "nifti", "nrrd", "open-images", "scalabel", "segments-ai", "spacenet", "tiff-stack", "via",
)  # fmt: skip
"""Formats of which one file describes several photos; the first test says whether the list is whole."""

UNKNOWN_TO_ALL = LabelCoding(ClassTable.from_names(("nothing", "of that kind")), values=((77,), (78,)))

OF_PARTS = ("coco-panoptic", "open-images", "segments-ai")
"""Of these, whose masks lie in files beside theirs."""

DECLARING = ("coco", "cvat", "cvat-video", "datumaro", "encord", "hasty", "label-studio", "labelbox")
"""Of these, which state the size of every photo."""

OUTLINES = {
    "coco": r'"segmentation": (\[\[.*?\]\]|\{.*?\})',
    "cvat": r'rle="(.*?)"',
    "datumaro": r'"points": (\[.*?\])',
    "encord": r'"polygon": (\{.*?\}\})',
    "hasty": r'"polygon": (\[\[.*?\]\])',
    "label-studio": r'"points": (\[\[.*?\]\])',
    "labelbox": r'"polygon": (\[\{.*?\}\])',
    "scalabel": r'"vertices": (\[\[.*?\]\])',
    "spacenet": r'"?(POLYGON.*?\)\))',
    "via": r'"all_points_x": (\[.*?\])',
}
"""What outlines look like in the text of these formats."""


@pytest.fixture(params=IN_ONE_FILE)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Index:
    return open_dataset(WRITERS[request.param](tmp_path / "set"), format=request.param)


def place(index: Index, position: int) -> str:
    record = index.records[position]
    assert record.label is not None
    assert record.key
    return f"{record.label}#{record.key}"


def test_the_list_of_such_formats_is_whole(tmp_path: Path) -> None:
    found = []
    for name in sorted(FORMATS):
        records = open_dataset(WRITERS[name](tmp_path / name), format=name).records
        found += [name] if len({record.label for record in records}) < len(records) else []
    assert tuple(found) == IN_ONE_FILE


def test_a_class_that_is_foreign_names_file_and_entry(index: Index) -> None:
    strange = open_dataset(index.root, format=index.format, classes=UNKNOWN_TO_ALL)
    for position in range(len(strange)):
        with pytest.raises(TessellaError) as caught:
            strange.labels(position)
        assert caught.value.where == place(strange, position)
        assert str(caught.value).startswith(f"{caught.value.where}: ")


@pytest.mark.parametrize("name", DECLARING)
def test_a_drawing_for_a_photo_of_another_size_names_file_and_entry(name: str, tmp_path: Path) -> None:
    index = open_dataset(WRITERS[name](tmp_path / "set"), format=name)
    with pytest.raises(LabelError, match="a photo of another size") as caught:
        index.resolve(index.records[1], index.annotation(1), (5, 7))
    assert caught.value.where == place(index, 1)


@pytest.mark.parametrize("name", OF_PARTS)
def test_a_damaged_mask_beside_the_file_is_named_itself(name: str, tmp_path: Path) -> None:
    index = open_dataset(WRITERS[name](tmp_path / "set"), format=name)
    mask = index.records[1].parts[0]
    mask.write_bytes(mask.read_bytes()[:40])
    with pytest.raises(InputError, match=re.escape(str(mask))):
        index.annotation(1)
    found = [one.where for one in check(index, codes=["F101"]).findings]
    assert found == [mask.relative_to(index.root).as_posix()]


@pytest.mark.parametrize("name", sorted(OUTLINES))
def test_a_damaged_outline_names_file_entry_and_where_the_reader_knows_the_shape(name: str, tmp_path: Path) -> None:
    root = WRITERS[name](tmp_path / "set")
    label = open_dataset(root, format=name).records[0].label
    assert label is not None
    index, position = first_fault(root, name, label)
    with pytest.raises(InputError) as caught:
        index.annotation(position)
    where = caught.value.where or ""
    assert where.startswith(place(index, position))
    findings = [one for one in check(index, codes=["F101"]).findings if one.code == "F101"]
    assert [one.where for one in findings] == [label.relative_to(root).as_posix() + where.removeprefix(str(label))]


def first_fault(root: Path, name: str, label: Path) -> tuple[Index, int]:
    """Damage one outline after another until the set opens and exactly one photo's labels cannot be read."""
    text = label.read_text()
    for damaged in damages(text, OUTLINES[name]):
        label.write_text(damaged)
        try:
            index = open_dataset(root, format=name)
        except TessellaError:
            continue
        broken = [position for position in range(len(index)) if not can_be_read(index, position)]
        if len(broken) == 1:
            return index, broken[0]
    raise AssertionError(f"no damage to {name} is found when one photo is read")


def damages(text: str, outline: str) -> Iterator[str]:
    for match in reversed(list(re.finditer(outline, text, re.DOTALL))):
        for instead in ('"?"', "[7]", '{"size": [1, 1], "counts": [9]}', "POLYGON ((1 x))", "?"):
            yield text[: match.start(1)] + instead + text[match.end(1) :]


def can_be_read(index: Index, position: int) -> bool:
    try:
        index.annotation(position)
    except InputError:
        return False
    return True
