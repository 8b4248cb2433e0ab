import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from data.folders import array_mask, mat, save_stack, tiff_stack
from data.layouts import ids_of, photo_of, save
from tessella.core.errors import FormatError, ImageError, InputError, LabelError
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.files.images import read_header
from tessella.files.values.pages import read_page, read_stack
from tessella.formats.arrays.stored import image_of, mask_of


def ids(index: Index, position: int = 0) -> np.ndarray:
    labels = index.labels(position)
    assert labels is not None
    return labels.ids


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 3], [255, 1]], np.int64), np.array([[0, 3], [255, 1]], np.uint8)),
        (np.array([[[0, 3]]], np.int32), np.array([[0, 3]], np.uint8)),
        (np.array([[[0], [3]], [[1], [2]]], np.int32), np.array([[0, 3], [1, 2]], np.uint8)),
        (np.array([[True, False]]), np.array([[1, 0]], np.uint8)),
        (np.array([[-1, 2]], np.int16), np.array([[255, 2]], np.uint8)),
        (np.array([[0.0, 7.0]], np.float64), np.array([[0, 7]], np.uint8)),
        (np.array([[0, 300]], np.uint16), np.array([[0, 300]], np.uint16)),
    ],
)
def test_arrays_that_hold_ids_are_masks(array: np.ndarray, expected: np.ndarray) -> None:
    pixels = mask_of(array, where="x").pixels
    assert pixels.dtype == expected.dtype
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((2, 3, 4)), "no label map"),
        (np.zeros((0, 4), np.uint8), "no label map"),
        (np.array([[0.5]]), "fractions"),
        (np.array([[np.nan]]), "fractions"),
        (np.array([[-2]]), "no class ids"),
        (np.array([[70000]]), "no class ids"),
        (np.array([[1j]]), "no numbers"),
    ],
)
def test_arrays_that_hold_no_ids_are_refused_with_the_reason(array: np.ndarray, says: str) -> None:
    with pytest.raises(LabelError, match=says):
        mask_of(array, where="x")


@pytest.mark.parametrize(
    ("shape", "dtype", "becomes"),
    [
        ((4, 5), np.uint8, ((4, 5, 1), "uint8")),
        ((4, 5, 3), np.uint16, ((4, 5, 3), "uint16")),
        ((3, 4, 5), np.uint8, ((4, 5, 3), "uint8")),
        ((40, 50, 7), np.float64, ((40, 50, 7), "float32")),
        ((4, 5, 3), np.int32, ((4, 5, 3), "uint16")),
    ],
)
def test_arrays_that_are_photos(shape: tuple, dtype: type, becomes: tuple) -> None:
    image = image_of(np.ones(shape, dtype), where="x")
    assert (image.pixels.shape, image.dtype) == becomes


@pytest.mark.parametrize(
    "array", [np.zeros(3), np.zeros((2, 2, 99), np.uint8), np.full((2, 2), -1), np.zeros((2, 2), complex)]
)
def test_arrays_that_are_no_photos_are_refused(array: np.ndarray) -> None:
    with pytest.raises(LabelError):
        image_of(array, where="x")


def test_masks_in_arrays_keep_their_ids(tmp_path: Path) -> None:
    index = open_dataset(array_mask(tmp_path))
    np.testing.assert_array_equal(ids(index, 2), ids_of(2))
    assert all(record.key for record in index.records)  # so that no repair writes a picture over an array


def test_photo_and_mask_may_lie_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for seed in range(2):
        np.savez(tmp_path / "set" / f"p{seed}.npz", image=photo_of(seed), mask=ids_of(seed))
    index = open_dataset(tmp_path / "set")
    assert index.format == "array-mask"
    assert index.records[0].image is None
    np.testing.assert_array_equal(index.image(1).pixels, photo_of(1))
    np.testing.assert_array_equal(ids(index, 1), np.where(ids_of(1) == 255, 255, ids_of(1)))
    convert(index, tmp_path / "out", to="index-mask")
    np.testing.assert_array_equal(open_dataset(tmp_path / "out").image(0).pixels, photo_of(0))


def test_arrays_meet_the_only_photo_of_their_stem_in_any_folder(tmp_path: Path) -> None:
    save(tmp_path / "pictures" / "a.jpg", photo_of(0))
    (tmp_path / "classes_per_pixel").mkdir()
    np.save(tmp_path / "classes_per_pixel" / "a.npy", ids_of(0))
    assert len(open_dataset(tmp_path).labelled()) == 1


