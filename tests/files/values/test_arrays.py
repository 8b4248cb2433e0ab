"""Arrays in files: the numbers that NumPy and SciPy wrote, and nothing that a file could do besides."""

import contextlib
import itertools
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat

from tessella.core.errors import FormatError, ImageError, InputError, TessellaError
from tessella.files.values.arrays import array_headers, read_array

IDS = np.arange(12, dtype=np.uint8).reshape(3, 4)
KINDS = ("bool", "u1", "i2", "<u4", ">u2", "i8", "f2", ">f4", "f8")


def saved(path: Path, array: np.ndarray) -> Path:
    np.save(path, array, allow_pickle=True)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", "CF")
def test_an_array_comes_back_in_the_machines_byte_order(kind, order, tmp_path):
    array = np.asarray(IDS.astype(kind), order=order)
    path = saved(tmp_path / "a.npy", array)
    (header,) = array_headers(path).values()
    assert (header.shape, header.dtype) == ((3, 4), array.dtype)
    back = read_array(path)
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.dtype.isnative
    assert back.flags.c_contiguous


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(array=hnp.arrays(st.sampled_from(KINDS), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0)))
def test_any_shape_is_read_as_numpy_reads_it(array, tmp_path):
    path = saved(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_array(path), np.load(path))
    np.savez_compressed(tmp_path / "a.npz", array)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npz"), array)


def test_the_arrays_of_an_npz_are_known_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", ids=IDS, photo=np.zeros((2, 2, 3)))
    path = tmp_path / "a.npz"
    assert {name: header.shape for name, header in array_headers(path).items()} == {"ids": (3, 4), "photo": (2, 2, 3)}
    np.testing.assert_array_equal(read_array(path, "ids"), IDS)
    with pytest.raises(FormatError, match="does not hold one array; got ids, photo"):
        read_array(path)
    with pytest.raises(FormatError, match="there is no array 'id'"):
        read_array(path, "id")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.array([{}], dtype=object), "pickle can run any program"),
        (np.zeros(3, [("a", "i4"), ("b", "O")]), "no plain numbers; got a record"),
        (np.array(["text"]), "no plain numbers"),
        (IDS * 1j, "no plain numbers"),
        (np.zeros(2, "datetime64[s]"), "header is damaged|no plain numbers|unknown type"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(array, says, tmp_path):
    path = saved(tmp_path / "a.npy", array)
    for read in (array_headers, read_array):
        with pytest.raises(FormatError, match=f"a.npy: .*({says})"):
            read(path)


def header(text: str, *, version: int = 1) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text.encode()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_other_writers_headers_are_understood(version, tmp_path):
    text = "{'shape': (3L, 4L), 'fortran_order': False, \"descr\": '|u1'}"
    (tmp_path / "a.npy").write_bytes(header(text, version=version) + IDS.tobytes())
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), IDS)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a NumPy or MATLAB array file"),
        (b"\x93NUMPY", "not a NumPy array"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (4)}")[:30], "header is damaged"),
        (header("{'descr': '|u1', 'fortran_order': maybe, 'shape': (4,)}"), "header is damaged"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (-4,)}"), "header is damaged"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': __import__('os')}"), "header is damaged"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}"), "too many axes"),
        (header("{'descr': '|q9', 'fortran_order': False, 'shape': (4,)}"), "unknown type"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}") + b"123", "cut off, or something follows"),
        (header("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}") + b"12345", "cut off, or something follows"),
        (b"\x93NUMPY\2\0\xff\xff\xff\xff", "header is too long"),
    ],
)
def test_a_damaged_header_is_refused(data, says, tmp_path):
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(FormatError, match=says):
        read_array(tmp_path / "a.npy")


def test_the_budget_holds_before_anything_is_read(tmp_path):
    path = saved(tmp_path / "a.npy", IDS)
    assert read_array(path, max_pixels=12).size == 12
    with pytest.raises(ImageError, match=r"3x4 = 12 numbers; expected at most 11; .*--max-pixels 12"):
        read_array(path, max_pixels=11)


def test_a_bool_that_is_neither_true_nor_false_is_true(tmp_path):
    (tmp_path / "a.npy").write_bytes(header("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}") + b"\0\1\7")
    assert read_array(tmp_path / "a.npy").tolist() == [False, True, True]


