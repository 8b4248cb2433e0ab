"""The Cell Tracking Challenge: which frames have cells, gold and silver truth, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from data.folders import ctc
from data.layouts import photo_of, save
from tessella.core.annotation import Drawing
from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.errors import FormatError, InputError
from tessella.dataset.index import open_dataset
from tessella.formats import Source, choose

CELLS = np.zeros((12, 16), np.uint16)
CELLS[1:4, 1:5] = 300
CELLS[6:9, 1:5] = 7
CELLS[6:9, 6:9] = 7


def frame(root: Path, name: str) -> None:
    save(root / f"{name}.tif", photo_of(len(name))[..., 0])


def test_every_number_is_a_cell_and_sequences_are_groups(tmp_path: Path) -> None:
    index = open_dataset(ctc(tmp_path))
    assert (index.format, index.table.names) == ("ctc", ("background", "cell"))
    assert [record.group for record in index.records] == ["01", "01", "02", "02"]
    assert index.listing.left_out == {"maps of tracks (TRA)": 4}


def test_frames_without_a_map_have_no_labels_and_numbers_may_pass_a_byte(tmp_path: Path) -> None:
    for number in range(4):
        frame(tmp_path / "Fluo" / "01", f"t{number:04d}")
        frame(tmp_path / "PhC" / "01", f"t{number:03d}")
    save(tmp_path / "Fluo" / "01_GT" / "SEG" / "man_seg0002.tif", CELLS)
    save(tmp_path / "PhC" / "01_GT" / "SEG" / "man_seg001.tif", np.zeros((12, 16), np.uint16))
    save(tmp_path / "PhC" / "01_GT" / "SEG" / "man_seg009.tif", CELLS)
    index = open_dataset(tmp_path)
    assert [record.name for record in index.labelled().records] == ["Fluo/01/t0002", "PhC/01/t001"]
    assert {record.group for record in index.records} == {"Fluo/01", "PhC/01"}
    assert index.listing.orphan_labels == ("PhC/01_GT/SEG/man_seg009.tif#class",)
    cells = index.annotation(2)
    assert isinstance(cells, Drawing)
    assert sorted(
        (shape.label, shape.group, int(shape.mask.sum())) for shape in cells.shapes if shape.mask is not None
    ) == [
        ("cell", "300", 12),
        ("cell", "7", 21),
    ]
    labels = index.labels(2)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, CELLS > 0)
    empty = index.labels(5)
    assert empty is not None
    assert not empty.ids.any()


def both(root: Path) -> Path:
    frame(root / "01", "t000")
    frame(root / "01", "t001")
    save(root / "01_GT" / "SEG" / "man_seg000.tif", CELLS)
    for number in range(2):
        save(root / "01_ST" / "SEG" / f"man_seg00{number}.tif", (CELLS > 0).astype(np.uint16))
    return root


def test_the_gold_truth_counts_unless_the_silver_one_is_asked_for(tmp_path: Path) -> None:
    gold, silver = open_dataset(both(tmp_path)), open_dataset(tmp_path, options={"truth": "silver"})
    assert len(gold.labelled()) == 1
    assert gold.listing.left_out == {"silver segmentations (--option truth=silver)": 2}
    assert len(silver.labelled()) == 2
    assert silver.listing.left_out == {"gold segmentations (--option truth=gold)": 1}
    assert isinstance(silver.annotation(0), Drawing)
    assert [shape.group for shape in silver.annotation(0).shapes] == ["1"]
    with pytest.raises(FormatError, match=r"there is no such truth; got truth=bronze; expected gold or silver"):
        open_dataset(tmp_path, options={"truth": "bronze"})


@pytest.mark.parametrize(("kept", "asked"), [("ST", "gold"), ("GT", "silver")])
def test_the_other_truth_is_taken_where_there_is_no_such_and_this_is_said(
    tmp_path: Path, kept: str, asked: str
) -> None:
    other = {"ST": "GT", "GT": "ST"}[kept]
    for path in (both(tmp_path) / f"01_{other}" / "SEG").iterdir():
        path.unlink()
    index = open_dataset(tmp_path, options={"truth": asked})
    assert f"there are no {asked} segmentations" in index.listing.notes
    assert index.listing.left_out == {}
    assert isinstance(index.annotation(0), Drawing)


def test_a_class_table_names_the_cells(tmp_path: Path) -> None:
    nuclei = LabelCoding(ClassTable.from_names(("background", "nucleus")))
    index = open_dataset(both(tmp_path), classes=nuclei)
    labels = index.labels(0)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, CELLS > 0)


def test_sequences_in_three_dimensions_are_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "01").mkdir()
    tifffile.imwrite(tmp_path / "01" / "t000.tif", np.zeros((5, 12, 16), np.uint8), photometric="minisblack")
    save(tmp_path / "01_GT" / "SEG" / "man_seg000.tif", CELLS)
    with pytest.raises(FormatError, match=r"t000\.tif: these sequences .* are 3-D.*got 5 planes"):
        open_dataset(tmp_path)
    save(tmp_path / "01_GT" / "SEG" / "man_seg_000_003.tif", CELLS)
    with pytest.raises(FormatError, match=r"man_seg_000_003\.tif: these sequences .* a single plane"):
        open_dataset(tmp_path)
    (tmp_path / "01_GT" / "SEG" / "man_seg000.tif").unlink()
    assert choose(Source(tmp_path))[0] == "ctc"


@pytest.mark.parametrize("pixels", [np.zeros((3, 12, 16), np.uint16), photo_of(1)], ids=["planes", "colours"])
def test_a_map_that_is_none_is_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    both(tmp_path)
    path = tmp_path / "01_GT" / "SEG" / "man_seg000.tif"
    tifffile.imwrite(path, pixels, photometric="minisblack" if pixels.dtype == np.uint16 else "rgb")
    with pytest.raises(InputError, match=r"man_seg000\.tif: this is no map of cell numbers"):
        open_dataset(tmp_path).annotation(0)
