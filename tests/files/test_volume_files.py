"""Volume files against nibabel, pynrrd and pydicom; orientation by hand; what is refused before it is decoded."""

import gzip
import itertools
from pathlib import Path

import nibabel
import nrrd as pynrrd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.volumes import LPS_FROM_RAS, dicom_segmentation, dicom_slice, nifti_file, nrrd_file
from tessella.core.errors import ImageError, InputError, LabelError, MissingExtraError
from tessella.files.volumes import voxels as kept
from tessella.files.volumes.dicom import kept_frames, read_segmentation, read_slice, read_slice_header
from tessella.files.volumes.grid import Grid
from tessella.files.volumes.header import check_size, read_stored
from tessella.files.volumes.nifti import is_nifti, read_nifti_header
from tessella.files.volumes.nrrd import read_nrrd_header
from tessella.files.volumes.voxels import Meaning, read_labels, read_merged, read_picture, read_volume_header

ZYX = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
"""Slices from the feet up, rows from the front to the back, columns from the patient's right to the left."""


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_every_orientation_of_one_body_gives_the_same_slices(tmp_path: Path, name: str, kind: type) -> None:
    stored, affine = np.swapaxes(ZYX, 0, 2), LPS_FROM_RAS
    for axes in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            turned = np.transpose(stored, axes)[tuple(slice(None, None, sign) for sign in signs)]
            moved = np.eye(4)
            for new, (old, sign) in enumerate(zip(axes, signs, strict=True)):
                moved[:3, new] = 0
                moved[old, new] = sign
                moved[old, 3] = 0 if sign == 1 else stored.shape[old] - 1
            path = tmp_path / name
            nibabel.save(kind(np.ascontiguousarray(turned), affine @ moved), path)
            np.testing.assert_array_equal(read_labels(path), ZYX)


@given(st.lists(st.floats(-0.4, 0.4), min_size=9, max_size=9), st.permutations(range(3)), st.integers(0, 7))
def test_oblique_volumes_are_turned_as_nibabel_turns_them(lean: list, axes: list, signs: int) -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.array(lean).reshape(3, 3) * 0.9
    for new, old in enumerate(axes):
        affine[old, new] += -1 if signs >> new & 1 else 1
    stored = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
    theirs = np.asarray(nibabel.as_closest_canonical(nibabel.Nifti1Image(stored, affine)).dataobj)
    mine = Grid((5, 4, 3), np.diag([-1.0, -1, 1, 1]) @ affine).turn_voxels(stored[..., None], "x")[..., 0]
    np.testing.assert_array_equal(mine, np.swapaxes(theirs, 0, 2)[:, ::-1, ::-1])


def test_a_slice_is_seen_as_radiologists_see_it(tmp_path: Path) -> None:
    """In RAS+, the order of nibabel, the first voxel is left, back, feet: it is shown at the right, at the bottom."""
    assert nibabel.aff2axcodes(np.eye(4)) == ("R", "A", "S")
    stored = np.zeros((4, 3, 2), np.uint8)
    stored[0, 0, 0] = 1
    nibabel.save(nibabel.Nifti1Image(stored, np.eye(4)), tmp_path / "a.nii")
    assert np.argwhere(read_labels(tmp_path / "a.nii")).tolist() == [[0, 2, 3]]


def test_grids_that_agree_after_turning_are_the_same_and_others_are_told_apart_with_figures() -> None:
    one = Grid((5, 4, 3), np.eye(4))
    flipped = np.diag([-1.0, 1, 1, 1])
    flipped[0, 3] = 4
    assert one.differs(Grid((5, 4, 3), flipped), "x") == ""
    assert one.differs(Grid((5, 4, 2), np.eye(4)), "x") == "5x4x3 voxels against 5x4x2"
    coarse = one.differs(Grid((5, 4, 3), np.diag([2.0, 1, 1, 1])), "x")
    assert coarse.startswith("voxels of 1x1x1 mm from (0.0, 0.0, 0.0) against 2x1x1 mm")
    assert coarse.endswith("4.0 mm apart")


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.diag([1.0, 1, 0, 1])])
def test_voxels_in_a_plane_or_nowhere_are_refused(affine: np.ndarray) -> None:
    with pytest.raises(ImageError, match="nowhere"):
        Grid((5, 4, 3), affine).turned("x")


