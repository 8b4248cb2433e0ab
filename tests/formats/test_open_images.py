"""open-images: tables of masks, class codes, masks of another size than their photos."""

from pathlib import Path

import numpy as np
import pytest

from data.layouts import photo_of, save
from data.open_images import describe, masks_table
from tessella.core.errors import FormatError
from tessella.dataset.index import Index, open_dataset


def one(root: Path, *masks: tuple[str, np.ndarray], hw: tuple[int, int] = (12, 16)) -> Index:
    save(root / "p.png", photo_of(0, hw))
    for place, (_, pixels) in enumerate(masks):
        save(root / "masks" / f"p_{place}.png", pixels)
    rows = [(f"p_{place}.png", "p", code) for place, (code, _) in enumerate(masks)]
    masks_table(root / "x-annotations-object-segmentation.csv", *rows)
    return open_dataset(root)


def block(hw: tuple[int, int], place: tuple[slice, slice]) -> np.ndarray:
    pixels = np.zeros(hw, bool)
    pixels[place] = True
    return pixels


def test_classes_are_named_by_the_table_of_descriptions_else_by_their_codes(tmp_path: Path) -> None:
    describe(tmp_path)
    index = one(tmp_path, ("/m/01", block((12, 16), np.s_[:3, :3])), ("/m/09", block((12, 16), np.s_[:2, :2])))
    assert index.table.names == ("background", "/m/09", "road")
    assert np.bincount(index[0].labels.ids.ravel()).tolist()[1:] == [4, 5]


def test_descriptions_without_header_are_read(tmp_path: Path) -> None:
    (tmp_path / "class-descriptions.csv").write_text("/m/01,Road\n")
    index = one(tmp_path, ("/m/01", block((12, 16), np.s_[:3, :3])))
    assert index.table.names == ("background", "Road")


@pytest.mark.parametrize(("hw", "pixels"), [((12, 16), 18), ((24, 32), 72), ((6, 8), 3), ((11, 15), 18)])
def test_a_mask_is_scaled_to_its_photo(tmp_path: Path, hw: tuple[int, int], pixels: int) -> None:
    labels = one(tmp_path, ("/m/01", block((12, 16), np.s_[:3, :6])), hw=hw)[0].labels
    assert labels.hw == hw
    assert labels.ids.sum() == pixels


def test_a_mask_of_another_aspect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"another aspect than its photo; got 40x12; expected 16x12"):
        one(tmp_path, ("/m/01", block((12, 40), np.s_[:3, :6]))).labels(0)


def test_a_missing_mask_is_counted_and_its_photo_refused(tmp_path: Path) -> None:
    one(tmp_path, ("/m/01", block((12, 16), np.s_[:3, :6])))
    (tmp_path / "masks" / "p_0.png").unlink()
    index = open_dataset(tmp_path)
    assert index.listing.left_out == {"masks that are not here": 1}
    with pytest.raises(FormatError, match=r"a mask is not here; expected p_0\.png"):
        index.labels(0)


def test_photos_that_no_row_names_are_unlabelled(tmp_path: Path) -> None:
    save(tmp_path / "q.png", photo_of(1))
    index = one(tmp_path, ("/m/01", block((12, 16), np.s_[:3, :6])))
    assert [(record.name, record.label is None) for record in index.records] == [("p", False), ("q", True)]


def test_a_real_table_is_read(shared_data: Path) -> None:
    index = open_dataset(shared_data / "format_zoo_a" / "tests" / "assets" / "open_images_dataset")
    assert [record.name.split("/")[-1] for record in index.records if record.label] == ["b"]
