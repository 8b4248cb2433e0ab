"""What shapes say besides a class per pixel comes back from every format that declares to hold it, or is counted."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.geo import geotiff
from data.layouts import WRITERS, photo_of, save, write_classes_toml
from tessella.core.annotation import Drawing, Shape, Tool
from tessella.core.classes import IGNORE
from tessella.dataset.convert import convert
from tessella.dataset.index import Index, open_dataset
from tessella.files.geo.frame import has_frame
from tessella.formats import FORMATS
from tessella.formats.raster.rasterise import draw, polygon_mask

HELD = [name for name, row in FORMATS.items() if row.write is not None and row.holds]
DRAWN = [name for name, row in FORMATS.items() if row.drawn]
BY_NUMBER = ("voc", "cvat-mask")
"""Formats that are read as masks of classes, and written with a mask of object numbers beside."""

ON_THE_MAP = ("geojson", "shapefile", "geopackage")
HW = (60, 80)
FORMS = {
    "rectangle": "boxes", "circle": "circles", "ellipse": "ellipses", "line": "lines", "linestrip": "lines",
    "point": "points", "points": "points", "mask": "masks",
}  # fmt: skip
INSTEAD = {
    "holes": "outlines with holes, kept as the pixels they cover",
    "boxes": "boxes, kept as outlines of four corners",
    "circles": "circles and ellipses, kept as the pixels they cover",
    "ellipses": "circles and ellipses, kept as the pixels they cover",
    "lines": "lines and points, kept as the pixels they cover",
    "points": "lines and points, kept as the pixels they cover",
    "masks": "masks, kept as outlines of their pixels",
}


def ring(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def polygon(label: str, left: float, top: float, right: float, bottom: float, group: str = "", **said: str) -> Shape:
    return Shape(label, "polygon", ring(left, top, right, bottom), group, attributes=tuple(said.items()))


def everything(tool: Tool = "centre") -> Drawing:
    """Every kind of shape; corners of polygons lie on pixel corners, so that all rules paint the same pixels."""
    frame = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool).repeat(3, axis=0).repeat(3, axis=1)
    ringed = Shape(
        "tree", "polygon", ring(2, 14, 14, 24), "7", holes=(ring(5, 17, 9, 21),), attributes=(("old", "no"),)
    )
    return Drawing(
        (
            # an object of two parts; one whose parts another object crosses; and one that spans two classes
            polygon("road", 2, 2, 8, 8, "1", wet="yes", colour="grey"),
            polygon("road", 12, 2, 18, 8, "1", wet="yes"),
            polygon("tree", 22, 2, 30, 10, "2", height="3.5"),
            polygon("road", 26, 6, 38, 12, said="<&> ü"),
            polygon("tree", 34, 2, 44, 10, "2", height="3.5"),
            polygon("tree", 48, 2, 54, 8, "3"),
            polygon("road", 48, 10, 54, 14, "3"),
            # parts that overlap
            polygon("tree", 60, 2, 68, 10, "4", track_id="12"),
            polygon("tree", 64, 6, 74, 14, "4", track_id="12"),
            ringed,
            Shape("tree", "ellipse", np.array([[28, 20], [34, 22], [27, 23]], float), attributes=(("leaf", "wide"),)),
            Shape("road", "circle", np.array([[46, 22], [50, 22]], float), "9"),
            Shape("road", "rectangle", np.array([[58, 18], [70, 26]], float), attributes=(("lane", "2"),)),
            Shape("tree", "linestrip", np.array([[4, 46], [30, 46], [30, 54]], float), attributes=(("kind", "hedge"),)),
            Shape("road", "line", np.array([[44, 34], [70, 34]], float)),
            Shape("road", "point", np.array([[40, 48]], float)),
            Shape("road", "points", np.array([[52, 46], [66, 50]], float), "11"),
            Shape("tree", "mask", np.array([[24, 30]], float), "12", frame, attributes=(("by", "brush"),)),
        ),
        HW,
        tool,
    )


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A data set of one GeoTIFF with every kind of shape, in a format of its own."""
    return _opened(tmp_path / "set", everything(), monkeypatch)


