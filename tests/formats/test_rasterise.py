import json
import math
from fractions import Fraction
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tessella.core.annotation import Shape
from tessella.core.errors import LabelError
from tessella.formats.raster.rasterise import FARTHEST_PX, LINE_WIDTH_PX, POINT_RADIUS_PX, paint, polygon_mask
from tessella.formats.raster.rle import decode_coco

HW = (14, 17)
eighths = st.integers(-24, 160).map(lambda v: v / 8)
points = st.tuples(eighths, eighths)
rings = st.lists(points, min_size=3, max_size=9)


def painted(kind, xy, *, hw=HW, rule="centre", **more):
    ids = np.zeros(hw, np.uint8)
    paint(ids, Shape("a", kind, np.array(xy, np.float64), **more), value=1, rule=rule)
    return ids


def even_odd(ring, hw):
    """The rule in exact fractions, pixel by pixel."""
    exact = [(Fraction(x), Fraction(y)) for x, y in ring]
    mask = np.zeros(hw, bool)
    for row in range(hw[0]):
        for column in range(hw[1]):
            x, y = Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2)
            inside = False
            for (x0, y0), (x1, y1) in zip(exact, exact[1:] + exact[:1], strict=True):
                if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                    inside = not inside
            mask[row, column] = inside
    return mask


def test_a_square_from_10_to_20_covers_100_pixels() -> None:
    ids = painted("polygon", [(10, 10), (20, 10), (20, 20), (10, 20)], hw=(30, 30))
    assert ids.sum() == 100
    assert ids[10:20, 10:20].all()


def test_the_same_square_covers_121_pixels_by_the_tools_rule() -> None:
    assert painted("polygon", [(10, 10), (20, 10), (20, 20), (10, 20)], hw=(30, 30), rule="labelme").sum() == 121


@given(ring=rings)
def test_a_polygon_covers_exactly_the_centres_inside_by_even_odd(ring) -> None:
    np.testing.assert_array_equal(polygon_mask([np.array(ring)], HW), even_odd(ring, HW))


near_and_far = st.one_of(st.integers(-3 * 256, 20 * 256), st.integers(-(2**25), 2**25)).map(lambda v: v / 256)


@given(ring=st.lists(st.tuples(near_and_far, near_and_far), min_size=3, max_size=6))
def test_the_rule_is_exact_to_a_256th_of_a_pixel_as_far_as_131072_pixels_away(ring) -> None:
    np.testing.assert_array_equal(polygon_mask([np.array(ring)], HW), even_odd(ring, HW))


@given(ring=rings, holes=st.lists(rings, min_size=1, max_size=3))
def test_holes_are_counted_into_the_same_even_odd(ring, holes) -> None:
    expected = even_odd(ring, HW)
    for hole in holes:
        expected ^= even_odd(hole, HW)
    painted_with_holes = painted("polygon", ring, holes=tuple(map(np.array, holes)))
    np.testing.assert_array_equal(painted_with_holes > 0, expected)


@given(ring=rings, shift=st.integers(0, 8))
def test_where_the_ring_starts_and_which_way_it_runs_makes_no_difference(ring, shift) -> None:
    once = polygon_mask([np.array(ring)], HW)
    turned = ring[shift % len(ring) :] + ring[: shift % len(ring)]
    np.testing.assert_array_equal(once, polygon_mask([np.array(turned)], HW))
    np.testing.assert_array_equal(once, polygon_mask([np.array(turned[::-1])], HW))


floats = st.floats(-3, 20, allow_nan=False, width=32)


@given(corners=st.lists(st.tuples(floats, floats), min_size=4, max_size=4))
def test_polygons_that_share_an_edge_neither_overlap_nor_leave_a_gap(corners) -> None:
    first, second, third, fourth = corners
    whole = polygon_mask([np.array(corners)], HW)
    left = polygon_mask([np.array([first, second, third])], HW)
    right = polygon_mask([np.array([third, fourth, first])], HW)
    # even-odd is additive: over a shared diagonal the two halves make the whole, bit by bit
    np.testing.assert_array_equal(left ^ right, whole)


@given(split=st.lists(floats, min_size=1, max_size=6), data=st.data())
def test_a_fan_of_triangles_tiles_the_picture_without_gap_or_overlap(split, data) -> None:
    height, width = HW
    centre = np.array([data.draw(st.floats(1, width - 1)), data.draw(st.floats(1, height - 1))])
    border = [
        (0, 0),
        *((x, 0) for x in sorted({v for v in split if 0 < v < width})),
        (width, 0),
        (width, height),
        (0, height),
    ]
    count = np.zeros(HW, int)
    for one, other in zip(border, border[1:] + border[:1], strict=True):
        count += polygon_mask([np.array([centre, one, other])], HW)
    assert (count == 1).all()


