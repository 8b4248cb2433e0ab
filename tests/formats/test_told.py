"""What tools say of objects and photos besides outlines: tracks and notes travel as attributes, the rest is counted."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from data import (
    cvat,
    darwin,
    encord,
    folders,
    hasty,
    label_studio,
    labelbox,
    segments_ai,
    superannotate,
    supervisely,
    via,
)
from data.coco import block, document, images, row
from data.layouts import ids_of, photo_of, save
from tessella.core.annotation import Drawing
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset

SQUARE = [[0, 0], [8, 0], [8, 8], [0, 8]]
LONG = "word " * 100


def attributes(index: Index, position: int = 0) -> list[tuple[tuple[str, str], ...]]:
    drawing = index.annotation(position)
    assert isinstance(drawing, Drawing)
    return [shape.attributes for shape in drawing.shapes]


def of_coco(root: Path) -> None:
    said = {"note": LONG, "kinds": ["a", "b"], "age": 7, "wet": True, "dry": False, "none": 0}
    rows = [row(1, 1, 3, [block(0, 0, 4, 4)], attributes=said, track_id=0)]
    document(root / "a.json", images("p.png"), [*rows, row(2, 1, 3, [block(5, 5, 9, 9)], attributes={"track_id": 4})])


def of_superannotate(root: Path) -> None:
    square = superannotate.polygon("road", SQUARE, trackingId="9f", pointLabels={"0": "left", "2": "right"})
    superannotate.annotation(root / "p.png.json", square, photo="p.png")


def of_hasty(root: Path) -> None:
    labelled = hasty.label("road", polygon=SQUARE, track_id="t1", keypoints=[{"x": 1, "y": 1}])
    hasty.export(root / "h.json", hasty.image("p.png", labelled))


def of_encord(root: Path) -> None:
    one = encord.label_row("d1", "p.png", encord.polygon("road", SQUARE))
    other = encord.label_row("d2", "q.png", encord.polygon("road", SQUARE))
    one["data_units"] |= other["data_units"]
    encord.export(root / "e.json", one)


def of_supervisely(root: Path) -> None:
    supervisely.annotation(root / "ds" / "ann" / "p.png.json", supervisely.polygon("road", SQUARE, description=LONG))


def of_darwin(root: Path) -> None:
    more = {"attributes": ["wet", "deep"], "directional_vector": {"angle": 1.5, "length": 2.0}}
    path = darwin.item(root / "p.json", darwin.polygon("road", SQUARE, **more), photo="p.png")
    tree = json.loads(path.read_text()) | {"properties": [{"name": "weather", "value": "sun"}]}
    path.write_text(json.dumps(tree))


def of_label_studio(root: Path) -> None:
    noted = label_studio.polygon("road", SQUARE) | {"meta": {"text": ["look here"]}}
    label_studio.export(root / "t.json", label_studio.task(1, "p.png", label_studio.annotation(noted)))


def of_labelbox(root: Path) -> None:
    deep = [{"name": "depth", "text_answer": {"content": "10 cm"}}]
    said = [{"name": "state", "radio_answer": {"name": "wet", "classifications": deep}}]
    square = labelbox.polygon("road", SQUARE, classifications=said)
    labelbox.lines(root / "e.ndjson", labelbox.row("r", "p.png", labelbox.label(square)))


def of_segments_ai(root: Path) -> None:
    drawn = segments_ai.annotation(1, 1, type="polygon", points=SQUARE)
    sample = segments_ai.sample("u", "p.png", drawn, bitmap=None)
    sample["labels"]["ground-truth"]["attributes"]["image_attributes"] = {"scene": "street", "hour": 7}
    segments_ai.release(root / "r.json", sample, task="vector")


def of_scalabel(root: Path) -> None:
    frame = folders.scalabel_frame(0) | {"name": "p.png", "attributes": {"weather": "rain", "scene": "city"}}
    (root / "l.json").write_text(json.dumps([frame]))


def of_via(root: Path) -> None:
    held = via.image("p.png", via.box("road", 0, 0, 4, 4))
    next(iter(held.values()))["file_attributes"] = {"caption": "a street", "empty": "", "seen": {"day": True}}
    via.project(root / "v.json", held)


@pytest.mark.parametrize(
    ("write", "said", "left_out"),
    [
        (
            of_coco,
            [(("track_id", "0"), ("note", LONG), ("kinds", '["a", "b"]'), ("age", "7"), ("wet", "true"))],
            {},
        ),
        (of_superannotate, [(("track_id", "9f"),)], {"names of points": 2}),
        (of_hasty, [(("track_id", "t1"),)], {"sets of keypoints": 1}),
        (of_encord, [(("track_id", "hash-road"),)], {}),
        (of_supervisely, [(("description", LONG),)], {}),
        (
            of_darwin,
            [(("attributes", "wet, deep"), ("directional_vector", '{"angle": 1.5, "length": 2.0}'))],
            {"properties of photos": 1},
        ),
        (of_label_studio, [(("meta", "look here"),)], {}),
        (of_labelbox, [(("state", "wet"), ("depth", "10 cm"))], {}),
        (of_segments_ai, [()], {"attributes of photos": 2}),
        (of_scalabel, [(("track_id", "0-background"), ("occluded", "False"))], {"attributes of photos": 2}),
        (of_via, [()], {"attributes of photos": 2}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_tracks_and_notes_are_attributes_and_what_is_said_of_photos_is_counted(
    write: Callable[[Path], None], said: list, left_out: dict[str, int], tmp_path: Path
) -> None:
    folder = tmp_path / "ds" / "img" if write is of_supervisely else tmp_path
    for name in ("p.png", "q.png"):
        save(folder / name, photo_of(0))
    write(tmp_path)
    index = open_dataset(tmp_path)
    assert attributes(index)[:1] == said
    assert dict(index.listing.left_out) == left_out


def test_what_a_project_of_via_3_says_of_the_photo_is_counted(tmp_path: Path) -> None:
    save(tmp_path / "p.png", photo_of(0))
    held = {"vid": "1", "flg": 0, "z": []}
    metadata = {
        "a": held | {"xy": [2, 1, 2, 4, 2], "av": {"1": "road"}},
        "b": held | {"xy": [], "av": {"2": "a street"}},
        "c": held | {"xy": [99, 1, 2], "av": {}},
    }
    tree = {
        "project": {"pid": "x"}, "config": {}, "metadata": metadata,
        "attribute": {"1": {"aname": "class"}, "2": {"aname": "caption"}},
        "file": {"1": {"fid": "1", "fname": "p.png", "type": 2, "loc": 1, "src": ""}},
        "view": {"1": {"fid_list": ["1"]}},
    }  # fmt: skip
    (tmp_path / "v.json").write_text(json.dumps(tree))
    index = open_dataset(tmp_path)
    assert dict(index.listing.left_out) == {"attributes of photos": 1, "regions without outline": 1}
    assert len(attributes(index)) == 1


def test_a_track_of_a_video_is_the_same_on_every_frame_in_any_format_that_holds_attributes(tmp_path: Path) -> None:
    root = cvat.cvat_video(tmp_path / "set")
    grouped = cvat.track("road", cvat.frame(0, **cvat.at(0, 0, 2, 2)), number=7, more='group_id="3"')
    text = (root / "annotations.xml").read_text().replace("</annotations>", f"{grouped}</annotations>")
    (root / "annotations.xml").write_text(text)
    index = open_dataset(root)
    for to in ("labelme", "coco", "cvat", "label-studio", "supervisely", "darwin"):
        done = convert(index, tmp_path / to, to=to)
        assert not any("track" in what for what in done.left_out)
        again = open_dataset(tmp_path / to)
        for position in range(4):
            found = sorted(dict(said)["track_id"] for said in attributes(again, position))
            assert found == ["0", "1", "7"], to
    assert convert(index, tmp_path / "yolo", to="yolo-seg").left_out["shapes of tracks"] == 12


def synthia_labels(root: Path) -> Path:
    for seed in range(2):
        save(root / "RGB" / f"{seed:07d}.png", photo_of(seed))
        save(root / "GT" / "LABELS" / f"{seed:07d}.png", ids_of(seed, ignore=False))
    return root


@pytest.mark.parametrize(
    ("write", "left_out"),
    [
        (folders.mots, {"maps of track numbers": 4}),
        (synthia_labels, {"maps of object numbers": 2}),
        (folders.ade20k_full, {"maps of object numbers": 4, "maps of object parts": 4}),
    ],
)
def test_numbers_of_objects_in_maps_of_classes_are_counted(
    write: Callable[[Path], Path], left_out: dict[str, int], tmp_path: Path
) -> None:
    assert dict(open_dataset(write(tmp_path)).listing.left_out) == left_out
