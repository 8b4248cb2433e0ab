"""Faults of stored values, palettes and outlines, planted one at a time; beside each what must be found."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from data import faulty
from data.faulty import disc, ground, house, labelme, labelme_set, mask_set, polygon, save
from data.planted import Case, nothing
from tessella.core.classes import ClassTable, LabelCoding, voc_colour

CELLS = LabelCoding(ClassTable.from_names(("background", "cell")))
UNNAMED = LabelCoding(ClassTable.from_names(("left", "right")))
FROM_ONE = LabelCoding(ClassTable.from_names(("soil", "crop", "weed")), values=((1,), (2,), (3,)))


def all_masks(change: Callable[[np.ndarray], np.ndarray], *, count: int = 4) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        mask_set(root, count=count)
        for path in (root / "masks").iterdir():
            save(path, change(faulty.ids()))
        return root

    return make


def discs(*, inverted: Sequence[int] = (), count: int = 10, radius: int = 20) -> Callable[[Path], Path]:
    """Masks of one disc in the middle; some the other way round."""

    def make(root: Path) -> Path:
        for number in range(count):
            mask = disc(radius=radius + number).astype(np.uint8)
            save(root / "images" / f"{number}.png", faulty.photo(number, mask.shape))
            save(root / "masks" / f"{number}.png", 1 - mask if number in inverted else mask)
        return root

    return make


def greys(*values: int) -> Callable[[Path], Path]:
    return all_masks(
        lambda ids: np.array([0, *values], np.uint8)[(ids + np.indices(ids.shape)[1] // 20) % (len(values) + 1)]
    )


def colour_masks(root: Path, colours: Sequence[tuple[int, int, int]], *, spoilt: int = 1) -> Path:
    """Colour masks by the table of `faulty`, one of them with other colours."""
    for number in range(3):
        palette = np.array(colours if number == spoilt else faulty.CODING.table.colours, np.uint8)
        save(root / "images" / f"{number}.png", faulty.photo(number))
        save(root / "masks" / f"{number}.png", palette[faulty.ids()])
    return root


def palette_masks(*palettes: Sequence[tuple[int, int, int]], by_colour: bool = False) -> Callable[[Path], Path]:
    """One palette mask per palette; the ids stay, or (by_colour) the picture stays and the ids follow the palette."""

    def make(root: Path) -> Path:
        for number, colours in enumerate(palettes):
            ids = faulty.ids()
            if by_colour:
                ids = np.array([list(colours).index(colour) for colour in palettes[0]], np.uint8)[ids]
            picture = Image.fromarray(ids)
            picture.putpalette(np.array(colours, np.uint8).tobytes())
            save(root / "images" / f"{number}.png", faulty.photo(number))
            (root / "masks").mkdir(exist_ok=True)
            picture.save(root / "masks" / f"{number}.png")
        return root

    return make


def objects(root: Path) -> Path:
    """Each mask numbers its objects from 1, up to another number."""
    for number, top in enumerate((6, 13, 24, 30, 9)):
        mask = np.zeros(faulty.HW, np.uint8)
        for index in range(top):
            row, column = divmod(index, 10)
            mask[row * 10 + 2 : row * 10 + 8, column * 6 + 1 : column * 6 + 5] = index + 1
        save(root / "images" / f"{number}.png", faulty.photo(number))
        save(root / "masks" / f"{number}.png", mask)
    return root


def edit(name: str, *shapes: dict) -> Callable[[Path], object]:
    return lambda root: labelme(root / name, *shapes)


def via(root: Path) -> Path:
    """A VIA project of two photos, of which one was saved again since."""
    import json

    project = {}
    for number in range(3):
        path = save(root / f"{number}.png", faulty.photo(number))
        size = path.stat().st_size + (7 if number == 1 else 0)
        shape = {"name": "polygon", "all_points_x": [5, 25, 25, 5], "all_points_y": [5, 5, 15, 15]}
        region = {"shape_attributes": shape, "region_attributes": {"label": "building"}}
        project[path.name] = {
            "filename": path.name,
            "size": size,
            "regions": [region],
            "file_attributes": {},
        }
    (root / "via.json").write_text(json.dumps(project))
    return root


def _comb() -> dict:
    """A close outline of 40 points around a hill, whose last point lies far below the first."""
    hill = [(2 + x, 10 - 6 * np.sin(x / 12)) for x in np.arange(0, 38, 0.5)]
    return polygon("building", *hill, (55, 37))


BLACK, RED, GREEN, OLIVE = (voc_colour(index) for index in range(4))
CASES = (
    Case("L106", nothing, ("masks/0.png",), says="0 never occurs and 3 does", make=all_masks(lambda ids: ids + 1)),
    Case("L107", nothing, ("masks/0.png",), says="lie one below", coding=FROM_ONE, make=all_masks(lambda ids: ids)),
    Case(
        "L108",
        nothing,
        ("masks/3.png",),
        "warning",
        says="may be exchanged here",
        coding=UNNAMED,
        make=discs(inverted=(3,)),
    ),
    Case(
        "L109",
        nothing,
        ("masks/0.png",),
        "info",
        says="moderate",
        coding=CELLS,
        make=discs(inverted=range(10), radius=30),
    ),
    Case(
        "L109",
        nothing,
        ("masks/0.png",),
        "warning",
        says="high confidence",
        coding=CELLS,
        make=discs(inverted=range(4), count=4),
    ),
    Case(
        "L113",
        nothing,
        ("masks/0.png",),
        says="15, 38, 75, 113 are the brightness of colours of PASCAL VOC (id 3 has become 113)",
        coding=None,
        make=greys(38, 75, 113, 15),
    ),
    Case("L113", nothing, ("masks/0.png",), "warning", says="38, 75, 113", coding=None, make=greys(38, 75, 113)),
    Case(
        "L114",
        nothing,
        ("masks/1.png",),
        says="(0, 130, 2) (360 px) instead of (0, 128, 0)",
        fixable=True,
        make=lambda root: colour_masks(root, (BLACK, (127, 0, 1), (0, 130, 2))),
    ),
    Case(
        "L115",
        nothing,
        ("masks/0.png",),
        "warning",
        says="the values 0 and 2 have one colour",
        make=palette_masks((BLACK, RED, BLACK)),
    ),
    Case(
        "L116",
        nothing,
        ("masks/1.png",),
        "warning",
        says="'building' in the colour of 'road'",
        make=palette_masks((BLACK, RED, GREEN), (BLACK, GREEN, RED)),
    ),
    Case(
        "L117",
        nothing,
        ("masks/1.png",),
        "warning",
        says="palette of its own",
        make=palette_masks((BLACK, RED, GREEN), (RED, GREEN, BLACK), by_colour=True),
    ),
    Case(
        "L118",
        nothing,
        ("masks/0.png",),
        "warning",
        says="numbers of objects",
        coding=None,
        make=objects,
        format="index-mask",
    ),
    Case(
        "G104",
        edit("1.json", polygon("building", (5, 5), (25, 15), (25, 5), (5, 15))),
        ("1.json",),
        "warning",
        says="at x 15.0, y 10.0, which leaves 50 px in doubt",
        make=labelme_set,
    ),
    Case(
        "G104",
        edit("1.json", polygon("building", (5, 5), (25, 5), (25, 15), (5, 15), (5, 14), (6, 15.5), (4, 15))),
        ("1.json",),
        "info",
        make=labelme_set,
    ),
    Case(
        "G105",
        edit("1.json", house(), polygon("road", (1, 1), (9, 9), (5, 5))),
        ("1.json",),
        "warning",
        says="shape 1, a polygon labelled 'road', has no area",
        fixable=True,
        make=labelme_set,
    ),
    Case("G106", edit("1.json", _comb()), ("1.json",), "info", says="from point 76 to the next", make=labelme_set),
    Case(
        "G107",
        edit("1.json", house(), ground(), polygon("building", (25, 15), (25, 5), (5, 5), (5, 15))),
        ("1.json",),
        "warning",
        says="shape 2 ('building') is shape 0 drawn once more",
        fixable=True,
        make=labelme_set,
    ),
    Case("G109", nothing, ("via.json#1.png",), "warning", says="another version of the photo", coding=None, make=via),
    Case(
        "G108",
        edit("1.json", house(), house("road")),
        ("1.json",),
        "warning",
        says="'building' and 'road'",
        make=labelme_set,
    ),
)