@given(ring=rings)
def test_a_mirrored_polygon_covers_the_mirrored_pixels(ring) -> None:
    # a centre exactly on an edge belongs to one side by the rule, and mirroring swaps the sides
    moved = [(x + 1 / 64, y + 1 / 128) for x, y in ring]
    exact = [(Fraction(x), Fraction(y)) for x, y in moved]
    assume(not _touches_a_centre(exact))
    mirrored = [(HW[1] - x, y) for x, y in moved]
    np.testing.assert_array_equal(polygon_mask([np.array(moved)], HW)[:, ::-1], polygon_mask([np.array(mirrored)], HW))


def _touches_a_centre(exact) -> bool:
    for (x0, y0), (x1, y1) in zip(exact, exact[1:] + exact[:1], strict=True):
        for row in range(HW[0]):
            y = Fraction(2 * row + 1, 2)
            if y0 != y1 and min(y0, y1) <= y <= max(y0, y1):
                x = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                if (x - Fraction(1, 2)).denominator == 1:
                    return True
    return False


def test_a_polygon_far_outside_paints_nothing_and_one_half_outside_is_cut() -> None:
    assert painted("polygon", [(100, 100), (110, 100), (110, 110)]).sum() == 0
    assert painted("polygon", [(-1e7, -1e7), (1e7, -1e7), (1e7, 1e7), (-1e7, 1e7)]).all()
    assert painted("polygon", [(-5, -5), (3, -5), (3, 2), (-5, 2)]).sum() == 6


def test_a_hole_is_cut_out() -> None:
    ring = np.array([(2.0, 2.0), (6.0, 2.0), (6.0, 6.0), (2.0, 6.0)])
    ids = painted("polygon", [(0, 0), (8, 0), (8, 8), (0, 8)], holes=(ring,))
    assert ids.sum() == 64 - 16
    assert painted("polygon", [(0, 0), (8, 0), (8, 8), (0, 8)], holes=(ring,), rule="labelme")[4, 4] == 0


@pytest.mark.parametrize("corners", [[(3, 2), (9, 7)], [(9, 7), (3, 2)], [(3, 7), (9, 2)]])
def test_a_rectangle_is_the_box_of_its_corners_in_any_order(corners) -> None:
    ids = painted("rectangle", corners)
    assert ids.sum() == 6 * 5
    assert ids[2:7, 3:9].all()


def test_mirroring_moves_only_centres_that_lie_on_an_edge() -> None:
    # the left and upper edge belong to a shape, the right and lower do not: a centre on both mirrored edges changes
    diamond = [(4.5, 1.5), (7.5, 4.5), (4.5, 7.5), (1.5, 4.5)]
    mirrored = [(9 - x, y) for x, y in diamond]
    once, twice = (polygon_mask([np.array(ring)], (9, 9)) for ring in (diamond, mirrored))
    np.testing.assert_array_equal(once, twice)
    assert once[4, 1]
    assert not once[4, 7]
    changed = np.argwhere(once[:, ::-1] != once)
    on_an_edge = {(row, column) for row in range(9) for column in range(9) if abs(row - 4) + abs(column - 4) == 3}
    assert {(int(row), int(column)) for row, column in changed} <= on_an_edge


half_axes = st.integers(-40, 40).map(lambda v: v / 4)


@given(centre=points, a=st.tuples(half_axes, half_axes), b=st.tuples(half_axes, half_axes))
def test_an_ellipse_is_every_centre_that_its_half_axes_map_into_the_unit_disc(centre, a, b) -> None:
    (cx, cy), (ax, ay), (bx, by) = ([Fraction(v) for v in point] for point in (centre, a, b))
    area = ax * by - ay * bx
    expected = np.zeros(HW, bool)
    for row in range(HW[0] if area else 0):
        for column in range(HW[1]):
            x, y = Fraction(2 * column + 1, 2) - cx, Fraction(2 * row + 1, 2) - cy
            expected[row, column] = ((x * by - y * bx) / area) ** 2 + ((y * ax - x * ay) / area) ** 2 <= 1
    ends = [centre, (centre[0] + a[0], centre[1] + a[1]), (centre[0] + b[0], centre[1] + b[1])]
    np.testing.assert_array_equal(painted("ellipse", ends) > 0, expected)


