import json
from pathlib import Path

import numpy as np
import pytest

from data.layouts import index_mask, save, write_classes_toml
from tessella.core.errors import InputError
from tessella.dataset.facts import measure
from tessella.dataset.index import open_dataset


def two_photos(root: Path) -> Path:
    """4x4 red 10 with a 2x2 block of class 1, and 2x8 red 30 that is half ignored."""
    first, second = np.zeros((4, 4, 3), np.uint8), np.zeros((2, 8, 3), np.uint8)
    first[..., 0], second[..., 0] = 10, 30
    ids, other = np.zeros((4, 4), np.uint8), np.zeros((2, 8), np.uint8)
    ids[1:3, 1:3] = 1
    other[:, 4:] = 255
    for name, pixels, mask in (("a", first, ids), ("b", second, other)):
        save(root / "images" / f"{name}.png", pixels)
        save(root / "masks" / f"{name}.png", mask)
    write_classes_toml(root)
    return root


def test_the_facts_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    facts = measure(open_dataset(two_photos(tmp_path)))
    assert (facts.samples, facts.measured, facts.broken) == (2, 2, 0)
    assert (facts.hw_min, facts.hw_median, facts.hw_max) == ((2, 4), (3, 6), (4, 8))
    assert facts.class_pixels == (20, 4, 0)
    assert facts.ignore_pixels == 8
    assert facts.class_share == pytest.approx((20 / 24, 4 / 24, 0))
    assert facts.class_photos == (2, 1, 0)
    assert facts.object_px[1:] == (2.0, 0.0)
    assert facts.mean == (20.0, 0.0, 0.0)
    assert facts.std == (10.0, 0.0, 0.0)
    assert facts.bands == ("red", "green", "blue")
    assert facts.dtype == "uint8"
    assert facts.decoded_bytes == 2 * 16 * 4


def test_sixteen_bit_photos_are_measured_in_their_own_units(tmp_path: Path) -> None:
    import cv2

    pixels = np.array([[1000, 3000], [1000, 3000]], np.uint16)
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), pixels)
    save(tmp_path / "masks" / "a.png", np.zeros((2, 2), np.uint8))
    facts = measure(open_dataset(tmp_path))
    assert (facts.dtype, facts.mean, facts.std) == ("uint16", (2000.0,), (1000.0,))


def test_only_as_many_photos_as_asked_are_decoded_and_the_memory_is_extrapolated(tmp_path: Path) -> None:
    index = open_dataset(index_mask(tmp_path, count=10))
    facts = measure(index, sample_limit=3, seed=1)
    assert (facts.samples, facts.measured) == (10, 3)
    assert facts.decoded_bytes == 10 * 12 * 16 * 4
    again = measure(index, sample_limit=3, seed=1)
    assert again.class_pixels == facts.class_pixels


def test_broken_photos_are_counted_and_left_out(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    (root / "images" / "p0.png").write_bytes(b"broken")
    facts = measure(open_dataset(root))
    assert (facts.samples, facts.measured, facts.broken) == (4, 3, 1)


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    root = index_mask(tmp_path, count=1)
    (root / "images" / "p0.png").write_bytes(b"broken")
    with pytest.raises(InputError, match="no labelled photo"):
        measure(open_dataset(root))


def test_the_facts_are_plain_json(tmp_path: Path) -> None:
    facts = measure(open_dataset(two_photos(tmp_path)))
    assert json.loads(json.dumps(facts.to_json()))["class_pixels"] == [20, 4, 0]


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    measure(open_dataset(index_mask(tmp_path)), progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_photos_of_another_depth_stay_out_of_the_mean(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "images").mkdir()
    for name, pixels in (("a", np.full((2, 2), 100, np.uint8)), ("b", np.full((2, 2), 60000, np.uint16))):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), pixels)
        save(tmp_path / "masks" / f"{name}.png", np.zeros((2, 2), np.uint8))
    facts = measure(open_dataset(tmp_path))
    assert (facts.dtype, facts.mean, facts.std) == ("uint8", (100.0,), (0.0,))


def test_the_bands_are_those_of_most_photos_whichever_comes_first(tmp_path: Path) -> None:
    for name, pixels in (
        ("a", np.full((2, 2), 7, np.uint8)),
        ("b", np.full((2, 2, 3), 100, np.uint8)),
        ("c", np.full((4, 2, 3), 40, np.uint8)),
    ):
        save(tmp_path / "images" / f"{name}.png", pixels)
        save(tmp_path / "masks" / f"{name}.png", np.zeros(pixels.shape[:2], np.uint8))
    facts = measure(open_dataset(tmp_path))
    assert facts.bands == ("red", "green", "blue")
    assert facts.mean == (60.0,) * 3  # 4 pixels of 100 and 8 of 40
    assert facts.measured == 3