@given(st.lists(st.floats(-5, 5), min_size=9, max_size=9))
def test_any_axes_that_span_space_are_turned_by_a_permutation(numbers: list) -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.array(numbers).reshape(3, 3)
    grid = Grid((5, 4, 3), affine)
    try:
        axes, signs = grid.turn("x")
    except ImageError:
        return
    assert sorted(axes) == [0, 1, 2]
    assert set(signs) <= {1, -1}
    shape, moved = grid.turned("x")
    assert sorted(shape) == [3, 4, 5]
    # the first voxel is a corner as stored; compared in space, for the inverse of nearly flat axes has no digits left
    corners = [affine @ np.array([*at, 1]) for at in itertools.product(*((0, size - 1) for size in grid.shape))]
    assert min(np.abs(moved @ np.array([0, 0, 0, 1]) - corner).max() for corner in corners) < 1e-12


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64", "int64"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_values_are_those_that_nibabel_reads(tmp_path: Path, dtype: str, order: str) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 200, (5, 4, 3)).astype(np.dtype(dtype).newbyteorder(order))
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(np.dtype(dtype))
    picture = nibabel.Nifti1Image(values, LPS_FROM_RAS, header)
    nibabel.save(picture, tmp_path / "a.nii.gz")
    stored = read_stored(read_nifti_header(tmp_path / "a.nii.gz"))[..., 0]
    np.testing.assert_array_equal(stored, np.asarray(nibabel.load(tmp_path / "a.nii.gz").dataobj))


def test_a_slope_makes_hounsfield_units_and_stored_eight_bits_stay(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "a.nii.gz", ZYX.astype(np.int16))
    with path.open("rb") as stream:
        data = bytearray(gzip.decompress(stream.read()))
    data[112:120] = np.array([2, -1024], "<f4").tobytes()  # scl_slope, scl_inter
    path.write_bytes(gzip.compress(bytes(data)))
    image = read_picture([path], 1)
    assert image.dtype == "float32"
    np.testing.assert_array_equal(image.pixels[..., 0], ZYX[1] * 2.0 - 1024)
    assert read_picture([nifti_file(tmp_path / "b.nii", ZYX)], 1).dtype == "uint8"


def test_modalities_are_bands(tmp_path: Path) -> None:
    picture = nibabel.Nifti1Image(np.stack([np.swapaxes(ZYX + band, 0, 2) for band in range(4)], axis=3), LPS_FROM_RAS)
    nibabel.save(picture, tmp_path / "a.nii.gz")
    image = read_picture([tmp_path / "a.nii.gz"], 2)
    np.testing.assert_array_equal(image.pixels, np.stack([ZYX[2] + band for band in range(4)], axis=2))


def test_integers_stored_as_floats_are_labels_and_fractions_are_refused_with_their_place(tmp_path: Path) -> None:
    whole = nifti_file(tmp_path / "whole.nii.gz", ZYX.astype(np.float32))
    np.testing.assert_array_equal(read_labels(whole), ZYX)
    values = ZYX.astype(np.float32)
    values[1, 2, 3] = 0.25
    with pytest.raises(LabelError, match=r"0\.25 at slice 1, row 2, column 3; fractions in 1\.7% of the voxels"):
        read_labels(nifti_file(tmp_path / "share.nii.gz", values))
    values[1, 2, 3] = np.nan
    with pytest.raises(LabelError, match="nan at slice 1"):
        read_labels(nifti_file(tmp_path / "nan.nii.gz", values))


@pytest.mark.parametrize(("value", "got"), [(-1, "-1 to 59"), (70_000, "0 to 70000")])
def test_numbers_that_are_no_classes_are_refused(tmp_path: Path, value: int, got: str) -> None:
    values = ZYX.astype(np.int32)
    values[0, 0, 1] = value
    with pytest.raises(LabelError, match=got):
        read_labels(nifti_file(tmp_path / "a.nii.gz", values))


def test_an_unknown_kind_of_number_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "a.nii", ZYX)
    data = bytearray(path.read_bytes())
    data[70:72] = b"\x4b\0"  # datatype 75
    path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match=r"a\.nii"):
        read_labels(path)


def test_a_header_that_claims_more_than_its_file_can_hold_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "a.nii", ZYX)
    data = bytearray(path.read_bytes())
    data[42:48] = np.array([1000, 500, 500], "<i2").tobytes()  # dim[1..3]
    path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="cut off, or its header is damaged"):
        check_size(read_nifti_header(path), max_pixels=None)
    data[42:48] = np.array([32000, 32000, 32000], "<i2").tobytes()
    path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="pixel budget"):
        read_labels(path)