def _opened(root: Path, drawing: Drawing, monkeypatch: pytest.MonkeyPatch) -> Index:
    geotiff(root / "images" / "a.tif", photo_of(0, HW))
    save(root / "masks" / "a.png", np.zeros(HW, np.uint8))
    write_classes_toml(root)
    row = FORMATS["index-mask"]
    theirs = row._replace(
        read=lambda source, coding: replace(row.read(source, coding), format="theirs"),
        load=lambda _record, _listing: drawing,
        drawn=True,
    )
    monkeypatch.setitem(FORMATS, "theirs", theirs)
    return open_dataset(root, format="theirs")


def _drawing(index: Index, position: int = 0) -> Drawing:
    found = index.annotation(position)
    assert isinstance(found, Drawing)
    return found


def _kept(root: Path, to: str) -> Drawing:
    """What a written data set says of its only photo: what is read of it, or what its mask of objects says."""
    index = open_dataset(root)
    if to not in BY_NUMBER:
        return _drawing(index)
    label, labels = index.records[0].label, index.labels(0)
    assert label is not None
    assert labels is not None
    with Image.open(root / "SegmentationObject" / label.name) as picture:
        assert picture.mode == ("P" if to == "voc" else "RGB")
        pixels = np.array(picture)
    _, flat = np.unique(pixels.reshape(labels.ids.size, -1), axis=0, return_inverse=True)
    numbers = flat.reshape(labels.hw)
    shapes = []
    for number in np.unique(numbers):
        seen = numbers == number
        (value, *others) = np.unique(labels.ids[seen]).tolist()
        assert not others, "an object has two classes"
        name = "__ignore__" if value == IGNORE else index.table.names[value]
        shapes.append(Shape(name, "mask", np.zeros((1, 2)), str(number), seen))
    return Drawing(tuple(shapes), labels.hw)


def _objects(drawing: Drawing, *, whole: bool) -> list[list[Shape]]:
    """The shapes of each object; each shape is its own where objects are not told apart."""
    found: dict[object, list[Shape]] = {}
    for place, shape in enumerate(drawing.shapes):
        found.setdefault((shape.label, shape.group) if shape.group and whole else place, []).append(shape)
    return list(found.values())


def _seen(drawing: Drawing, hw: tuple[int, int], *, whole: bool, said: bool) -> Counter[tuple[str, bytes, object]]:
    """Class, pixels that are seen, and attributes of every object."""
    rule: Tool = "coco" if drawing.tool == "coco" else "centre"
    found: Counter[tuple[str, bytes, object]] = Counter()
    for parts in _objects(drawing, whole=whole):
        own = {id(part) for part in parts}
        mask = draw(drawing.shapes, [int(id(shape) in own) for shape in drawing.shapes], hw, ground=0, rule=rule)
        texts = frozenset(pair for part in parts for pair in part.attributes) if said else None
        if mask.any():
            found[parts[0].label, mask.tobytes(), texts] += 1
    return found


def _forms(drawing: Drawing) -> Counter[str]:
    return Counter("holes" if shape.holes else FORMS.get(shape.kind, "shapes") for shape in drawing.shapes)


def _lost(drawing: Drawing, to: str) -> dict[str, int]:
    """What has to be counted by the row of a format, but for what writers find out."""
    holds, lost = FORMATS[to].holds, Counter[str]()
    for form, count in _forms(drawing).items() if "shapes" in holds else ():
        if form not in holds:
            lost[INSTEAD[form]] += count
    if "attributes" not in holds:
        lost["shapes with attributes"] = sum(
            any(name != "track_id" for name, _ in one.attributes) for one in drawing.shapes
        )
        lost["shapes of tracks"] = sum(any(name == "track_id" for name, _ in one.attributes) for one in drawing.shapes)
    if "instances" not in holds:
        lost["objects told apart"] = sum(len(parts) > 1 for parts in _objects(drawing, whole=True))
    if "groups" not in holds:
        pairs = {(one.group, one.label) for one in drawing.shapes if one.group}
        lost["groups across classes"] = sum(count > 1 for count in Counter(group for group, _ in pairs).values())
    return dict(+lost)


CROSSED = {"outlines of objects with another between their parts, kept as the pixels they show": 2}
BESIDE = {
    "coco": CROSSED,
    "yolo-seg": CROSSED
    | {"outlines that overlap within their object, kept as the outline of the pixels they cover": 2},
    "geojson": CROSSED,
    "shapefile": CROSSED,
    "geopackage": CROSSED,
}
"""What the writers count of `everything`."""


