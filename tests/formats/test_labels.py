import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tessella.core.annotation import Drawing, Shape, StoredMask
from tessella.core.classes import ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import LabelError
from tessella.formats.raster.labels import UNKNOWN, background_id, colour_counts, count_values, resolve, value_table
from tessella.formats.raster.rasterise import draw

TABLE = ClassTable.from_names(["background", "road", "tree"])
CODING = LabelCoding(TABLE, values=((0,), (1, 7), (300,)), ignore_values=(255,), ignore_colours=((9, 9, 9),))


def stored(*values: int, dtype: type = np.uint8) -> StoredMask:
    return StoredMask(np.array([values], dtype), "L")


def square(label: str, left: float, right: float) -> Shape:
    return Shape(label, "polygon", np.array([[left, 0], [right, 0], [right, 4], [left, 4]], np.float64))


def test_stored_values_become_ids_through_the_table() -> None:
    assert resolve(stored(0, 1, 7, 255), CODING).ids.tolist() == [[0, 1, 1, 255]]


def test_sixteen_bit_values_are_looked_up_whole() -> None:
    assert resolve(stored(0, 300, 7, dtype=np.uint16), CODING).ids.tolist() == [[0, 2, 1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_value_without_a_class_is_named_with_its_count_and_first_place(dtype) -> None:
    with pytest.raises(LabelError, match=r"masks/a.png: stored values 5 \(2 px\), 6 \(1 px\) .*row 0, column 1"):
        resolve(stored(0, 5, 6, 5, dtype=dtype), CODING, where="masks/a.png")


def test_many_stray_values_are_summed_up() -> None:
    with pytest.raises(LabelError, match="and 12 more"):
        resolve(stored(*range(20, 40)), CODING)


@given(ids=hnp.arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2, 255])))
def test_painting_then_reading_a_colour_mask_gives_the_same_ids(ids) -> None:
    palette = TABLE.palette()
    palette[255] = (9, 9, 9)
    np.testing.assert_array_equal(resolve(StoredMask(palette[ids], "RGB"), CODING).ids, ids)


@given(ids=hnp.arrays(np.uint8, (5, 7), elements=st.sampled_from([0, 1, 2, 255])))
def test_ids_stored_as_themselves_come_back(ids) -> None:
    np.testing.assert_array_equal(resolve(StoredMask(ids, "P"), LabelCoding(TABLE)).ids, ids)


def test_alpha_is_not_part_of_a_colour() -> None:
    pixels = np.array([[[128, 0, 0, 0], [0, 0, 0, 255]]], np.uint8)
    assert resolve(StoredMask(pixels, "RGBA"), CODING).ids.tolist() == [[1, 0]]


def test_a_colour_without_a_class_is_named() -> None:
    pixels = np.array([[[0, 0, 0], [1, 2, 3], [1, 2, 3]]], np.uint8)
    with pytest.raises(LabelError, match=r"colours \(1, 2, 3\) \(2 px\) .*row 0, column 1"):
        resolve(StoredMask(pixels, "RGB"), CODING)


def test_colours_that_differ_in_one_channel_are_told_apart() -> None:
    table = ClassTable((ClassInfo("a", (1, 0, 0)), ClassInfo("b", (0, 1, 0)), ClassInfo("c", (0, 0, 1))))
    pixels = np.array([[[0, 0, 1], [0, 1, 0], [1, 0, 0]]], np.uint8)
    assert resolve(StoredMask(pixels, "RGB"), LabelCoding(table)).ids.tolist() == [[2, 1, 0]]


def test_later_shapes_paint_over_earlier_ones() -> None:
    labels = resolve(Drawing((square("road", 0, 3), square("tree", 2, 5))), CODING, (1, 6))
    assert labels.ids.tolist() == [[1, 1, 2, 2, 2, 0]]


def test_an_ignored_shape_paints_ignore() -> None:
    labels = resolve(Drawing((square("road", 0, 3), square("__ignore__", 1, 2))), CODING, (1, 4))
    assert labels.ids.tolist() == [[1, 255, 1, 0]]


