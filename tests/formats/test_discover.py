import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.layouts import TABLE, save
from tessella.core.errors import InputError, LabelError
from tessella.formats.layout import discover as module
from tessella.formats.layout.discover import discover_colours, discover_names, discover_values


def masks(tmp_path: Path, *arrays: np.ndarray) -> list[Path]:
    return [save(tmp_path / f"{number}.png", array) for number, array in enumerate(arrays)]


def row(*values: int) -> np.ndarray:
    return np.array([values], np.uint8)


@pytest.mark.parametrize(
    ("values", "classes", "ignored"),
    [
        ((0, 1, 2), {"class_0": (0,), "class_1": (1,), "class_2": (2,)}, (255,)),
        ((0, 1, 2, 255), {"class_0": (0,), "class_1": (1,), "class_2": (2,)}, (255,)),
        ((1, 3, 7), {"class_1": (1,), "class_3": (3,), "class_7": (7,)}, (255,)),
        ((0, 255), {"background": (0,), "foreground": (255,)}, ()),
        ((0, 1, 255), {"class_0": (0,), "class_1": (1,)}, (255,)),
        ((0, 128, 255), {"class_0": (0,), "class_128": (128,), "class_255": (255,)}, ()),
        ((0, 127, 255), {"class_0": (0,), "class_127": (127,), "class_255": (255,)}, ()),
        ((0, 85, 170, 255), {"class_0": (0,), "class_85": (85,), "class_170": (170,), "class_255": (255,)}, ()),
        ((0, 100, 200), {"class_0": (0,), "class_100": (100,), "class_200": (200,)}, (255,)),
        ((0,), {"class_0": (0,)}, (255,)),
        ((255,), {"class_255": (255,)}, ()),
    ],
)
def test_every_value_found_becomes_a_class(tmp_path: Path, values, classes, ignored) -> None:
    coding, notes = discover_values(masks(tmp_path, row(*values)))
    assert dict(zip(coding.table.names, coding.values, strict=True)) == classes
    assert coding.ignore_values == ignored
    assert "discovered" in notes[0]


def test_a_value_in_the_last_file_only_is_a_class_too(tmp_path: Path) -> None:
    coding, _ = discover_values(masks(tmp_path, row(0, 0), row(0, 1), row(0, 5)))
    assert coding.table.names == ("class_0", "class_1", "class_5")


def test_255_as_a_class_is_said_in_a_note(tmp_path: Path) -> None:
    _, notes = discover_values(masks(tmp_path, row(0, 255)))
    assert any("255 is a class here and not ignore" in note for note in notes)


def test_255_as_ignore_is_said_in_a_note(tmp_path: Path) -> None:
    _, notes = discover_values(masks(tmp_path, row(0, 1, 255)))
    assert any("255 is taken for ignore" in note for note in notes)


def test_smeared_edges_of_a_binary_mask_are_no_classes(tmp_path: Path) -> None:
    smeared = np.zeros((40, 40), np.uint8)
    smeared[:, 20:] = 255
    smeared[::5, 20] = range(30, 254, 28)
    coding, notes = discover_values(masks(tmp_path, smeared))
    assert coding.table.names == ("background", "foreground")
    assert "8 further values (8 px)" in notes[-1]


def test_palette_colours_become_the_classes_colours(tmp_path: Path) -> None:
    picture = Image.fromarray(row(0, 1, 2))
    picture.putpalette(bytes([9, 9, 9, 200, 0, 0, 0, 200, 0]))
    picture.save(tmp_path / "p.png")
    coding, _ = discover_values([tmp_path / "p.png"])
    assert coding.table.colours == ((9, 9, 9), (200, 0, 0), (0, 200, 0))


def test_instance_numbers_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.arange(400, dtype=np.uint16).reshape(20, 20)).save(tmp_path / "i.png")
    with pytest.raises(LabelError, match=r"too many values.*399.*instance"):
        discover_values([tmp_path / "i.png"])


def test_an_unreadable_mask_does_not_stop_discovery(tmp_path: Path) -> None:
    paths = masks(tmp_path, row(0, 1))
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    assert discover_values([*paths, tmp_path / "broken.png"])[0].table.names == ("class_0", "class_1")
    for discover in (discover_values, discover_colours):
        with pytest.raises(InputError, match=r"broken\.png: this is not a picture"):
            discover([tmp_path / "broken.png"])


def test_colours_are_listed_black_first_then_by_frequency(tmp_path: Path) -> None:
    ids = np.array([[1, 1, 1, 2, 2, 0]])
    coding, notes = discover_colours(masks(tmp_path, TABLE.palette()[ids]))
    assert coding.table.colours == ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    assert coding.table.names == ("colour_000000", "colour_800000", "colour_008000")
    assert "(128, 0, 0) 3 px" in notes[0]


def test_a_smeared_colour_mask_is_refused_with_the_cure(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    with pytest.raises(LabelError, match=r"different colours.*--classes"):
        discover_colours(masks(tmp_path, noise))


def test_names_are_sorted_behind_background_and_ignore_is_no_class() -> None:
    coding, _ = discover_names(["tree", "__ignore__", "road", "_background_", "road"])
    assert coding.table.names == ("background", "road", "tree")
    assert coding.name_to_id() == {"background": 0, "_background_": 0, "road": 1, "tree": 2, "__ignore__": 255}


def test_masks_are_counted_where_they_are_decoded_so_that_none_waits_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers: list[bool] = []

    def count(function: Callable) -> Callable:
        def counted(argument: object) -> object:
            workers.append(threading.current_thread() is not threading.main_thread())
            return function(argument)

        return counted

    for name in ("count_values", "count_colours"):
        monkeypatch.setattr(module, name, count(getattr(module, name)))
    discover_values(masks(tmp_path, row(0, 1)))
    discover_colours(masks(tmp_path, TABLE.palette()[row(0, 1)]))
    assert workers == [True, True]