def test_an_ellipse_of_equal_half_axes_is_a_circle_and_a_flat_one_covers_nothing() -> None:
    circle = painted("circle", [(8, 7), (8, 12)])
    np.testing.assert_array_equal(painted("ellipse", [(8, 7), (13, 7), (8, 12)]), circle)
    np.testing.assert_array_equal(painted("ellipse", [(8, 7), (11, 11), (4, 10)]), circle)
    assert painted("ellipse", [(8, 7), (13, 7), (3, 7)]).sum() == 0


def test_a_circle_is_every_centre_within_its_radius() -> None:
    ids = painted("circle", [(8, 7), (8, 12)])
    rows, columns = np.mgrid[: HW[0], : HW[1]]
    np.testing.assert_array_equal(ids > 0, (columns + 0.5 - 8) ** 2 + (rows + 0.5 - 7) ** 2 <= 25)


def test_a_level_line_is_ten_pixels_high() -> None:
    ids = painted("line", [(10, 20), (40, 20)], hw=(40, 50))
    assert LINE_WIDTH_PX == 10
    assert ids[:, 25].sum() == 10
    assert ids[15:25, 25].all()


def test_a_line_strip_is_the_union_of_its_lines() -> None:
    xy = [(10, 10), (30, 12), (25, 35)]
    both = painted("line", xy[:2], hw=(50, 50)) | painted("line", xy[1:], hw=(50, 50))
    np.testing.assert_array_equal(painted("linestrip", xy, hw=(50, 50)), both)


def test_points_are_discs() -> None:
    ids = painted("points", [(10, 10), (30, 10)], hw=(40, 40))
    single = painted("point", [(10, 10)], hw=(40, 40))
    assert single.sum() == pytest.approx(math.pi * POINT_RADIUS_PX**2, abs=4)
    assert ids.sum() == 2 * single.sum()


def test_a_mask_lies_at_its_corner_and_is_cut_at_the_border() -> None:
    mask = np.array([[1, 1], [0, 1]], bool)
    inside = painted("mask", [(3, 4), (5, 6)], mask=mask)
    np.testing.assert_array_equal(np.argwhere(inside), [[4, 3], [4, 4], [5, 4]])
    np.testing.assert_array_equal(np.argwhere(painted("mask", [(-1, -1), (1, 1)], mask=mask)), [[0, 0]])
    np.testing.assert_array_equal(np.argwhere(painted("mask", [(16, 13)], mask=mask)), [[13, 16]])
    assert painted("mask", [(40, 40)], mask=mask).sum() == 0


anywhere = st.one_of(st.integers(-25, 90).map(float), st.floats(-25, 90))


@given(
    kind=st.sampled_from(["polygon", "rectangle", "circle", "line", "linestrip", "point", "points"]),
    xy=st.lists(st.tuples(anywhere, anywhere), min_size=3, max_size=6),
    holes=st.lists(st.lists(st.tuples(anywhere, anywhere), min_size=3, max_size=4), max_size=1),
)
def test_labelmes_rule_paints_what_labelme_paints(kind, xy, holes) -> None:
    """Against `labelme.utils.shape_to_mask` of LabelMe 5.2, written out here, with holes painted out."""
    need = {"rectangle": 2, "circle": 2, "line": 2, "point": 1}
    xy, holes = xy[: need.get(kind, len(xy))], holes if kind == "polygon" else []
    picture = Image.new("L", (70, 60))
    draw = ImageDraw.Draw(picture)
    if kind == "circle":
        (cx, cy), (px, py) = xy
        d = math.sqrt((cx - px) ** 2 + (cy - py) ** 2)
        draw.ellipse([cx - d, cy - d, cx + d, cy + d], outline=1, fill=1)
    elif kind == "rectangle":
        (x0, y0), (x1, y1) = xy
        draw.rectangle([min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)], outline=1, fill=1)
    elif kind in {"line", "linestrip"}:
        draw.line(xy=xy, fill=1, width=10)
    elif kind in {"point", "points"}:
        for cx, cy in xy:
            draw.ellipse([cx - 5, cy - 5, cx + 5, cy + 5], outline=1, fill=1)
    else:
        draw.polygon(xy=xy, outline=1, fill=1)
        for hole in holes:
            draw.polygon(xy=hole, outline=0, fill=0)
    ours = painted(kind, xy, hw=(60, 70), rule="labelme", holes=tuple(map(np.array, holes)))
    np.testing.assert_array_equal(ours, np.asarray(picture))