def test_a_bomb_of_zeros_is_refused_by_the_ratio(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "a.nii", np.zeros((3, 4, 5), np.uint8))
    data = bytearray(path.read_bytes())
    data[42:48] = np.array([600, 600, 600], "<i2").tobytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(bytes(data)))
    with pytest.raises(ImageError, match="cut off"):
        read_labels(tmp_path / "b.nii.gz")


@pytest.mark.parametrize("keep", [0, 10, 100, 300])
def test_a_volume_that_is_cut_off_is_an_error_that_names_it(tmp_path: Path, keep: int) -> None:
    path = nifti_file(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 255, (9, 9, 9)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ImageError, match=r"a\.nii\.gz"):
        read_labels(path)


def test_a_flipped_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = nifti_file(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 255, (9, 9, 9)).astype(np.uint8))
    data = bytearray(path.read_bytes())
    data[-6] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ImageError, match="damaged"):
        read_labels(path)


def test_a_volume_is_decoded_once_for_all_its_slices_and_anew_when_it_was_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(kept, "read_stored", lambda header: calls.append(header.path) or read_stored(header))
    path = nifti_file(tmp_path / "a.nii.gz", ZYX)
    for number in (0, 1, 2, 1):
        read_picture([path], number)
    assert len(calls) == 1
    nifti_file(path, np.concatenate([ZYX, ZYX + 1]))
    assert read_picture([path], 5).hw == (4, 5)
    assert len(calls) == 2


def test_without_nibabel_the_install_line_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = nifti_file(tmp_path / "a.nii", ZYX)
    monkeypatch.setattr("tessella.core.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tessella\[medical\]'"):
        read_volume_header(path)


def test_names_in_the_extension_of_totalsegmentator_are_read(tmp_path: Path) -> None:
    picture = nibabel.Nifti1Image(np.swapaxes(ZYX, 0, 2), LPS_FROM_RAS)
    table = b'<CaretExtension><VolumeInformation><LabelTable><Label Key="5"><![CDATA[liver]]></Label></LabelTable>'
    table += b"</VolumeInformation></CaretExtension>"
    picture.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, table))
    nibabel.save(picture, tmp_path / "a.nii.gz")
    (segment,) = read_volume_header(tmp_path / "a.nii.gz").segments
    assert (segment.name, segment.value) == ("liver", 5)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_values_are_those_that_pynrrd_writes(tmp_path: Path, encoding: str, dtype: str) -> None:
    path = tmp_path / "a.nrrd"
    values = np.swapaxes(ZYX.astype(dtype), 0, 2)
    head = {"space": "left-posterior-superior", "space directions": np.eye(3), "space origin": [1.0, 2, 3]}
    pynrrd.write(str(path), values, {**head, "encoding": encoding})
    header = read_nrrd_header(path)
    check_size(header, max_pixels=None)
    np.testing.assert_array_equal(read_stored(header)[..., 0], values)
    np.testing.assert_array_equal(header.grid.affine[:3, 3], [1, 2, 3])
    np.testing.assert_array_equal(read_labels(path), ZYX)


def test_a_detached_data_file_is_read_from_its_folder_and_from_nowhere_else(tmp_path: Path) -> None:
    values = np.swapaxes(ZYX, 0, 2)
    pynrrd.write(str(tmp_path / "a.nhdr"), values, detached_header=True, relative_data_path=True)
    np.testing.assert_array_equal(read_stored(read_nrrd_header(tmp_path / "a.nhdr"))[..., 0], values)
    text = (tmp_path / "a.nhdr").read_text()
    named = next(line for line in text.splitlines() if line.startswith("data file"))
    for bad, says in {
        "../a.raw": "outside the data set",
        "/etc/passwd": "outside the data set",
        "../a%d.raw 1 3 1": "outside the data set",
        "LIST\n../1.raw\n../2.raw\n../3.raw": "outside the data set",
        "LIST": "another number of data files.*0 files.*3 for sizes 5 4 3, 2 axes in each",
        "LIST 9\na": "data file",
        "a%03d.raw 1 9 1": "another number of data files.*9 files",
        "a%03d.raw 1 3 1": r"3 of 3 data files are not there; got a001\.raw",
        "a%03d.raw 1 3 0": "cannot be understood",
        "a%03d.raw 1 99999999 1": "cannot be understood",
        "a%n.raw 1 3 1": "cannot be understood",
        "a%d%d.raw 1 3 1": "cannot be understood",
    }.items():
        (tmp_path / "b.nhdr").write_text(text.replace(named, "").rstrip() + f"\ndata file: {bad}\n")
        with pytest.raises(InputError, match=says):
            read_nrrd_header(tmp_path / "b.nhdr")


