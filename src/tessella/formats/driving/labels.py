"""Cityscapes' published labels: 34 ids, the 19 that are trained on, their colours; and codings made of them."""

from __future__ import annotations

from typing import Final, NamedTuple

from tessella.core.classes import IGNORE, ClassInfo, ClassTable, Colour, LabelCoding


class Label(NamedTuple):
    """One row of Cityscapes' table (cityscapesScripts, `helpers/labels.py`).

    Args:
        name: As in polygons.
        id: As in `labelIds`.
        train_id: As in `labelTrainIds`; 255 is not trained on.
        colour: As in `color`.
    """

    name: str
    id: int
    train_id: int
    colour: Colour


LABELS: Final = (
    Label("unlabeled", 0, 255, (0, 0, 0)),
    Label("ego vehicle", 1, 255, (0, 0, 0)),
    Label("rectification border", 2, 255, (0, 0, 0)),
    Label("out of roi", 3, 255, (0, 0, 0)),
    Label("static", 4, 255, (0, 0, 0)),
    Label("dynamic", 5, 255, (111, 74, 0)),
    Label("ground", 6, 255, (81, 0, 81)),
    Label("road", 7, 0, (128, 64, 128)),
    Label("sidewalk", 8, 1, (244, 35, 232)),
    Label("parking", 9, 255, (250, 170, 160)),
    Label("rail track", 10, 255, (230, 150, 140)),
    Label("building", 11, 2, (70, 70, 70)),
    Label("wall", 12, 3, (102, 102, 156)),
    Label("fence", 13, 4, (190, 153, 153)),
    Label("guard rail", 14, 255, (180, 165, 180)),
    Label("bridge", 15, 255, (150, 100, 100)),
    Label("tunnel", 16, 255, (150, 120, 90)),
    Label("pole", 17, 5, (153, 153, 153)),
    Label("polegroup", 18, 255, (153, 153, 153)),
    Label("traffic light", 19, 6, (250, 170, 30)),
    Label("traffic sign", 20, 7, (220, 220, 0)),
    Label("vegetation", 21, 8, (107, 142, 35)),
    Label("terrain", 22, 9, (152, 251, 152)),
    Label("sky", 23, 10, (70, 130, 180)),
    Label("person", 24, 11, (220, 20, 60)),
    Label("rider", 25, 12, (255, 0, 0)),
    Label("car", 26, 13, (0, 0, 142)),
    Label("truck", 27, 14, (0, 0, 70)),
    Label("bus", 28, 15, (0, 60, 100)),
    Label("caravan", 29, 255, (0, 0, 90)),
    Label("trailer", 30, 255, (0, 0, 110)),
    Label("train", 31, 16, (0, 80, 100)),
    Label("motorcycle", 32, 17, (0, 0, 230)),
    Label("bicycle", 33, 18, (119, 11, 32)),
)
"""The 34 labels with an id; `license plate` has id -1 and is not trained on."""

LICENCE_PLATE: Final = "license plate"
UNLABELLED: Final = LABELS[0].name

_TRAINED: Final = tuple(label for label in LABELS if label.train_id != IGNORE)
_REST: Final = tuple(label for label in LABELS if label.train_id == IGNORE)
_TABLE: Final = ClassTable(tuple(ClassInfo(label.name, label.colour) for label in _TRAINED))
_REST_COLOURS: Final = tuple(dict.fromkeys(label.colour for label in _REST if label.colour not in _TABLE.colours))
_REST_NAMES: Final = (*(label.name for label in _REST), LICENCE_PLATE)
# annotators drew crowds as "cargroup"; cityscapesScripts paints them as the class itself
_GROUPS: Final = tuple((f"{label.name}group", label.name) for label in _TRAINED if label.name != "pole")


def _coding(values: tuple[tuple[int, ...], ...], ignored: tuple[int, ...]) -> LabelCoding:
    return LabelCoding(_TABLE, values, ignored, _REST_COLOURS, _REST_NAMES, _GROUPS)


# 255 in a file of ids is -1, the licence plate, as a byte
BY_ID: Final = _coding(tuple((label.id,) for label in _TRAINED), (*(label.id for label in _REST), 255))
"""The 19 classes as `labelIds` store them: 7 is road, 0..6 and other ids that are not trained on are IGNORE."""

BY_TRAIN_ID: Final = _coding((), (IGNORE,))
"""The 19 classes as `labelTrainIds` store them: 0 is road, 255 is IGNORE; also what `color` means by colours."""
