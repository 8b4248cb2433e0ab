from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from data.geo import tiles
from data.layouts import camvid, ids_of, index_mask, photo_of, save
from tessella.checking import check
from tessella.core.errors import InputError
from tessella.dataset.index import open_dataset
from tessella.dataset.lookalikes import lookalikes
from tessella.dataset.splits import SplitRule, assign, groups_by_name
from tessella.formats.listing import Record


def record(name: str, split: str = "", group: str = "") -> Record:
    # a label is all that a split asks for; the photo would be opened to look for look-alikes
    return Record(name, None, Path("m.png"), split, group)


def test_splits_of_the_data_set_are_kept() -> None:
    records = [record("a", "train"), record("b", "val"), record("c", "test")]
    assert assign(records, SplitRule())[0] == tuple(records)


def test_train_without_val_gives_a_part_of_train_to_val_and_leaves_test_alone() -> None:
    records = [*(record(f"{letter}x", "train") for letter in "abcdefghij"), record("t", "test")]
    settled, notes = assign(records, SplitRule())
    assert sorted(one.split for one in settled) == ["test"] + ["train"] * 8 + ["val"] * 2
    assert settled[-1].split == "test"
    assert "2 of 10 photos" in notes[0]


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    records = [record(f"p{letter}") for letter in "abcdefghijklmnopqrstuvwxyz"]
    once, again = (assign(records, SplitRule(seed=3))[0] for _ in range(2))
    assert once == again
    assert assign(records, SplitRule(seed=4))[0] != once


def test_photos_without_labels_belong_to_no_split() -> None:
    records = [record("a"), record("b"), Record("c", None, None)]
    assert [one.split for one in assign(records, SplitRule())[0]][-1] == ""


@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=12), seed=st.integers(0, 99), share=st.floats(0.05, 0.6))
def test_groups_never_straddle_and_both_sides_are_filled(sizes, seed, share) -> None:
    records = [record(f"{group}-{n}x", group=f"g{group}") for group, size in enumerate(sizes) for n in range(size)]
    settled, _ = assign(records, SplitRule(seed=seed, val_share=share))
    sides: dict[str, set[str]] = {}
    for one in settled:
        sides.setdefault(one.group, set()).add(one.split)
    assert all(len(side) == 1 for side in sides.values())
    assert {one.split for one in settled} == {"train", "val"}


def test_the_share_is_met_as_closely_as_groups_allow() -> None:
    records = [record(f"{letter}{n}x", group=letter) for letter in "abcdefghij" for n in range(10)]
    settled, _ = assign(records, SplitRule(val_share=0.3))
    assert sum(one.split == "val" for one in settled) == 30


def test_frames_of_one_video_are_a_group() -> None:
    names = [f"v{video}_{frame:04d}" for video in range(5) for frame in (1, 2, 3)]
    groups, notes = groups_by_name(names)
    assert len(set(groups)) == 5
    assert groups[0] == groups[1] != groups[3]
    assert notes == ["5 sequences told by file names"]


def test_one_long_sequence_is_cut_into_blocks_of_neighbours() -> None:
    groups, notes = groups_by_name([f"frame{number}" for number in range(100)])
    assert len(set(groups)) == 20
    assert len({groups[number] for number in range(5)}) == 1
    assert groups[9] != groups[10]
    assert notes == ["numbered photos are kept in blocks of neighbours"]


def test_blocks_follow_the_number_not_the_spelling() -> None:
    names = [f"p{number}" for number in range(40)]
    groups, _ = groups_by_name(names)
    assert groups[names.index("p2")] == groups[names.index("p3")]
    assert groups[names.index("p2")] != groups[names.index("p20")]


def test_copies_that_roboflow_augments_stay_together() -> None:
    names = [f"{letter}_jpg.rf.{'0123456789abcdef' * 2}{copy}" for letter in "abcdef" for copy in "01"]
    groups, _ = groups_by_name(names)
    assert groups[0] == groups[1] != groups[2]
    assert len(set(groups)) == 6


def test_names_without_numbers_are_one_group_each() -> None:
    assert groups_by_name(["ann", "bob", "cid"])[0] == ["ann", "bob", "cid"]