@pytest.mark.parametrize("encoding", ["raw", "gzip", "ascii"])
@pytest.mark.parametrize(
    ("field", "axes"), [("LIST", 2), ("s %02d.raw 8 12 2", 2), ("LIST 1", 1), ("%d.raw 0 11 1 1", 1)]
)
def test_values_may_lie_in_many_files(tmp_path: Path, encoding: str, field: str, axes: int) -> None:
    """Files of a slice, or of a row, each with seven bytes in front where they are raw."""
    values = ZYX.astype("<i2") * 100
    parts = values.reshape(-1, *values.shape[3 - axes :])
    names = [f"z{number}.raw" for number in range(len(parts))] if "LIST" in field else None
    names = names or ([f"s {n:02d}.raw" for n in (8, 10, 12)] if axes == 2 else [f"{n}.raw" for n in range(12)])
    for name, part in zip(names, parts, strict=True):
        packed = {"raw": bytes(7) + part.tobytes(), "gzip": gzip.compress(part.tobytes())}
        (tmp_path / name).write_bytes(packed.get(encoding, " ".join(map(str, part.ravel())).encode()))
    listed = "".join(f"{name}\n" for name in names) if "LIST" in field else ""
    path = tmp_path / "a.nhdr"
    head = f"type: short\ndimension: 3\nsizes: 5 4 3\nencoding: {encoding}\nendian: little\n"
    for skip in ("byte skip: 7\n", "byte skip: -1\n") if encoding == "raw" else ("",):
        path.write_text(f"NRRD0005\n{head}{skip}data file: {field}\n{listed}")
        header = read_nrrd_header(path)
        check_size(header, max_pixels=None)
        np.testing.assert_array_equal(read_stored(header)[..., 0].T, values)
    (tmp_path / names[1]).write_bytes(b"1")
    with pytest.raises(ImageError, match=names[1]):
        read_labels(path)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Pair, nibabel.Nifti2Pair])
@pytest.mark.parametrize("name", ["a.hdr", "a.hdr.gz"])
def test_a_header_and_its_voxels_in_two_files_are_a_volume(tmp_path: Path, kind: type, name: str) -> None:
    stored = np.swapaxes(ZYX, 0, 2)
    picture = kind(stored, LPS_FROM_RAS)
    table = b"<CaretExtension><LabelTable><Label Key='5'>liver</Label></LabelTable></CaretExtension>"
    picture.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, table))
    nibabel.save(picture, tmp_path / name)
    assert is_nifti(tmp_path / name)
    header = read_nifti_header(tmp_path / name)
    check_size(header, max_pixels=None)
    assert [one.name for one in header.segments] == ["liver"]
    np.testing.assert_array_equal(read_labels(tmp_path / name), ZYX)


def test_voxels_may_be_packed_where_their_header_is_not_and_must_be_whole_and_there(tmp_path: Path) -> None:
    path, voxels = tmp_path / "a.hdr", tmp_path / "a.img"
    nibabel.save(nibabel.Nifti1Pair(np.swapaxes(ZYX.astype(np.int16) - 9, 0, 2), LPS_FROM_RAS), path)
    data = voxels.read_bytes()
    (tmp_path / "a.img.gz").write_bytes(gzip.compress(data))
    voxels.unlink()
    np.testing.assert_array_equal(read_picture([path], 1).pixels[..., 0], ZYX[1].astype(np.float32) - 9)
    (tmp_path / "a.img.gz").unlink()
    with pytest.raises(InputError, match=r"a NIfTI header without its voxels; expected a\.img or a\.img\.gz beside it"):
        read_nifti_header(path)
    voxels.write_bytes(data[:50])
    with pytest.raises(ImageError, match=r"a\.img: the volume is cut off"):
        read_picture([path], 1)
    voxels.unlink()
    outside = tmp_path.with_name(f"{tmp_path.name}-outside.img")
    outside.write_bytes(data)
    for name in ("a.img", "a.Img"):
        (tmp_path / name).symlink_to(outside)
        with pytest.raises(InputError, match="outside the data set"):
            read_nifti_header(path)
        (tmp_path / name).unlink()


