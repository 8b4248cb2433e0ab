import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding, nearest_hint, voc_colour
from tessella.core.errors import ClassTableError


def test_the_voc_palette_starts_as_the_devkit_prints_it() -> None:
    # VOCdevkit/VOCcode/VOClabelcolormap.m: background, aeroplane, bicycle, bird, boat ... tvmonitor
    assert [voc_colour(index) for index in (0, 1, 2, 3, 4, 8, 20, 255)] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (128, 128, 0),
        (0, 0, 128),
        (64, 0, 0),
        (0, 64, 128),
        (224, 224, 192),
    ]


def test_every_voc_colour_is_its_own() -> None:
    assert len({voc_colour(index) for index in range(256)}) == 256


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "wrong number of classes; got 0"),
        (["a"] * 2, r"share the name 'a' \(ids 0, 1\)"),
        ([f"c{n}" for n in range(256)], "got 256"),
        (["a", " "], "empty name"),
    ],
)
def test_a_class_table_that_contradicts_itself_is_refused(names: list[str], says: str) -> None:
    with pytest.raises(ClassTableError, match=says):
        ClassTable.from_names(names)


def test_two_classes_of_one_colour_are_refused() -> None:
    with pytest.raises(ClassTableError, match="share the colour"):
        ClassTable((ClassInfo("a", (1, 2, 3)), ClassInfo("b", (1, 2, 3))))


def test_a_colour_out_of_range_is_refused() -> None:
    with pytest.raises(ClassTableError, match="not red, green, blue"):
        ClassInfo("a", (0, 0, 256))


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(ClassTableError, match=r"did you mean 'Building'\?"):
        ClassTable.from_names(["Building", "Road"]).id_of("bulding")


def test_nothing_near_gives_no_hint() -> None:
    assert nearest_hint("xyz", ["building"]) is None


def test_the_palette_shows_each_id_in_its_colour_and_ignore_in_pale_grey() -> None:
    palette = ClassTable((ClassInfo("a", (1, 2, 3)), ClassInfo("b", (4, 5, 6)))).palette()
    assert palette.shape == (256, 3)
    assert palette[:3].tolist() == [[1, 2, 3], [4, 5, 6], [0, 0, 0]]
    assert palette[IGNORE].tolist() == [224, 224, 192]


def test_a_stored_value_may_not_mean_two_things() -> None:
    table = ClassTable.from_names(["a", "b"])
    with pytest.raises(ClassTableError, match="stored value 1 means two things"):
        LabelCoding(table, values=((0, 1), (1,)))
    with pytest.raises(ClassTableError, match="stored value 255 means two things"):
        LabelCoding(table, values=((0,), (255,)))


def test_a_coding_maps_values_colours_and_names() -> None:
    table = ClassTable((ClassInfo("sky", (0, 0, 0)), ClassInfo("tree", (0, 9, 0))))
    coding = LabelCoding(
        table,
        values=((0,), (1, 255)),
        ignore_values=(11,),
        ignore_colours=((7, 7, 7),),
        aliases=(("bush", "tree"),),
    )
    assert coding.value_to_id() == {0: 0, 1: 1, 255: 1, 11: IGNORE}
    assert coding.colour_to_id() == {(0, 0, 0): 0, (0, 9, 0): 1, (7, 7, 7): IGNORE}
    assert coding.name_to_id() == {"sky": 0, "tree": 1, "bush": 1, "__ignore__": IGNORE}


def test_an_alias_of_no_class_is_refused() -> None:
    with pytest.raises(ClassTableError, match="no class is called 'treee'; expected one of tree; did you mean 'tree'"):
        LabelCoding(ClassTable.from_names(["tree"]), aliases=(("bush", "treee"),))


@given(count=st.integers(1, 255))
def test_ids_are_positions(count: int) -> None:
    table = ClassTable.from_names(f"c{n}" for n in range(count))
    assert [table.id_of(name) for name in table.names] == list(range(count))


@pytest.mark.parametrize("name", ["a\x01b", "a\ud800", "\ufffe"])
def test_a_class_name_that_no_file_can_hold_is_refused(name):
    with pytest.raises(ClassTableError, match="no text file can"):
        ClassTable.from_names(["road", name])
