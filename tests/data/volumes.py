"""Tiny volumes with labels: NIfTI by nibabel, NRRD by hand, DICOM by pydicom; two cases of two slices each."""

import gzip
import json
from pathlib import Path

import nibabel
import numpy as np

from data.layouts import NAMES, ids_of, photo_of

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""An affine with axes to the left, to the back and to the head: a slice is then stored as it is shown."""


def nifti_file(path: Path, zyx: np.ndarray, *, affine: np.ndarray = LPS_FROM_RAS, **header: object) -> Path:
    """Write (Z, Y, X) or (Z, Y, X, C) voxels, whose axes are to the head, to the back and to the left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = nibabel.Nifti1Image(np.swapaxes(zyx, 0, 2), affine)
    for name, value in header.items():
        picture.header[name] = value
    nibabel.save(picture, path)
    return path


def stack(*pictures: np.ndarray) -> np.ndarray:
    return np.stack(pictures)


def nifti(root: Path, *, count: int = 4) -> Path:
    """The layout of the Medical Segmentation Decathlon."""
    for case in range(count // 2):
        seeds = (2 * case, 2 * case + 1)
        nifti_file(root / "imagesTr" / f"case_{case}.nii.gz", stack(*(photo_of(seed)[..., 0] for seed in seeds)))
        nifti_file(root / "labelsTr" / f"case_{case}.nii.gz", stack(*(ids_of(seed) for seed in seeds)))
    labels = {str(value): name for value, name in enumerate(NAMES)}
    (root / "dataset.json").write_text(json.dumps({"name": "tiny", "labels": labels}))
    return root


def nrrd_file(path: Path, zyx: np.ndarray, *, encoding: str = "gzip", **fields: str) -> Path:
    """Write (Z, Y, X) voxels, or (Z, Y, X, C) with the components first in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = " ".join(str(side) for side in reversed(zyx.shape))
    directions = "none " * (zyx.ndim - 3) + "(1,0,0) (0,1,0) (0,0,1)"
    head = {
        "type": zyx.dtype.name, "dimension": str(zyx.ndim), "sizes": sizes, "encoding": encoding,
        "endian": "little", "space": "left-posterior-superior", "space directions": directions,
        "space origin": "(0,0,0)",
    }  # fmt: skip
    head |= {name if name[0].isupper() else name.replace("_", " "): value for name, value in fields.items()}
    lines = [f"{name}:={value}" if name[0].isupper() else f"{name}: {value}" for name, value in head.items()]
    data = zyx.astype(zyx.dtype.newbyteorder("<")).tobytes()
    path.write_bytes(
        ("NRRD0005\n" + "\n".join(lines) + "\n\n").encode() + (gzip.compress(data) if encoding == "gzip" else data)
    )
    return path


def nrrd(root: Path, *, count: int = 4) -> Path:
    """Scans and the segmentations of 3D Slicer beside them."""
    for case in range(count // 2):
        seeds = (2 * case, 2 * case + 1)
        nrrd_file(root / f"case_{case}.nrrd", stack(*(photo_of(seed)[..., 0] for seed in seeds)))
        told = {
            "Segment0_Name": "tree",
            "Segment0_LabelValue": "2",
            "Segment1_Name": "road",
            "Segment1_LabelValue": "1",
        }
        told |= {"Segment2_Name": "ignore", "Segment2_LabelValue": "255"}
        nrrd_file(root / f"case_{case}.seg.nrrd", stack(*(ids_of(seed) for seed in seeds)), **told)
    return root


def dicom_slice(path: Path, pixels: np.ndarray, *, z: float, series: str, uid: str, **more: object) -> Path:
    """Write one CT image, 1 mm pixels, rows to the back and columns to the left."""
    tree = _dataset("1.2.840.10008.5.1.4.1.1.2", uid)
    tree.SeriesInstanceUID, tree.Modality = series, "CT"
    tree.ImagePositionPatient, tree.ImageOrientationPatient = [0, 0, z], [1, 0, 0, 0, 1, 0]
    tree.PixelSpacing, tree.SamplesPerPixel, tree.PhotometricInterpretation = [1, 1], 1, "MONOCHROME2"
    tree.Rows, tree.Columns = pixels.shape
    tree.BitsAllocated = tree.BitsStored = 8 * pixels.dtype.itemsize
    tree.HighBit, tree.PixelRepresentation = tree.BitsStored - 1, int(pixels.dtype.kind == "i")
    tree.PixelData = pixels.tobytes()
    for name, value in more.items():
        setattr(tree, name, value)
    return _save(tree, path)


def dicom_segmentation(
    path: Path, frames: list[tuple[int, float, np.ndarray]], names: dict[int, str], *, series: str, **more: object
) -> Path:
    """Write a binary segmentation: (segment, z in millimetres, (H, W) bool) for each frame."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    tree = _dataset("1.2.840.10008.5.1.4.1.1.66.4", f"{series}.99")
    tree.SeriesInstanceUID, tree.Modality, tree.SegmentationType = f"{series}.98", "SEG", "BINARY"
    tree.ReferencedSeriesSequence = Sequence([_of(SeriesInstanceUID=series)])
    tree.SegmentSequence = Sequence([_of(SegmentNumber=number, SegmentLabel=name) for number, name in names.items()])
    measures = _of(PixelSpacing=[1, 1])
    orientation = _of(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared = Dataset()
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = Sequence([measures]), Sequence([orientation])
    tree.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for segment, z, _ in frames:
        group = Dataset()
        group.SegmentIdentificationSequence = Sequence([_of(ReferencedSegmentNumber=segment)])
        group.PlanePositionSequence = Sequence([_of(ImagePositionPatient=[0, 0, z])])
        groups.append(group)
    tree.PerFrameFunctionalGroupsSequence = Sequence(groups)
    pixels = np.stack([frame for _, _, frame in frames])
    tree.NumberOfFrames, tree.Rows, tree.Columns = pixels.shape
    tree.SamplesPerPixel, tree.PhotometricInterpretation = 1, "MONOCHROME2"
    tree.BitsAllocated, tree.BitsStored, tree.HighBit, tree.PixelRepresentation = 1, 1, 0, 0
    packed = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    tree.PixelData = packed + b"\0" * (len(packed) % 2)
    for name, value in more.items():
        setattr(tree, name, value)
    return _save(tree, path)


def _of(**values: object) -> object:
    from pydicom.dataset import Dataset

    tree = Dataset()
    for name, value in values.items():
        setattr(tree, name, value)
    return tree


def _dataset(kind: str, uid: str) -> object:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    tree = Dataset()
    tree.file_meta = FileMetaDataset()
    tree.file_meta.MediaStorageSOPClassUID, tree.file_meta.MediaStorageSOPInstanceUID = kind, uid
    tree.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    tree.SOPClassUID, tree.SOPInstanceUID = kind, uid
    return tree


def _save(tree: object, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tree.save_as(path, enforce_file_format=True)
    return path


def dicom_seg(root: Path, *, count: int = 4) -> Path:
    """Two series of two images with a segmentation each; a class that a slice lacks has no frame there."""
    for case in range(count // 2):
        series = f"1.2.3.{case + 1}"
        frames = []
        for place in range(2):
            seed = 2 * case + place
            dicom_slice(
                root / f"ct_{case}_{place}.dcm",
                photo_of(seed)[..., 0],
                z=5.0 * place,
                series=series,
                uid=f"{series}.{place}",
            )
            ids = ids_of(seed)
            frames += [(number, 5.0 * place, ids == value) for number, value in ((1, 2), (2, 1), (3, 255))]
        dicom_segmentation(root / f"case_{case}.dcm", frames, {1: "tree", 2: "road", 3: "ignore"}, series=series)
    return root