@pytest.mark.parametrize("suffix", [".IMG", ".IMG.GZ", ".Img", ".img.GZ", ".Img.gz"])
@pytest.mark.parametrize("head", [".hdr", ".HDR"])
def test_the_voxels_of_a_header_are_found_whatever_the_case_of_their_suffix(
    tmp_path: Path, head: str, suffix: str
) -> None:
    nibabel.save(nibabel.Nifti1Pair(np.swapaxes(ZYX.astype(np.int16), 0, 2), LPS_FROM_RAS), tmp_path / "a.hdr")
    data = (tmp_path / "a.img").read_bytes()
    (tmp_path / "a.img").unlink()
    path = (tmp_path / "a.hdr").rename(tmp_path / f"a{head}")
    (tmp_path / f"a{suffix}").write_bytes(gzip.compress(data) if suffix.lower().endswith("gz") else data)
    (tmp_path / "ab.img").write_bytes(b"another's")
    assert is_nifti(path)
    np.testing.assert_array_equal(read_picture([path], 1).pixels[..., 0], ZYX[1].astype(np.float32))


def test_a_header_of_another_kind_is_left_alone_and_analyze_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "envi.hdr").write_text("ENVI\nsamples = 5\n")
    assert not is_nifti(tmp_path / "envi.hdr")
    assert not is_nifti(tmp_path / "missing.hdr")
    nibabel.save(nibabel.AnalyzeImage(np.swapaxes(ZYX, 0, 2), np.eye(4)), tmp_path / "b.hdr")
    assert is_nifti(tmp_path / "b.hdr")
    with pytest.raises(ImageError, match=r"Analyze 7\.5, which does not say which side of the body is left"):
        read_nifti_header(tmp_path / "b.hdr")


def test_ras_is_turned_and_components_may_come_first_or_last(tmp_path: Path) -> None:
    ras = nrrd_file(tmp_path / "a.nrrd", ZYX[:, ::-1, ::-1].copy(), space="right-anterior-superior")
    np.testing.assert_array_equal(read_labels(ras), ZYX)
    colours = np.stack([ZYX, ZYX + 1, ZYX + 2], axis=3)
    np.testing.assert_array_equal(read_picture([nrrd_file(tmp_path / "b.nrrd", colours)], 1).pixels, colours[1])
    last = tmp_path / "c.nrrd"
    pynrrd.write(str(last), np.swapaxes(np.stack([ZYX, ZYX + 1]), 1, 3).transpose(1, 2, 3, 0))
    assert read_picture([last], 1).channels == 2


def test_layers_of_slicer_are_painted_by_their_names(tmp_path: Path) -> None:
    layers = np.zeros((2, 3, 4, 2), np.uint8)
    layers[0, 0, 0, 0] = 1
    layers[1, 1, 1, 1] = 1
    told = {"Segment0_Name": "liver", "Segment0_LabelValue": "1", "Segment0_Layer": "0"}
    told |= {"Segment1_Name": "tumour", "Segment1_LabelValue": "1", "Segment1_Layer": "1"}
    path = nrrd_file(tmp_path / "a.seg.nrrd", layers, **told)
    assert [(one.name, one.layer) for one in read_volume_header(path).segments] == [("liver", 0), ("tumour", 1)]
    painted = read_labels(path, [Meaning(1, 0, 7), Meaning(1, 1, 300)])
    assert painted[0, 0, 0] == 7
    assert painted[1, 1, 1] == 300
    assert int((painted > 0).sum()) == 2
    with pytest.raises(LabelError, match="several values per voxel"):
        read_labels(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sizes", "5 4"), ("sizes", "5 -4 3"), ("sizes", "5 4 x"), ("sizes", "99999999 99999999 99999999"),
        ("type", "block"), ("encoding", "hex"), ("space directions", "(1,0,0) (0,1,0)"),
        ("space directions", "(0,0,0) (0,0,0) (0,0,0)"), ("space directions", "(1,0) (0,1) (0,0)"),
        ("space origin", "(1,2)"), ("byte skip", "-7"),
    ],
)  # fmt: skip
def test_a_damaged_field_is_an_error_that_names_the_file(tmp_path: Path, field: str, value: str) -> None:
    path = nrrd_file(tmp_path / "a.nrrd", ZYX, **{field: value})
    with pytest.raises(InputError, match=r"a\.nrrd"):
        read_labels(path)


