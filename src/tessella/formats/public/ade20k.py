"""ade20k: the 150 classes of the scene parsing challenge, index masks whose 0 is "other" and not scored."""

from __future__ import annotations

from typing import Final

from tessella.core.classes import ClassTable, LabelCoding
from tessella.formats.layout.places import Place
from tessella.formats.layout.published import Kind, Published

NAMES: Final = (
    "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass", "cabinet", "sidewalk",
    "person", "earth", "door", "table", "mountain", "plant", "curtain", "chair", "car", "water", "painting", "sofa",
    "shelf", "house", "sea", "mirror", "rug", "field", "armchair", "seat", "fence", "desk", "rock", "wardrobe", "lamp",
    "bathtub", "railing", "cushion", "base", "box", "column", "signboard", "chest of drawers", "counter", "sand",
    "sink", "skyscraper", "fireplace", "refrigerator", "grandstand", "path", "stairs", "runway", "case", "pool table",
    "pillow", "screen door", "stairway", "river", "bridge", "bookcase", "blind", "coffee table", "toilet", "flower",
    "book", "hill", "bench", "countertop", "stove", "palm", "kitchen island", "computer", "swivel chair", "boat", "bar",
    "arcade machine", "hovel", "bus", "towel", "light", "truck", "tower", "chandelier", "awning", "streetlight",
    "booth", "television", "airplane", "dirt track", "apparel", "pole", "land", "bannister", "escalator",
    "ottoman", "bottle", "buffet", "poster", "stage", "van", "ship", "fountain", "conveyer belt", "canopy", "washer",
    "plaything", "swimming pool", "stool", "barrel", "basket", "waterfall", "tent", "bag", "minibike", "cradle", "oven",
    "ball", "food", "step", "tank", "trade name", "microwave", "pot", "animal", "bicycle", "lake", "dishwasher",
    "screen", "blanket", "sculpture", "hood", "sconce", "vase", "traffic light", "tray", "ashcan", "fan", "pier",
    "crt screen", "plate", "monitor", "bulletin board", "shower", "radiator", "glass", "clock", "flag",
)  # fmt: skip
"""The first name of each class in `objectInfo150.txt`, stored as 1 to 150."""

SCENES: Final = LabelCoding(ClassTable.from_names(NAMES), tuple((value,) for value in range(1, 151)), (0,))
"""ADE20K's 150 classes; 0 is everything else."""

_STEM: Final = r"(?P<stem>ADE_(?:train|val|test)_\d+)"
_BELOW: Final = r"(?:/(?P<split>training|validation|testing))?(?:/(?P<scene>.+))?"
ADE20K: Final = Published(
    "ade20k",
    92,
    (
        Kind(
            "index masks of the 150 classes",
            Place.of(rf"(?P<above>.+/)?images{_BELOW}", rf"{_STEM}\.jpe?g"),
            Place.of(rf"(?P<above>.+/)?annotations{_BELOW}", rf"{_STEM}\.png"), SCENES,
            "stored as 1 to 150; 0 is everything else and ignored, as the challenge scores it",
        ),
    ),
    "images/training/ADE_train_00000001.jpg and annotations/training/ADE_train_00000001.png",
)  # fmt: skip