def test_every_format_of_shapes_that_is_written_declares_what_it_holds() -> None:
    assert {name for name in DRAWN if FORMATS[name].write is not None} == set(HELD) - set(BY_NUMBER)
    assert all(FORMATS[name].holds == {"instances"} for name in BY_NUMBER)


@pytest.mark.parametrize("to", HELD)
def test_what_a_format_declares_to_hold_comes_back_and_the_rest_is_counted(
    shown: Index, tmp_path: Path, to: str
) -> None:
    done = convert(shown, tmp_path / "out", to=to)
    again = open_dataset(tmp_path / "out")
    mine, theirs, holds = everything(), _kept(tmp_path / "out", to), FORMATS[to].holds
    labels = (shown.labels(0), again.labels(0))
    assert labels[0] is not None
    assert labels[1] is not None
    np.testing.assert_array_equal(labels[0].ids, labels[1].ids)
    whole, said = "instances" in holds, "attributes" in holds
    expected, found = _seen(mine, HW, whole=whole, said=said), _seen(theirs, HW, whole=whole, said=said)
    if "shapes" not in holds:  # of all that no object covers each class is a region of its own
        assert not expected - found
    else:
        assert found == expected
        _compare_forms(mine, theirs, holds)
    assert done.left_out == Counter(_lost(mine, to)) + Counter(BESIDE.get(to, {}))


def _compare_forms(mine: Drawing, theirs: Drawing, holds: frozenset[str]) -> None:
    before, after = _forms(mine), _forms(theirs)
    for form in holds & {"boxes", "lines", "ellipses"}:
        round_too = before["circles"] * (form == "ellipses")  # circles come back as ellipses
        assert after[form] + (after["circles"] if round_too else 0) == before[form] + round_too, form
    if {"circles", "ellipses"} & holds == {"circles"}:
        assert after["circles"] == before["circles"]
    if "points" in holds:
        dots = [sum(len(one.points_xy) for one in drawn.shapes if "point" in one.kind) for drawn in (mine, theirs)]
        assert dots[0] == dots[1]
    if "masks" in holds:
        assert after["masks"] >= before["masks"]
    if "holes" in holds:
        assert sum(one.kind == "polygon" and _is_open(one) for one in theirs.shapes) == 1


def _is_open(shape: Shape) -> bool:
    """Whether an outline runs around the hole in the drawing without covering it."""
    mask = polygon_mask([shape.points_xy, *shape.holes], HW)
    return bool(mask[14:24, 2:14].any() and not mask[17:21, 5:9].any() and mask.sum() == 104)


@pytest.mark.parametrize("to", HELD)
def test_plain_outlines_keep_their_points(shown: Index, tmp_path: Path, to: str) -> None:
    if "shapes" not in FORMATS[to].holds:
        return
    convert(shown, tmp_path / "out", to=to)
    found = {_points(one) for one in _drawing(open_dataset(tmp_path / "out")).shapes}
    joined = {"1", "2", "4"} if "groups" not in FORMATS[to].holds else set()  # in one ring, or seen in part
    alone = [one for one in everything().shapes if one.kind == "polygon" and not one.holes and one.group not in joined]
    assert {_points(one) for one in alone} <= found


def _points(shape: Shape) -> frozenset[tuple[float, float]]:
    """The corners of an outline, wherever it begins and whichever way it runs."""
    return frozenset((round(x, 6), round(y, 6)) for x, y in shape.points_xy.tolist())


@pytest.mark.parametrize("to", HELD)
@pytest.mark.parametrize("name", DRAWN)
def test_objects_and_attributes_of_every_drawn_format_are_kept_or_counted(name: str, to: str, tmp_path: Path) -> None:
    index = open_dataset(WRITERS[name](tmp_path / "set"))
    photo = index.records[0].image
    if to in ON_THE_MAP and (photo is None or not has_frame(photo)):
        return
    index = index.subset([0])
    done = convert(index, tmp_path / "out", to=to)
    again = open_dataset(tmp_path / "out")
    mine, theirs, holds = _drawing(index), _kept(tmp_path / "out", to), FORMATS[to].holds
    hw = again.photo_hw(0)
    whole, said = "instances" in holds, "attributes" in holds
    expected, found = _seen(mine, hw, whole=whole, said=said), _seen(theirs, hw, whole=whole, said=said)
    if "shapes" in holds:
        assert found == expected
    else:
        named = {label for label, _, _ in expected}
        assert not Counter({one: n for one, n in expected.items() if one[0] in named & set(again.table.names)}) - found
    assert done.left_out == Counter(_lost(mine, to)) + Counter(index.listing.left_out)