def test_files_of_one_class_each_are_merged_the_later_over_the_earlier(tmp_path: Path) -> None:
    one, two = np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3, 4), np.uint8)
    one[0], two[0, 0] = 1, 255
    files = [(nifti_file(tmp_path / "a.nii.gz", one), 4), (nifti_file(tmp_path / "b.nii.gz", two), 9)]
    merged = read_merged(files)
    assert merged[0, 0].tolist() == [9] * 4
    assert merged[0, 1].tolist() == [4] * 4
    assert not merged[1].any()
    other = nifti_file(tmp_path / "c.nii.gz", one, affine=np.diag([-2.0, -1, 1, 1]))
    with pytest.raises(LabelError, match="do not fit"):
        read_merged([files[0], (other, 5)])


def test_a_slice_of_dicom_is_in_hounsfield_units(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    path = dicom_slice(
        tmp_path / "a.dcm", pixels, z=5, series="1.2", uid="1.2.1", RescaleSlope=2, RescaleIntercept=-1024
    )
    image = read_slice(path)
    assert image.dtype == "float32"
    np.testing.assert_array_equal(image.pixels[..., 0], pixels * 2.0 - 1024)
    one = read_slice_header(path)
    assert (one.series, one.uid, one.place.depth) == ("1.2", "1.2.1", 5)
    plain = dicom_slice(tmp_path / "b.dcm", pixels, z=5, series="1.2", uid="1.2.2")
    assert read_slice(plain).dtype == "uint16"


def test_frames_of_single_bits_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [(1, 0.0, rng.random((3, 5)) > 0.5), (2, 5.0, rng.random((3, 5)) > 0.5)]  # 15 bits each
    segmentation = read_segmentation(dicom_segmentation(tmp_path / "a.dcm", frames, {1: "a", 2: ""}, series="1.2"))
    assert segmentation.segments == {1: "a", 2: "segment 2"}
    assert [(one.segment, one.place.depth) for one in segmentation.frames] == [(1, 0), (2, 5)]
    np.testing.assert_array_equal(kept_frames(segmentation), [mask for _, _, mask in frames])


def test_a_fractional_segmentation_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = dicom_segmentation(
        tmp_path / "a.dcm", [(1, 0.0, np.ones((3, 4), bool))], {1: "a"}, series="1.2",
        SegmentationType="FRACTIONAL", SegmentationFractionalType="PROBABILITY",
    )  # fmt: skip
    with pytest.raises(LabelError, match="FRACTIONAL PROBABILITY"):
        read_segmentation(path)


@pytest.mark.parametrize("keep", [100, 200, 400])
def test_dicom_that_is_cut_off_is_an_error_that_names_it(tmp_path: Path, keep: int) -> None:
    path = dicom_slice(tmp_path / "a.dcm", np.zeros((3, 4), np.uint16), z=5, series="1.2", uid="1.2.1")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ImageError, match=r"a\.dcm"):
        read_slice(path)


def test_a_deflated_file_is_refused_because_its_size_is_not_known_before(tmp_path: Path) -> None:
    path = dicom_slice(tmp_path / "a.dcm", np.zeros((3, 4), np.uint16), z=5, series="1.2", uid="1.2.840.10008.1.2.1.99")
    with pytest.raises(ImageError, match="deflated"):
        read_slice(path)


@pytest.mark.parametrize(("field", "value"), [("dim", [32767] * 8), ("srow_x", [np.inf, 0, 0, 0])])
def test_a_header_whose_numbers_overflow_is_an_error_and_no_warning(tmp_path: Path, field: str, value: list) -> None:
    path = nifti_file(tmp_path / "a.nii", ZYX)
    head = nibabel.Nifti1Header(path.read_bytes()[:348])
    head[field] = value
    path.write_bytes(head.binaryblock + path.read_bytes()[348:])
    with pytest.raises(ImageError, match=r"a\.nii"):
        read_labels(path)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"WindowCenter": 40, "WindowWidth": 400}, (-160, 239)),
        ({"WindowCenter": [40, 600], "WindowWidth": [400, 1600]}, (-160, 239)),
        ({"WindowCenter": 40, "WindowWidth": 400, "PhotometricInterpretation": "MONOCHROME1"}, (239, -160)),
        ({"WindowCenter": 40}, None),
        ({"WindowCenter": 40, "WindowWidth": 1}, None),
        ({}, None),
    ],
)
def test_the_window_of_a_dicom_image_is_kept_for_pictures(tmp_path: Path, told: dict, expected: object) -> None:
    path = tmp_path / "a.dcm"
    pixels = np.arange(20, dtype=np.int16).reshape(4, 5)
    dicom_slice(path, pixels, z=0.0, series="1.2", uid="1.2.3", RescaleSlope=1, RescaleIntercept=-1024, **told)
    assert read_slice(path).window == expected
