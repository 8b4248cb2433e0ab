"""The bars on real annotation sets, which lie beside the checkout and are skipped where they do not."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tessella.checking import Checked, check
from tessella.dataset import open_dataset

CELLS = """
[[classes]]
name = "background"
values = [0]
[[classes]]
name = "nucleus"
values = [255]
[[classes]]
name = "cytoplasm"
values = [128]
[ignore]
values = []
"""
MEMBRANE = """
[[classes]]
name = "membrane"
values = [0]
[[classes]]
name = "cell"
values = [255]
[ignore]
values = []
"""
FIVE = [f"Dataset 2/{number}.png" for number in ("034", "035", "047", "050", "076")]


@pytest.fixture(scope="module")
def checked(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Checked]:
    """Check a folder, once for all tests; of CamVid the validation split alone."""

    @cache
    def run(folder: str, table: str = "", format: str | None = None) -> Checked:  # noqa: A002
        classes = None
        if table:
            classes = tmp_path_factory.mktemp("classes") / "classes.toml"
            classes.write_text(table)
        index = open_dataset(shared_data / folder, format=format, classes=classes)
        return check(index.split("val") if folder == "camvid" else index)

    return run


@pytest.mark.parametrize("table", ["", CELLS], ids=["discovered", "declared"])
def test_the_stray_values_of_wbc_cells_lie_in_exactly_five_files(checked: Callable[..., Checked], table: str) -> None:
    answer = checked("wbc_cells", table)
    assert [finding.where for finding in answer.findings if finding.severity == "error"] == FIVE
    found = answer.by_code()
    assert [finding.where for finding in found["L101"]] == FIVE
    assert "values 7 (179 px) are in no class" in found["L101"][2].what


@pytest.mark.parametrize(
    ("folder", "kept", "copy"),
    [
        ("wbc_cells", "Dataset 1/112.bmp", "Dataset 1/139.bmp"),
        ("sd_saliency", "SD-saliency-900/Source Images/Pa_101.bmp", "SD-saliency-900/Source Images/Pa_105.bmp"),
    ],
)
def test_the_identical_photos_are_found(checked: Callable[..., Checked], folder: str, kept: str, copy: str) -> None:
    (finding,) = checked(folder).by_code()["D101"]
    assert finding.where == copy
    assert f"the same photo as {kept}, with another label" in finding.what
    assert not finding.fixable


def test_all_190_soft_masks_of_magnetic_tile_are_found_and_no_other(checked: Callable[..., Checked]) -> None:
    answer = checked("magnetic_tile", format="index-mask")
    found = answer.by_code()
    soft = {finding.where for finding in found["L103"]}
    assert len(soft) == 190
    assert not any(where.startswith("MT_Free") for where in soft)
    assert all(finding.fixable for finding in found["L103"])
    # the one error besides is the set's overview picture, whose PNG is no mask
    others = [finding for finding in answer.findings if finding.severity == "error" and finding.code != "L103"]
    assert [(finding.code, finding.where) for finding in others] == [("L102", "dataset.png")]


def test_soft_masks_that_are_cut_at_half_are_found_and_no_error(checked: Callable[..., Checked]) -> None:
    answer = checked("magnetic_tile")
    assert answer.format == "class-folder"
    assert answer.counts["error"] == 0
    soft = answer.by_code()["L103"]
    assert len(soft) == 190
    assert all(finding.severity == "warning" and finding.fixable for finding in soft)


@pytest.mark.parametrize(
    ("folder", "table"),
    [
        ("camvid", ""),
        ("isbi2012_membrane", MEMBRANE),
        ("cwfid_plants", ""),
        ("sd_saliency", ""),
        ("dhcn_png", ""),
        ("labelme_examples/examples/semantic_segmentation/data_annotated", ""),
        ("labelme_examples/examples/semantic_segmentation/data_dataset_voc", ""),
        ("labelme_examples/examples/instance_segmentation/data_dataset_voc", ""),
        ("labelme_examples/examples/primitives", ""),
        ("labelme_examples/examples/tutorial", ""),
        ("annotation_tools_same_images/datasets/labelme", ""),
    ],
)
def test_clean_sets_give_no_error(checked: Callable[..., Checked], folder: str, table: str) -> None:
    answer = checked(folder, table)
    assert [finding for finding in answer.findings if finding.severity == "error"] == []
    assert sum(answer.pixels.values()) > 0


def test_the_polygon_0_77_px_outside_is_information(checked: Callable[..., Checked]) -> None:
    folder = "labelme_examples/examples/semantic_segmentation/data_annotated"
    (finding,) = checked(folder).by_code()["G101"]
    assert (finding.where, finding.severity) == ("2011_000006.json", "info")
    assert "by 0.77 px" in finding.what