BORDERS = "pixels on borders, which COCO's rule paints otherwise"
CORNERS = (
    [[20.3, 4.2], [40.7, 20.9], [18.4, 30.6], [9.5, 12.1]],
    [[50.1, 8.8], [70.2, 12.4], [60.6, 40.3]],
    [[10.9, 40.2], [30.3, 44.7], [21.2, 55.5]],
)
ROAD, *TREE = map(np.array, CORNERS)
SLANTED = (
    Shape("road", "polygon", ROAD, attributes=(("a", "1"),)),
    *(Shape("tree", "polygon", part, "6", attributes=(("b", "2"),)) for part in TREE),
)


@pytest.mark.parametrize("tool", ["coco", "centre"])
@pytest.mark.parametrize("to", [name for name in HELD if "shapes" in FORMATS[name].holds])
def test_between_coco_and_others_points_stay_and_the_pixels_that_change_are_counted(
    to: str, tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = _opened(tmp_path / "set", Drawing(SLANTED, HW, tool), monkeypatch)
    done = convert(index, tmp_path / "out", to=to)
    again = open_dataset(tmp_path / "out")
    theirs, holds = _drawing(again), FORMATS[to].holds
    if to != "yolo-seg":  # where both parts are in one ring
        assert {_points(one) for one in theirs.shapes} == {_points(one) for one in SLANTED}
    if "attributes" in holds:
        assert {pair for one in theirs.shapes for pair in one.attributes} == {("a", "1"), ("b", "2")}
    if "instances" in holds:
        assert len(_objects(theirs, whole=True)) == 2
    before, after = index.labels(0), again.labels(0)
    assert before is not None
    assert after is not None
    changed = int(np.count_nonzero(before.ids != after.ids))
    assert bool(changed) == ((to == "coco") != (tool == "coco"))
    assert changed < before.ids.size / 100
    assert done.left_out.get(BORDERS, 0) == changed


def test_of_parts_that_differ_the_first_counts_and_the_difference_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = (polygon("road", 2, 2, 8, 8, "1", a="1", b="2"), polygon("road", 12, 2, 18, 8, "1", a="3", c="4"))
    index = _opened(tmp_path / "set", Drawing(parts, HW, "centre"), monkeypatch)
    at_odds = {"attributes in which the parts of an object differ": 1}
    for to, lost in (("coco", at_odds), ("geojson", at_odds), ("labelme", {}), ("cvat", {}), ("darwin", {})):
        assert convert(index, tmp_path / to, to=to).left_out == lost
        said = {pair for one in _drawing(open_dataset(tmp_path / to)).shapes for pair in one.attributes}
        assert said == {("a", "1"), ("b", "2"), ("c", "4")} | (set() if lost else {("a", "3")})


def test_names_that_mean_something_to_a_format_are_no_reason_to_lose_an_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        ("occluded", "partly"), ("source", "drone"), ("iscrowd", "no"), ("description", "x"), ("text", "hello"),
        ("polygon", "yes"), ("lines", "a\r\nb\rc"), ("wet", "false"), ("wide", "true"), ("<&>\"'", "ü\n]]>"),
        ("long", "words" * 100),
    )  # fmt: skip
    shape = replace(polygon("road", 2, 2, 8, 8), attributes=said)
    index = _opened(tmp_path / "set", Drawing((shape,), HW, "centre"), monkeypatch)
    for to in [name for name in HELD if "attributes" in FORMATS[name].holds]:
        assert convert(index, tmp_path / to, to=to).left_out == {}
        expected = set(said)
        if to == "label-studio":  # one of its controls is called so
            expected = expected - {("polygon", "yes")} | {("polygon (attribute)", "yes")}
        assert set(_drawing(open_dataset(tmp_path / to)).shapes[0].attributes) == expected, to