def test_the_drawing_names_the_tool_whose_pixels_are_meant() -> None:
    corners = np.array([[1, 1], [3, 1], [3, 3], [1, 3]], np.float64)
    shapes = (Shape("road", "polygon", corners),)
    counts = {
        (tool, fill): int((resolve(Drawing(shapes, (6, 6), tool), CODING, fill=fill).ids == 1).sum())
        for tool in ("centre", "labelme", "cvat", "coco")
        for fill in ("centre", "tool")
    }
    assert {tool: counts[tool, "centre"] for tool in ("centre", "labelme", "cvat", "coco")} == dict.fromkeys(
        ("centre", "labelme", "cvat", "coco"), 4
    )
    assert (counts["centre", "tool"], counts["labelme", "tool"], counts["cvat", "tool"]) == (4, 9, 4)


def test_coco_is_painted_by_its_own_rule_always() -> None:
    ring = np.array([[0.33, 0.21], [7.77, 1.4], [5.1, 7.6], [1.02, 6.3]])
    shapes = (Shape("road", "polygon", ring),)
    by_rule = {rule: draw(shapes, [1], (9, 9), ground=0, rule=rule) for rule in ("centre", "coco")}
    assert (by_rule["centre"] != by_rule["coco"]).any()
    for fill in ("centre", "tool"):
        np.testing.assert_array_equal(resolve(Drawing(shapes, (9, 9), "coco"), CODING, fill=fill).ids, by_rule["coco"])
    np.testing.assert_array_equal(resolve(Drawing(shapes, (9, 9), "cvat"), CODING).ids, by_rule["centre"])


def test_parts_of_one_object_are_united_not_cancelled() -> None:
    parts = (square("road", 0, 3), square("road", 2, 5))
    for tool in ("coco", "centre"):
        assert resolve(Drawing(parts, (1, 6), tool), CODING).ids.tolist() == [[1, 1, 1, 1, 1, 0]]


def test_the_photos_size_wins_over_the_declared_one() -> None:
    assert resolve(Drawing((), (9, 9)), CODING, (3, 4)).hw == (3, 4)
    assert resolve(Drawing((), (9, 9)), CODING).hw == (9, 9)
    with pytest.raises(LabelError, match="size"):
        resolve(Drawing(()), CODING)


def test_an_unknown_label_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(LabelError, match=r"a.json: shape 1 has the label 'raod'.*did you mean 'road'"):
        resolve(Drawing((square("tree", 0, 1), square("raod", 0, 3))), CODING, (1, 4), where="a.json")


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("background", "a"), 0), (("a", "_background_"), 1), (("a", "Background"), 1), (("a", "b"), 255)],
)
def test_what_no_shape_covers_is_background_by_name_else_ignored(names, expected) -> None:
    assert background_id(LabelCoding(ClassTable.from_names(names))) == expected


def test_the_lookup_says_what_every_value_means() -> None:
    lookup = value_table(CODING, np.uint8)
    assert lookup.shape == (256,)
    assert (lookup[0], lookup[1], lookup[7], lookup[255], lookup[2]) == (0, 1, 1, 255, UNKNOWN)
    assert value_table(CODING, np.uint16)[300] == 2


@given(pixels=hnp.arrays(st.sampled_from([np.uint8, np.uint16]), hnp.array_shapes(min_dims=2, max_dims=2)))
def test_values_are_counted_exactly(pixels) -> None:
    counts = count_values(pixels)
    assert counts.sum() == pixels.size
    for value in np.unique(pixels):
        assert counts[value] == (pixels == value).sum()


def test_counts_are_exact_beyond_24_bits() -> None:
    # a histogram in float32 stops counting at 2**24
    pixels = np.zeros((4100, 4100), np.uint8)
    pixels[0, 0] = 3
    counts = count_values(pixels)
    assert (counts[0], counts[3]) == (4100 * 4100 - 1, 1)


def test_a_mask_that_is_a_view_is_read_right() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)[::2, ::3] % 2
    assert resolve(StoredMask(pixels, "L"), CODING).ids.tolist() == (pixels % 2).tolist()


def test_colours_are_counted_by_runs_as_by_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 3, (17, 23, 3), dtype=np.uint8)
    expected: dict[tuple[int, ...], int] = {}
    for colour in map(tuple, pixels.reshape(-1, 3).tolist()):
        expected[colour] = expected.get(colour, 0) + 1
    assert colour_counts(StoredMask(pixels, "RGB")) == expected