def test_polygons_cover_the_areas_that_cvat_states_and_ellipses_the_pixels_it_exports(shared_data) -> None:
    """CVAT's COCO export holds the number of pixels of each polygon, and its ellipses as run lengths."""
    folder = shared_data / "annotation_tools_same_images" / "datasets"
    coco = json.loads((folder / "coco1.0" / "annotations" / "instances_default.json").read_text())
    sizes = {photo["id"]: (photo["height"], photo["width"]) for photo in coco["images"]}
    areas, masks = {}, []
    for entry in coco["annotations"]:
        if isinstance(entry["segmentation"], dict):
            masks.append(decode_coco(entry["segmentation"], where="coco"))
        elif entry["segmentation"]:
            ring = np.array(entry["segmentation"][0]).reshape(-1, 2)
            ids = painted("polygon", ring, hw=sizes[entry["image_id"]], rule="cvat")
            areas[entry["id"]] = (int(ids.sum()), int(entry["area"]))
    assert len(areas) == 3
    assert all(ours == theirs for ours, theirs in areas.values())
    xml = ElementTree.parse(folder / "cvat1.1" / "annotations.xml")  # noqa: S314 - a file of our own collection
    drawn = []
    for tag in xml.iter("ellipse"):
        cx, cy, rx, ry = (float(tag.get(name)) for name in ("cx", "cy", "rx", "ry"))
        turn = math.radians(float(tag.get("rotation", 0)))
        along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
        ends = [(cx, cy), (cx, cy) + rx * along, (cx, cy) + ry * across]
        drawn.append(painted("ellipse", ends, hw=masks[0].shape, rule="cvat") > 0)
    assert len(drawn) == len(masks) == 2
    for ours, theirs in zip(drawn, masks, strict=True):
        np.testing.assert_array_equal(ours, theirs)


hundredths = st.integers(-5000, 15000).map(lambda v: v / 100)


@given(
    centre=st.tuples(hundredths, hundredths),
    axes=st.tuples(*[st.integers(1, 12000).map(lambda v: v / 100)] * 2),
    rotation=st.integers(0, 36000).map(lambda v: v / 100),
)
def test_cvats_rule_paints_the_ellipse_that_cvat_asks_opencv_for(centre, axes, rotation) -> None:
    theirs = np.zeros((90, 110), np.uint8)
    middle, whole_axes = tuple(map(round, centre)), tuple(map(round, axes))
    cv2.ellipse(theirs, middle, whole_axes, rotation, 0, 360, 1, thickness=-1)
    turn = math.radians(rotation)
    along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    ends = [centre, np.array(centre) + axes[0] * along, np.array(centre) + axes[1] * across]
    np.testing.assert_array_equal(painted("ellipse", ends, hw=theirs.shape, rule="cvat"), theirs)


def test_cvats_masks_hold_no_lines_and_no_points() -> None:
    for kind, xy in (("line", [(1, 1), (9, 9)]), ("linestrip", [(1, 1), (9, 9)]), ("point", [(5, 5)])):
        assert painted(kind, xy, rule="cvat").sum() == 0


@pytest.mark.parametrize(("kind", "xy"), [("polygon", [(1, 1), (2, 2)]), ("line", [(1, 1)]), ("point", [])])
def test_a_shape_with_too_few_points_is_refused(kind, xy) -> None:
    with pytest.raises(LabelError, match="too few points"):
        painted(kind, np.array(xy, float).reshape(-1, 2))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_coordinate_that_is_no_number_is_refused(bad) -> None:
    with pytest.raises(LabelError, match="not a number"):
        painted("polygon", [(1, 1), (2, bad), (3, 3)])


def test_a_mask_shape_without_pixels_is_refused() -> None:
    with pytest.raises(LabelError, match="holds no pixels"):
        painted("mask", [(1, 1)])


@pytest.mark.parametrize("rule", ["centre", "labelme", "cvat", "coco"])
@pytest.mark.parametrize(
    ("kind", "xy"),
    [
        ("polygon", [(1, 1), (1e300, 1), (1, 9)]),
        ("rectangle", [(1, 1), (9, -1e300)]),
        ("circle", [(1, 1), (1e8, 1)]),
        ("line", [(0, 0), (1e154, 1e154)]),
        ("point", [(1e18, 0)]),
    ],
)
def test_a_coordinate_of_astronomic_size_is_refused_with_the_shape_named(kind, xy, rule) -> None:
    with pytest.raises(LabelError, match=rf"a {kind} labelled 'a' has a coordinate far outside any photo; got 1e\+"):
        painted(kind, xy, rule=rule)


def test_shapes_reach_as_far_as_is_allowed_without_losing_a_pixel() -> None:
    far = FARTHEST_PX
    assert painted("polygon", [(-far, -far), (far, -far), (far, far), (-far, far)]).all()
    assert painted("circle", [(0, 0), (far, 0)]).all()
    assert painted("rectangle", [(3, -far), (far, 5)]).sum() == 5 * (HW[1] - 3)
