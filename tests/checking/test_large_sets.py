"""Rules about the whole set take time in proportion to its photos, not to their square."""

import time

import numpy as np
import pytest

from tessella.checking.rules.labels import values
from tessella.checking.rules.sets import classes
from tessella.checking.survey import Survey, Trace
from tessella.core.classes import ClassTable, LabelCoding

CLASSES = 200


def survey(photos: int) -> Survey:
    """Every photo shows one class alone, and each class but the first occurs with a pixel or two."""
    traces = []
    for position in range(photos):
        pixels = np.zeros(CLASSES + 1, np.int64)
        pixels[position % CLASSES] = 1
        pixels[0] += 5000 if position % 2 else 0
        traces.append(Trace(position, "", f"{position}.png", f"masks/{position}.png", pixels=pixels, stored=(0,)))
    coding = LabelCoding(ClassTable.from_names([f"class_{index}" for index in range(CLASSES)]))
    return Survey(tuple(traces), coding, "index-mask", True, (), False)


@pytest.mark.parametrize("rule", [classes.all_one_class, values.rare_value])
def test_a_set_of_six_thousand_photos_takes_a_moment(rule) -> None:
    large = survey(6000)
    began = time.process_time()
    found = list(rule(large))
    # a loop over photos within a loop over photos, or over classes, takes 4 to 11 s
    assert time.process_time() - began < 2
    assert len(found) == {"all_one_class": 3000, "rare_value": 100}[rule.__name__]