def test_look_alike_photos_stay_on_one_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number, letter in enumerate("abcdefgh"):
        pixels = photo_of(number // 2, (64, 64)) // np.uint8(2)
        save(tmp_path / "images" / f"{letter}.png", pixels + rng.integers(0, 2, pixels.shape, dtype=np.uint8))
        save(tmp_path / "masks" / f"{letter}.png", ids_of(number, (64, 64)))
    index = open_dataset(tmp_path)
    assert lookalikes(index.records) == [(0, 1), (2, 3), (4, 5), (6, 7)]
    for seed in range(4):
        splits = open_dataset(tmp_path, split_seed=seed).splits
        assert [splits[n] == splits[n + 1] for n in (0, 2, 4, 6)] == [True] * 4
    assert "8 photos look like others and stay with them" in index.split_notes


def test_thousands_of_like_frames_are_one_group_without_listing_every_pair(tmp_path: Path) -> None:
    save(tmp_path / "a.png", photo_of(0))
    records = [Record(f"x{number}", tmp_path / "a.png", None) for number in range(300)]
    pairs = lookalikes(records)
    assert len(pairs) <= 300 * 50
    assert {place for pair in pairs for place in pair} == set(range(300))


def test_a_photo_saved_again_as_jpeg_looks_alike(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(300), np.arange(400))[..., None] * np.array([1, 2, 3]) % 256
    save(tmp_path / "a.png", smooth.astype(np.uint8))
    save(tmp_path / "b.jpg", smooth.astype(np.uint8))
    records = [Record("a", tmp_path / "a.png", None), Record("b", tmp_path / "b.jpg", None)]
    assert lookalikes(records) == [(0, 1)]


def test_an_unreadable_photo_does_not_stop_the_split(tmp_path: Path) -> None:
    root = index_mask(tmp_path)
    (root / "images" / "p0.png").write_bytes(b"nothing")
    assert set(open_dataset(root).splits) == {"train", "val"}


def test_one_photo_cannot_be_split_and_says_so(tmp_path: Path) -> None:
    index = open_dataset(index_mask(tmp_path, count=1))
    assert index.split_names == ()
    with pytest.raises(InputError, match="one labelled photo cannot be split"):
        index.split("train")


def test_a_split_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no split 'test'; expected train, val"):
        open_dataset(camvid(tmp_path)).split("test")


@pytest.mark.parametrize("stated", [("train", "val"), ("train", "test")])
def test_labelled_photos_outside_the_stated_splits_are_counted_in_a_note(stated: tuple[str, str]) -> None:
    stray = [record("s"), record("t"), Record("u", None, None)]
    records = [*(record(f"{name}{letter}x", name) for name in stated for letter in "abc"), *stray]
    settled, notes = assign(records, SplitRule())
    assert settled[-3:] == tuple(stray)
    assert notes[-1] == "labelled photos in no split that the data set states, which are left out: 2"
    assert not any("left out" in note for note in assign(records[:-3], SplitRule())[1])


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_different_photos_of_few_of_their_bits_do_not_look_alike(tmp_path: Path, dtype: str) -> None:
    """Reflectances up to 400 in 16 bits are one and a half of 255 grey levels: every field equalled every other."""
    rng = np.random.default_rng(3)
    records = []
    for number in range(3):
        coarse = cv2.resize(rng.random((6, 6)).astype(np.float32), (64, 64)) * 400
        path = tmp_path / f"{number}.tif"
        tifffile.imwrite(path, (coarse if number < 2 else coarse * 0 + 7).astype(dtype))
        records.append(Record(path.stem, path, None))
    again = tmp_path / "9.tif"
    again.write_bytes((tmp_path / "0.tif").read_bytes())
    assert lookalikes([*records, Record("9", again, None)]) == [(0, 3)]


def test_photos_that_overlap_on_the_ground_stay_on_one_side(tmp_path: Path) -> None:
    places = {name: (500 * (number // 2) + 30 * (number % 2), 0) for number, name in enumerate("hgfedcba")}
    index = open_dataset(tiles(tmp_path, {f"set/{name}": place for name, place in places.items()}))
    for seed in range(4):
        drawn = open_dataset(tmp_path, split_seed=seed)
        side = dict(zip((Path(record.name).name for record in drawn.records), drawn.splits, strict=True))
        assert set(side.values()) == {"train", "val"}
        assert [side[one] == side[other] for one, other in ("hg", "fe", "dc", "ba")] == [True] * 4
        assert "D107" not in {f.code for f in check(drawn, codes=["D107"]).findings if f.severity == "warning"}
    assert "8 photos overlap others on the ground and stay with them" in index.split_notes


def test_a_mosaic_that_is_one_piece_is_split_all_the_same_and_this_is_said(tmp_path: Path) -> None:
    index = open_dataset(tiles(tmp_path, {f"set/{number:c}": (30 * number, 0) for number in range(97, 105)}))
    assert set(index.splits) == {"train", "val"}
    assert any("8 photos overlap others on the ground, too many to keep" in note for note in index.split_notes)