def test_volumes_and_python_objects_are_refused_and_never_executed(tmp_path: Path) -> None:
    root = array_mask(tmp_path / "set")
    np.save(root / "masks" / "p0.npy", np.zeros((3, 12, 16), np.uint8))
    index = open_dataset(root)
    with pytest.raises(FormatError, match=r"p0\.npy: no array of this file can be a mask; got array \(3, 12, 16\)"):
        index.labels(0)
    np.save(root / "masks" / "p1.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"p1\.npy"):
        index.labels(1)


def test_arrays_without_photos_are_answered_with_what_is_missing(tmp_path: Path) -> None:
    np.save(tmp_path / "a_label.npy", np.zeros((2, 3, 4), np.uint8))
    np.save(tmp_path / "a_data.npy", np.zeros((2, 3, 4), np.uint8))
    with pytest.raises(FormatError, match="no array here is the mask of a photo; got 2 arrays without a photo"):
        open_dataset(tmp_path)


def test_sbd_has_vocs_classes_and_its_lists(tmp_path: Path) -> None:
    index = open_dataset(mat(tmp_path))
    assert index.table.names[1] == "aeroplane"
    assert [record.split for record in index.records] == ["train", "train", "train", "val"]
    np.testing.assert_array_equal(ids(index, 1), ids_of(1))


@pytest.mark.parametrize("name", ["LabelMap", "mask", "anything"])
def test_a_plain_matrix_is_a_mask(tmp_path: Path, name: str) -> None:
    save(tmp_path / "img" / "a.jpg", photo_of(0))
    (tmp_path / "label").mkdir()
    savemat(tmp_path / "label" / "a.mat", {name: ids_of(0).astype(np.uint16), "scale": 3.0})
    np.testing.assert_array_equal(ids(open_dataset(tmp_path)), np.where(ids_of(0) == 255, 255, ids_of(0)))


def test_a_matlab_file_without_a_mask_says_what_it_holds(tmp_path: Path) -> None:
    root = mat(tmp_path)
    savemat(root / "cls" / "p0.mat", {"one": ids_of(0), "two": ids_of(0)})
    index = open_dataset(root)
    with pytest.raises(FormatError, match=r"p0\.mat: no variable of this file can be a mask; got one \(12, 16\), two"):
        index.labels(0)


def test_every_page_of_a_stack_is_a_sample(tmp_path: Path) -> None:
    index = open_dataset(tiff_stack(tmp_path))
    assert [record.name for record in index.records] == [f"images/volume/{page}" for page in range(4)]
    assert {record.group for record in index.records} == {"images/volume"}
    for seed in range(4):
        np.testing.assert_array_equal(index.image(seed).pixels[..., 0], photo_of(seed)[..., 0])
        np.testing.assert_array_equal(ids(index, seed), np.where(ids_of(seed) == 255, 255, ids_of(seed)))


def test_stacks_of_different_length_are_left_out_with_a_note(tmp_path: Path) -> None:
    root = tiff_stack(tmp_path)
    save_stack(root / "images" / "other.tif", [photo_of(0)[..., 0]] * 3)
    save_stack(root / "labels" / "other.tif", [ids_of(0)] * 2)
    index = open_dataset(root, format="tiff-stack")
    assert len(index) == 4
    assert any("1 pairs without several pages" in note for note in index.listing.notes)


def test_a_stack_of_object_numbers_is_one_class(shared_data: Path) -> None:
    index = open_dataset(shared_data / "stardist_instances" / "tests", format="tiff-stack")
    assert index.table.names == ("background", "object")
    assert len(index) == 31
    assert set(np.unique(ids(index, 15))) == {0, 1}


def test_pages_are_read_one_by_one_within_the_budget(tmp_path: Path) -> None:
    path = save_stack(tmp_path / "x.tif", [ids_of(0), ids_of(1)])
    assert read_stack(path) == (2, (12, 16), 1, "uint8")
    np.testing.assert_array_equal(read_page(path, 1), ids_of(1))
    with pytest.raises(ImageError, match="no such page"):
        read_page(path, 2)
    with pytest.raises(ImageError, match="larger than the pixel budget"):
        read_page(path, 0, max_pixels=10)
    with pytest.raises(InputError, match="no such file"):
        read_stack(tmp_path / "absent.tif")
    Image.fromarray(ids_of(0)).save(tmp_path / "no.png")
    with pytest.raises(ImageError, match=r"no\.png"):
        read_stack(tmp_path / "no.png")


@pytest.mark.parametrize("back_to", [0, 1])
def test_pages_that_follow_each_other_in_a_circle_are_refused(tmp_path: Path, back_to: int) -> None:
    path = save_stack(tmp_path / "x.tif", [ids_of(0), ids_of(1)])
    data = bytearray(path.read_bytes())
    places = [struct.unpack_from("<I", data, 4)[0]]
    for _ in range(2):
        end = places[-1] + 2 + 12 * struct.unpack_from("<H", data, places[-1])[0]
        places.append(struct.unpack_from("<I", data, end)[0])
    assert places[2] == 0
    struct.pack_into("<I", data, end, places[back_to])
    path.write_bytes(data)
    for read in (read_stack, read_header):
        with pytest.raises(ImageError, match="in a circle"):
            read(path)
