"""Label volumes as data sets: which scan, which names, one finding for a pair that differs, slices as samples."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np
import pytest

from data.layouts import ids_of, photo_of, write_classes_toml
from data.volumes import dicom_segmentation, dicom_slice, nifti, nifti_file, nrrd_file
from tessella.core.classes import IGNORE
from tessella.core.errors import FormatError, InputError, LabelError
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset
from tessella.files.volumes import voxels as kept
from tessella.formats import Source, choose, format_named
from tessella.formats.volumes.names import coding_of, found_coding, stated

SCAN = np.random.default_rng(0).integers(-1000, 1000, (3, 4, 5)).astype(np.int16)
LABEL = np.zeros((3, 4, 5), np.uint8)
LABEL[0, 1:3, 1:4] = 1
LABEL[1, 2, 2] = 2


def names_of(root: Path) -> list[tuple[str, bool]]:
    return [(record.name, record.label is not None) for record in open_dataset(root).records]


def test_the_slices_of_the_decathlon_are_samples_in_their_order(tmp_path: Path) -> None:
    index = open_dataset(nifti(tmp_path / "set"))
    assert [record.name for record in index.records] == ["case_0_0", "case_0_1", "case_1_0", "case_1_1"]
    assert index.groups == ("case_0", "case_0", "case_1", "case_1")
    assert index.table.names == ("background", "road", "tree")
    assert "classes from dataset.json" in index.listing.notes
    for seed, sample in enumerate(index):
        assert sample.labels is not None
        np.testing.assert_array_equal(sample.labels.ids, ids_of(seed))
        np.testing.assert_array_equal(sample.image.pixels[..., 0], photo_of(seed)[..., 0])


def test_volumes_in_two_files_are_one_volume_each(tmp_path: Path) -> None:
    for path in sorted(nifti(tmp_path / "set").rglob("*.nii.gz")):
        volume = nibabel.load(path)
        nibabel.save(
            nibabel.Nifti1Pair(np.asarray(volume.dataobj), volume.affine), path.with_name(f"{path.name[:6]}.hdr")
        )
        path.unlink()
    index = open_dataset(tmp_path / "set")
    assert index.format == "nifti"
    assert [record.name for record in index.records] == ["case_0_0", "case_0_1", "case_1_0", "case_1_1"]
    for seed, sample in enumerate(index):
        assert sample.labels is not None
        np.testing.assert_array_equal(sample.labels.ids, ids_of(seed))


def test_the_channels_of_nnunet_are_bands(tmp_path: Path) -> None:
    for channel in range(2):
        nifti_file(tmp_path / "imagesTr" / f"case_000{channel}.nii.gz", SCAN + channel)
    nifti_file(tmp_path / "labelsTr" / "case.nii.gz", LABEL)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "liver": 1, "ignore": 2}}))
    index = open_dataset(tmp_path)
    image = index.image(1)
    assert (image.channels, image.dtype) == (2, "float32")
    np.testing.assert_array_equal(image.pixels[..., 1], SCAN[1] + 1)
    assert index.table.names == ("background", "liver")
    labels = index.labels(1)
    assert labels is not None
    assert labels.ids[2, 2] == IGNORE


def test_numbered_scans_that_are_no_channels_meet_their_own_labels(tmp_path: Path) -> None:
    for number in range(2):
        nifti_file(tmp_path / "images" / f"img_000{number}.nii.gz", SCAN)
        nifti_file(tmp_path / "labels" / f"img_000{number}.nii.gz", LABEL)
    assert len(open_dataset(tmp_path).labelled()) == 6


def test_modalities_of_brats_are_bands_of_one_case(tmp_path: Path) -> None:
    for word in ("flair", "t1", "t1ce", "t2"):
        nifti_file(tmp_path / "B_001" / f"B_001_{word}.nii.gz", SCAN)
    nifti_file(tmp_path / "B_001" / "B_001_seg.nii.gz", np.where(LABEL == 2, 4, LABEL))
    index = open_dataset(tmp_path)
    assert (len(index), index.image(0).channels) == (3, 4)
    assert index.table.names == ("background", "class_1", "class_4")
    assert index.listing.discovered


def test_one_volume_per_class_is_merged_and_named_by_its_files(tmp_path: Path) -> None:
    for case in ("s0001", "s0002"):
        nifti_file(tmp_path / case / "ct.nii.gz", SCAN)
        nifti_file(tmp_path / case / "segmentations" / "liver.nii.gz", (LABEL == 2).astype(np.uint8))
        if case == "s0001":  # a class that one case lacks has the same value in the others
            nifti_file(tmp_path / case / "segmentations" / "aorta.nii.gz", (LABEL == 1).astype(np.uint8))
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "aorta", "liver")
    assert [len(record.parts) for record in index.records] == [1, 1, 1, 0, 0, 0]
    found = [index.labels(place) for place in (0, 1, 4)]
    np.testing.assert_array_equal([one.ids for one in found if one], [LABEL[0], LABEL[1], LABEL[1]])


def test_a_class_table_that_lacks_a_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    nifti_file(tmp_path / "ct.nii.gz", SCAN)
    nifti_file(tmp_path / "masks" / "rod.nii.gz", LABEL)
    write_classes_toml(tmp_path)
    with pytest.raises(LabelError, match=r"'rod', which is not in the class table.*did you mean 'road'"):
        open_dataset(tmp_path).labels(0)


def test_a_pair_by_name_that_differs_is_one_record_with_the_figures_and_the_fitting_scan(
    tmp_path: Path,
) -> None:
    nifti_file(tmp_path / "example_ct.nii.gz", np.concatenate([SCAN, SCAN]))
    nifti_file(tmp_path / "example_ct_sm.nii.gz", SCAN)
    nifti_file(tmp_path / "example_seg.nii.gz", LABEL)
    index = open_dataset(tmp_path)
    assert names_of(tmp_path) == [
        ("example_ct_0", True), ("example_ct_sm_0", False), ("example_ct_sm_1", False), ("example_ct_sm_2", False),
    ]  # fmt: skip
    with pytest.raises(LabelError, match=r"5x4x6 voxels against 5x4x3 \(example_ct_sm\.nii\.gz has its grid\)"):
        index.labels(0)
    assert index.image(0).hw == (4, 5)


def test_a_label_volume_of_another_spacing_is_refused_with_the_figures(tmp_path: Path) -> None:
    nifti_file(tmp_path / "a_ct.nii.gz", SCAN)
    nifti_file(tmp_path / "a_seg.nii.gz", LABEL, affine=np.diag([-3.0, -3, 3, 1]))
    with pytest.raises(LabelError, match=r"voxels of 1x1x1 mm .* against 3x3x3 mm"):
        open_dataset(tmp_path).labels(0)


def test_labels_stored_the_other_way_round_lie_on_their_scan(tmp_path: Path) -> None:
    nifti_file(tmp_path / "a_ct.nii.gz", SCAN)
    flipped = np.diag([1.0, 1, -1, 1])
    flipped[:3, 3] = [-4, -3, 2]
    nifti_file(tmp_path / "a_seg.nii.gz", LABEL[::-1, ::-1, ::-1].copy(), affine=flipped)
    labels = open_dataset(tmp_path).labels(0)
    assert labels is not None
    np.testing.assert_array_equal(labels.ids, LABEL[0])


def test_two_label_volumes_of_one_scan_are_left_to_a_person(tmp_path: Path) -> None:
    nifti_file(tmp_path / "a_ct.nii.gz", SCAN)
    nifti_file(tmp_path / "a_seg.nii.gz", LABEL)
    nifti_file(tmp_path / "a_label.nii.gz", LABEL)
    nifti_file(tmp_path / "b_ct.nii.gz", SCAN)
    nifti_file(tmp_path / "b_seg.nii.gz", LABEL)
    index = open_dataset(tmp_path)
    assert index.listing.orphan_labels == ("a_label.nii.gz", "a_seg.nii.gz")
    assert any("more than one scan or label volume could be meant" in note for note in index.listing.notes)


def test_a_scan_that_cannot_be_read_is_one_record(tmp_path: Path) -> None:
    root = nifti(tmp_path / "set")
    path = root / "imagesTr" / "case_0.nii.gz"
    path.write_bytes(path.read_bytes()[:50])
    index = open_dataset(root)
    assert [record.name for record in index.records] == ["case_0_0", "case_1_0", "case_1_1"]
    with pytest.raises(InputError, match=r"case_0\.nii\.gz"):
        index.image(0)


def test_no_label_volume_at_all_is_said_with_counts(tmp_path: Path) -> None:
    nifti_file(tmp_path / "a.nii.gz", SCAN)
    nifti_file(tmp_path / "b_seg.nii.gz", LABEL)
    with pytest.raises(FormatError, match="1 scan, 1 label volume without a scan"):
        open_dataset(tmp_path)


def test_a_label_volume_given_alone_finds_its_scan(tmp_path: Path) -> None:
    root = nifti(tmp_path / "set")
    assert choose(Source(root, root / "labelsTr" / "case_1.nii.gz"))[0] == "nifti"
    listing = format_named("nifti").read(Source(root, root / "labelsTr" / "case_1.nii.gz"), None)
    assert [record.name for record in listing.records] == ["case_1_0", "case_1_1"]


def test_scans_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    root = nifti(tmp_path / "set")
    (root / "imagesTr").rename(tmp_path / "scans")
    with pytest.raises(FormatError, match="2 label volumes without a scan"):
        open_dataset(root)
    index = open_dataset(root, photos=tmp_path / "scans")
    assert [record.name for record in index.labelled().records] == ["case_0_0", "case_0_1", "case_1_0", "case_1_1"]
    assert index[3].image.hw == (12, 16)


def test_splits_of_the_decathlon_count_only_where_both_have_labels(tmp_path: Path) -> None:
    for part in ("Tr", "Ts"):
        nifti_file(tmp_path / f"images{part}" / f"case_{part}.nii.gz", SCAN)
        nifti_file(tmp_path / f"labels{part}" / f"case_{part}.nii.gz", LABEL)
    assert {record.split for record in open_dataset(tmp_path).records} == {"train", "test"}
    (tmp_path / "labelsTs" / "case_Ts.nii.gz").unlink()
    assert {record.split for record in open_dataset(tmp_path).records} == {""}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dataset.json", '{"labels": {"0": "background", "1": "liver", "2": "tumour"}}'),
        ("dataset.json", '{"labels": {"background": 0, "liver": 1, "tumour": 2, "both": [1, 2]}}'),
        ("labels.label", '# ITK-SnAP\n0 0 0 0 0 0 0 "Clear Label"\n1 255 0 0 1 1 1 "liver"\n2 0 255 0 1 1 1 "tumour"'),
        ("Colors.ctbl", "# Color table\n0 Background 0 0 0 0\n1 liver 255 0 0 255\n2 tumour 0 255 0 255"),
    ],
)
def test_names_of_values_are_read_from_the_files_of_other_programs(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    names, origin = stated(Source(tmp_path))
    assert origin == name
    assert [one.casefold() for one in coding_of(names).table.names] == ["background", "liver", "tumour"]


@pytest.mark.parametrize("text", ["[]", '{"labels": 3}', '{"labels": {"a": {"b": 1}, "c": 1e400}}', "{", "\0"])
def test_a_dataset_json_that_says_nothing_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    assert stated(Source(tmp_path))[0] == {}


def test_found_values_become_classes_and_too_many_are_refused() -> None:
    coding, note = found_coding([0, 1, 7, 255])
    assert coding.table.names == ("background", "class_1", "class_7")
    assert coding.ignore_values == (IGNORE,)
    assert note.endswith("255 is taken for ignore")
    assert found_coding([0, 255])[0].table.names == ("background", "class_255")
    with pytest.raises(LabelError, match="instance numbers"):
        found_coding(range(300))


def test_segments_that_files_number_differently_are_one_class_by_name(tmp_path: Path) -> None:
    for case, (first, second) in (("a", ("liver", "spleen")), ("b", ("spleen", "liver"))):
        told = {"Segment0_Name": first, "Segment0_LabelValue": "1", "Segment1_Name": second, "Segment1_LabelValue": "2"}
        nrrd_file(tmp_path / f"{case}.nrrd", SCAN)
        nrrd_file(tmp_path / f"{case}.seg.nrrd", LABEL, **told)
    index = open_dataset(tmp_path)
    assert index.table.names == ("background", "liver", "spleen")
    one, other = index.labels(0), index.labels(3)
    assert one is not None
    assert other is not None
    assert (one.ids[1, 1], other.ids[1, 1]) == (1, 2)


def test_threads_that_ask_for_one_volume_decode_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nifti_file(tmp_path / "a_ct.nii.gz", SCAN)
    nifti_file(tmp_path / "a_seg.nii.gz", LABEL)
    index = open_dataset(tmp_path)
    read, calls = kept.read_stored, []
    monkeypatch.setattr(kept, "read_stored", lambda header: calls.append(header.path) or read(header))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(index.image, [0, 1, 2] * 8))
    assert len(calls) == 1


def test_hounsfield_units_survive_conversion(tmp_path: Path) -> None:
    nifti_file(tmp_path / "set" / "a_ct.nii.gz", SCAN)
    nifti_file(tmp_path / "set" / "a_seg.nii.gz", LABEL)
    convert(tmp_path / "set", tmp_path / "out", to="index-mask")
    again = open_dataset(tmp_path / "out")
    for place, sample in enumerate(again):
        assert sample.labels is not None
        np.testing.assert_array_equal(sample.image.pixels[..., 0], SCAN[place])
        np.testing.assert_array_equal(sample.labels.ids, LABEL[place])


def dicom(root: Path, *, z: float = 0.0, spacing: float = 1.0, **more: object) -> Path:
    for place in (2, 0, 1):
        dicom_slice(root / f"ct{place}.dcm", SCAN[place], z=5.0 * place, series="1.2", uid=f"1.2.{place}")
    frames = [(1, z, LABEL[0] == 1), (2, 5.0, LABEL[1] == 2)]
    path = dicom_segmentation(root / "seg.dcm", frames, {1: "liver", 2: "aorta"}, series="1.2", **more)
    if spacing != 1:
        import pydicom

        tree = pydicom.dcmread(path)
        tree.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [spacing, spacing]
        tree.save_as(path)
    return root


def test_frames_of_dicom_lie_on_the_images_of_their_depth_and_absent_ones_are_background(tmp_path: Path) -> None:
    index = open_dataset(dicom(tmp_path))
    assert index.table.names == ("background", "aorta", "liver")
    assert [record.name for record in index.records] == ["seg_0", "seg_1", "seg_2"]
    assert set(index.groups) == {"1.2"}
    expected = np.array([0, 2, 1], np.uint8)[LABEL]
    for place, sample in enumerate(index):
        assert sample.labels is not None
        np.testing.assert_array_equal(sample.labels.ids, expected[place])
        np.testing.assert_array_equal(sample.image.pixels[..., 0], SCAN[place])


@pytest.mark.parametrize(
    ("what", "said"), [({"z": 17.0}, "7.00 mm apart"), ({"spacing": 2.0}, r"pixels of \(2.0, 2.0\)")]
)
def test_frames_beside_their_images_are_refused_with_the_figures(tmp_path: Path, what: dict, said: str) -> None:
    index = open_dataset(dicom(tmp_path, **what))
    assert len(index) == 1
    with pytest.raises(LabelError, match=said):
        index.labels(0)


def test_a_segmentation_without_its_series_is_an_orphan(tmp_path: Path) -> None:
    dicom(tmp_path)
    frames = [(1, 0.0, LABEL[0] == 1)]
    dicom_segmentation(tmp_path / "other.dcm", frames, {1: "liver"}, series="1.9")
    assert open_dataset(tmp_path).listing.orphan_labels == ("other.dcm",)


def test_a_fractional_segmentation_is_named_when_it_is_loaded(tmp_path: Path) -> None:
    index = open_dataset(dicom(tmp_path, SegmentationType="FRACTIONAL"))
    for ask in (index.labels, index.image):
        with pytest.raises(LabelError, match="fractions"):
            ask(0)


def test_a_label_map_holds_the_numbers_of_its_segments(tmp_path: Path) -> None:
    root = dicom(tmp_path)
    path = dicom_segmentation(
        root / "seg.dcm", [(1, 5.0 * place, LABEL[place] > 0) for place in range(3)],
        {0: "Background", 1: "liver", 2: "aorta"}, series="1.2", SegmentationType="LABELMAP",
        BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=np.pad(LABEL.ravel(), (0, LABEL.size % 2)).tobytes(),
    )  # fmt: skip
    assert path.exists()
    index = open_dataset(root)
    assert index.table.names == ("background", "aorta", "liver")
    found = [sample.labels.ids for sample in index if sample.labels]
    np.testing.assert_array_equal(found, np.array([0, 2, 1], np.uint8)[LABEL])


def test_real_scans_and_labels_lie_on_each_other(shared_data: Path, tmp_path: Path) -> None:
    """TotalSegmentator's own example: bone (above 300 HU) lies in the classes that are bones."""
    source = shared_data / "totalseg_volumes" / "tests" / "reference_files"
    (tmp_path / "a_ct.nii.gz").write_bytes((source / "example_ct_sm.nii.gz").read_bytes())
    (tmp_path / "a_seg.nii.gz").write_bytes((source / "example_seg.nii.gz").read_bytes())
    index = open_dataset(tmp_path)
    assert len(index) == 30
    names = np.array(index.table.names)
    bones = [place for place, name in enumerate(names) if name.startswith(("vertebrae", "rib_", "sacrum", "hip_"))]
    dense = inside = 0
    for sample in index:
        assert sample.labels is not None
        bone = sample.image.pixels[..., 0] > 300
        dense += int(bone.sum())
        inside += int(np.isin(sample.labels.ids[bone], bones).sum())
    assert inside / dense > 0.7


def test_the_real_pair_by_name_that_does_not_match_is_one_finding(shared_data: Path) -> None:
    index = open_dataset(shared_data / "totalseg_volumes")
    assert len(index.labelled()) == 1
    with pytest.raises(LabelError, match=r"122x101x112 voxels against 122x101x30 \(.*example_ct_sm"):
        index.labelled().labels(0)
