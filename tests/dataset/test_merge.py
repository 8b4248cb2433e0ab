"""Several data sets as one: by class names, or by a class map that renames, merges, drops and ignores."""

from pathlib import Path

import numpy as np
import pytest

from data.layouts import photo_of, save
from tessella.core.classes import IGNORE
from tessella.core.errors import ClassTableError, TessellaError
from tessella.dataset.conversion.classmap import read_class_map
from tessella.dataset.convert import convert
from tessella.dataset.index import open_dataset


def city(root: Path, names: list[str], ids: list[list[int]]) -> Path:
    """Write one photo whose columns are the given ids, of classes of the given names."""
    mask = np.repeat(np.array(ids, np.uint8), 4, axis=0)
    save(root / "images" / "1.png", photo_of(len(names), mask.shape))
    save(root / "masks" / "1.png", mask)
    rows = [f'[[classes]]\nname = "{name}"\ncolour = [{10 * place}, 0, 9]\n' for place, name in enumerate(names)]
    (root / "classes.toml").write_text("".join(rows))
    return root


def written_map(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def merged_ids(out: Path) -> dict[str, list[int]]:
    return {sample.name.split("/")[-2]: sample.labels.ids[0].tolist() for sample in open_dataset(out) if sample.labels}


@pytest.fixture
def two(tmp_path):
    return [
        city(tmp_path / "a", ["background", "house"], [[0, 1, 1, 0]]),
        city(tmp_path / "b", ["background", "street", "house"], [[0, 1, 2, 0]]),
    ]


def test_what_a_source_never_annotated_is_ignored_there_not_background(two, tmp_path):
    done = convert(two, tmp_path / "out", to="index-mask")
    assert done.classes == ("background", "house", "street")
    # `a` knows no streets: its background may be one; `b` looked for everything
    assert merged_ids(tmp_path / "out") == {"a": [IGNORE, 1, 1, IGNORE], "b": [0, 2, 1, 0]}
    assert "a: never annotated street, so its background is ignored" in done.notes
    assert done.sources == (str(two[0]), str(two[1]))


def test_a_source_that_looked_for_every_class_keeps_its_background(two, tmp_path):
    rule = written_map(tmp_path / "map.toml", "version = 1\n[sources.a]\ncomplete = true\n")
    convert(two, tmp_path / "out", to="index-mask", class_map=rule)
    assert merged_ids(tmp_path / "out")["a"] == [0, 1, 1, 0]


def test_classes_are_merged_renamed_dropped_and_ignored(tmp_path):
    source = city(tmp_path / "a", ["background", "hut", "house", "car", "blur"], [[0, 1, 2, 3, 4]])
    rule = written_map(
        tmp_path / "map.toml",
        """
        version = 1
        [[classes]]
        name = "background"
        [[classes]]
        name = "building"
        colour = [200, 0, 0]
        from = ["house", "hut"]
        [ignore]
        from = ["blur"]
        [drop]
        from = ["car"]
        """,
    )
    done = convert(source, tmp_path / "out", to="index-mask", class_map=rule)
    index = open_dataset(tmp_path / "out")
    assert index[0].labels.ids[0].tolist() == [0, 1, 1, 0, IGNORE]
    assert index.table.colours[1] == (200, 0, 0)
    assert done.classes == ("background", "building")


def test_a_name_may_mean_another_thing_in_one_source(two, tmp_path):
    rule = written_map(
        tmp_path / "map.toml", 'version = 1\n[sources.b.rename]\nstreet = "house"\n[sources.a]\ncomplete = true\n'
    )
    convert(two, tmp_path / "out", to="index-mask", class_map=rule)
    assert merged_ids(tmp_path / "out") == {"a": [0, 1, 1, 0], "b": [0, 1, 1, 0]}


def test_shapes_keep_their_outlines_under_new_names(tmp_path):
    from data.layouts import labelme

    root = labelme(tmp_path / "set")
    rule = written_map(
        tmp_path / "map.toml",
        """
        version = 1
        [[classes]]
        name = "background"
        [[classes]]
        name = "green"
        from = ["tree"]
        [drop]
        from = ["road"]
        """,
    )
    before = open_dataset(root)
    convert(root, tmp_path / "out", to="labelme", class_map=rule)
    after = open_dataset(tmp_path / "out")
    for place in range(len(before)):
        old, new = before.annotation(place), after.annotation(place)
        assert [len(shape.points_xy) for shape in new.shapes] == [len(shape.points_xy) for shape in old.shapes]
        ids = before.labels(place).ids
        expected = np.select([ids == before.table.id_of("tree"), ids == IGNORE], [1, IGNORE], 0)
        np.testing.assert_array_equal(after.labels(place).ids, expected)


def test_sources_of_one_folder_name_stay_apart(tmp_path):
    first = city(tmp_path / "1" / "set", ["background", "house"], [[0, 1]])
    second = city(tmp_path / "2" / "set", ["background", "house"], [[1, 1]])
    convert([first, second], tmp_path / "out", to="index-mask")
    assert merged_ids(tmp_path / "out") == {"set-1": [0, 1], "set-2": [1, 1]}


def test_colours_that_two_sources_share_are_told_apart(tmp_path):
    first = city(tmp_path / "a", ["background", "house"], [[0, 1]])
    second = city(tmp_path / "b", ["background", "street"], [[0, 1]])
    convert([first, second], tmp_path / "out", to="index-mask")
    colours = open_dataset(tmp_path / "out").table.colours
    assert len(set(colours)) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = 2\n", "no version, or another one"),
        ("version = 1\n[rename]\n", "no key 'rename'"),
        ("version = 1\nclasses = 3\n", r"\[\[classes\]\]"),
        ('version = 1\n[[classes]]\nname = "a"\nfrom = "b"\n', "from is no list of names"),
        ('version = 1\n[[classes]]\nname = "a"\n[ignore]\nfrom = ["a"]\n', "becomes two things"),
        ('version = 1\n[[classes]]\nname = "a"\nfrom = ["c"]\n[[classes]]\nname = "b"\nfrom = ["c"]\n', "two classes"),
        ('version = 1\n[[classes]]\nname = "a"\ncolour = "red"\n', "not red, green, blue"),
        ("version = 1\n[sources]\na = 1\n", "is a table"),
        ('version = 1\n[sources.a]\ncomplete = "yes"\n', "value of another kind"),
        ("version = 1\n[sources.a]\nfinished = true\n", "no key 'finished'"),
    ],
)
def test_a_class_map_that_says_nothing_clear_is_refused(text, says, tmp_path):
    with pytest.raises(ClassTableError, match=says):
        read_class_map(written_map(tmp_path / "map.toml", text))