def test_what_cannot_be_said_of_an_object_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = (
        replace(polygon("road", 2, 2, 8, 8), attributes=(("a", "1"), ("a", "2"), ("Class", "x"))),
        polygon("tree", 300, 2, 308, 8, b="1"),
        polygon("tree", 20, 20, 24, 24, "3", c="1"),
        polygon("road", 18, 18, 30, 30, d="1"),
        Shape("tree", "ellipse", np.array([[50, 40], [58, 44], [50, 47]], float), attributes=(("e", "1"),)),
    )
    index = _opened(tmp_path / "set", Drawing(shapes, HW, "centre"), monkeypatch)
    twice = {"attributes of a name that a shape has twice": 1}
    odd = {"attributes in which the parts of an object differ": 1, "objects that cover no pixel": 1}
    round_ = {"circles and ellipses, kept as the pixels they cover": 1}
    askew = {"circles and ellipses that no radii and angle state exactly, kept as the pixels they cover": 1}
    expected: dict[str, dict[str, int]] = {
        "labelme": twice | round_,
        "coco": odd | round_,
        "cvat": askew,
        "label-studio": {"outlines that no percentages state exactly, kept as the pixels they cover": 1},
        "supervisely": round_,
        "darwin": askew,
        # what lies off the photo is on the map all the same
        "geojson": {"attributes in which the parts of an object differ": 1, "attributes whose name is taken": 1}
        | round_,
        "coco-panoptic": {"objects of which no pixel is seen": 2, "shapes with attributes": 5},
    }
    for to, lost in expected.items():
        assert convert(index, tmp_path / to, to=to).left_out == lost, to


def test_a_photo_whose_background_means_another_thing_is_traced_and_its_shapes_are_counted(tmp_path: Path) -> None:
    WRITERS["labelme"](tmp_path / "north")
    WRITERS["coco"](tmp_path / "south")
    (tmp_path / "map.toml").write_text('version = 1\n[sources.north.rename]\ntree = "road"\n')
    done = convert(
        [tmp_path / "north", tmp_path / "south"], tmp_path / "out", to="labelme", class_map=tmp_path / "map.toml"
    )
    assert any("never annotated" in note for note in done.notes)
    assert done.left_out["shapes, kept as outlines of the pixels they show"] == 12


def test_a_table_on_the_map_keeps_attributes_in_columns_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = (
        polygon("road", 2, 2, 8, 8, FID="7", geom="x", wet="yes", **{'a "b"': "c", "lanes": "2"}),
        polygon("tree", 20, 20, 24, 24, Wet="no", CLASS="y", ä="1"),
        polygon("tree", 30, 30, 34, 34, lanes="3"),
    )
    index = _opened(tmp_path / "set", Drawing(shapes, HW, "centre"), monkeypatch)
    done = convert(index, tmp_path / "out", to="geopackage")
    assert done.left_out == {"attributes whose name is taken": 4}
    found = [dict(one.attributes) for one in _drawing(open_dataset(tmp_path / "out")).shapes]
    assert found == [{"wet": "yes", 'a "b"': "c", "lanes": "2"}, {"ä": "1"}, {"lanes": "3"}]
    assert convert(index, tmp_path / "shp", to="shapefile").left_out == {"shapes with attributes": 3}


def test_characters_that_no_file_can_hold_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = polygon("road", 2, 2, 8, 8, "\ud800", **{"a\udfff": "b\ud800", "c\0": "\x01d\uffff"})
    index = _opened(tmp_path / "set", Drawing((shape,), HW, "centre"), monkeypatch)
    for to in ("labelme", "coco", "label-studio", "supervisely", "darwin", "geojson"):
        assert convert(index, tmp_path / to, to=to).left_out == {}
        assert set(_drawing(open_dataset(tmp_path / to)).shapes[0].attributes) == {("a?", "b?"), ("c\0", "\x01d\uffff")}
    assert convert(index, tmp_path / "cvat", to="cvat").left_out == {"characters that XML does not have": 3}
    found = _drawing(open_dataset(tmp_path / "cvat")).shapes[0].attributes
    assert found == (("a?", "b?"), ("c\ufffd", "\ufffdd\ufffd"))