def test_an_npz_that_numpy_did_not_write_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "")
    with pytest.raises(FormatError, match="holds no array"):
        array_headers(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY")
    with pytest.raises(FormatError, match="not a NumPy array file"):
        array_headers(path)
    path.write_bytes(b"PK\3\4 and nothing")
    with pytest.raises(FormatError, match="damaged"):
        array_headers(path)
    with pytest.raises(InputError, match="no such file"):
        array_headers(tmp_path / "none.npz")


CONTENT = {
    "ids": IDS, "real": IDS.astype(float), "flags": IDS > 3, "single": IDS.astype("f4"), "wide": IDS.astype("i8"),
    "cube": np.arange(24, dtype=np.int32).reshape(2, 3, 4), "none": np.zeros((0, 3)),
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_matlab_arrays_are_what_scipy_reads(packed, tmp_path):
    path = tmp_path / "a.mat"
    savemat(path, CONTENT | {"text": "words", "imaginary": IDS * 1j, "empty": {}}, do_compression=packed)
    theirs, headers = loadmat(path), array_headers(path)
    assert set(CONTENT) == set(headers)
    for name, expected in CONTENT.items():
        mine = read_array(path, name)
        np.testing.assert_array_equal(mine, theirs[name])
        assert headers[name].shape == mine.shape == expected.shape
        assert mine.dtype == expected.dtype
        assert mine.flags.c_contiguous


@pytest.mark.parametrize("packed", [False, True])
def test_structs_and_cells_are_gone_into(packed, tmp_path):
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = {"Segmentation": IDS, "Boundaries": IDS > 2}, IDS.astype("u2")
    several = np.zeros((1, 2), [("a", object), ("b", object)])
    several["a"], several["b"] = 1.0, 2.0
    tree = {"GTcls": {"Categories": "x", "Inner": {"Segmentation": IDS}}, "groundTruth": cells, "several": several}
    savemat(tmp_path / "a.mat", tree, do_compression=packed)
    assert sorted(array_headers(tmp_path / "a.mat")) == [
        "GTcls.Inner.Segmentation", "groundTruth[0].Boundaries", "groundTruth[0].Segmentation", "groundTruth[1]",
        "several[0].a", "several[0].b", "several[1].a", "several[1].b",
    ]  # fmt: skip
    np.testing.assert_array_equal(read_array(tmp_path / "a.mat", "GTcls.Inner.Segmentation"), IDS)
    np.testing.assert_array_equal(read_array(tmp_path / "a.mat", "groundTruth[1]"), IDS)
    assert read_array(tmp_path / "a.mat", "several[1].b").tolist() == [[2.0]]


def test_a_big_endian_matlab_file_is_read(tmp_path):
    body = struct.pack(">II", 6, 8) + struct.pack(">II", 11, 0) + struct.pack(">IIii", 5, 8, 1, 2)
    body += struct.pack(">HH4s", 1, 1, b"m\0\0\0") + struct.pack(">HHHH", 4, 4, 1, 258)
    data = b"MATLAB 5.0".ljust(124) + b"\1\0MI" + struct.pack(">II", 14, len(body)) + body
    (tmp_path / "a.mat").write_bytes(data)
    assert loadmat(tmp_path / "a.mat")["m"].tolist() == read_array(tmp_path / "a.mat").tolist() == [[1, 258]]


def test_a_matlab_file_of_version_7_3_says_how_to_save_it(tmp_path):
    for start in (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM", b"\x89HDF\r\n\x1a\n"):
        (tmp_path / "a.mat").write_bytes(start + bytes(600))
        with pytest.raises(FormatError, match=r"version 7\.3, .*'-v7'"):
            array_headers(tmp_path / "a.mat")


def test_damage_in_a_matlab_file_gives_our_error_or_an_array(tmp_path):
    for packed in (False, True):
        path = tmp_path / "a.mat"
        savemat(path, {"s": {"ids": IDS, "t": IDS > 2}, "c": np.array([IDS, "x"], object)}, do_compression=packed)
        whole = path.read_bytes()
        for place, byte in itertools.product(range(116, len(whole), 1 if packed else 3), (0, 255, 14)):
            path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            with contextlib.suppress(TessellaError):
                for name in array_headers(path):
                    read_array(path, name)


def test_a_packed_matlab_array_is_unpacked_no_further_than_it_says(tmp_path):
    body = struct.pack("<IIII", 6, 8, 9, 0) + struct.pack("<IIii", 5, 8, 1, 1) + struct.pack("<HHcxxx", 1, 1, b"m")
    body += struct.pack("<II", 2, 1 << 20) + bytes(1 << 20)
    packed = zlib.compress(struct.pack("<II", 14, len(body)) + body)
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, len(packed)) + packed)
    assert array_headers(path)["m"].shape == (1, 1)
    with pytest.raises(FormatError, match="'m' is not as large as it says"):
        read_array(path)


def test_a_struct_in_a_struct_has_an_end(tmp_path):
    tree: dict = {"ids": IDS}
    for _ in range(20):
        tree = {"s": tree}
    savemat(tmp_path / "a.mat", tree)
    with pytest.raises(FormatError, match="nested too deeply"):
        array_headers(tmp_path / "a.mat")