def test_a_class_that_the_map_forgets_is_named_with_the_nearest(two, tmp_path):
    rule = written_map(
        tmp_path / "map.toml", 'version = 1\n[[classes]]\nname = "background"\n[[classes]]\nname = "houses"\n'
    )
    with pytest.raises(ClassTableError, match=r"says nothing of the class 'house'.*did you mean 'houses'"):
        convert(two, tmp_path / "out", to="index-mask", class_map=rule)
    assert not (tmp_path / "out").exists()


def test_a_rule_for_a_source_that_is_not_given_is_refused(two, tmp_path):
    rule = written_map(tmp_path / "map.toml", "version = 1\n[sources.aa]\ncomplete = true\n")
    with pytest.raises(TessellaError, match="source 'aa', which is not given"):
        convert(two, tmp_path / "out", to="index-mask", class_map=rule)


def test_photos_in_no_split_are_told_where_other_sources_state_splits(tmp_path: Path) -> None:
    plain = city(tmp_path / "plain", ["background", "house"], [[0, 1]])
    (tmp_path / "split").mkdir()
    city(tmp_path / "split" / "train", ["background", "house"], [[0, 1]])
    (tmp_path / "split/train/classes.toml").rename(tmp_path / "split/classes.toml")
    done = convert([plain, tmp_path / "split"], tmp_path / "out", to="index-mask")
    assert done.notes[-1] == "1 photo is in no split: plain states none, other sources do"
