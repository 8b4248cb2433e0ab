from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.core.classes import ClassInfo, ClassTable, LabelCoding, voc_colour
from tessella.core.errors import ClassTableError, FormatError, InputError
from tessella.files.classes import read_classes, write_classes


def read(tmp_path: Path, name: str, text: str) -> LabelCoding:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_classes(tmp_path / name)


TOML = """
[[classes]]
name = "background"
colour = [0, 0, 0]
[[classes]]
name = "building"
colour = [255, 0, 0]
values = [1, 255]
[ignore]
values = [11]
colours = [[224, 224, 192]]
"""


def test_the_toml_form_of_the_documentation_is_read(tmp_path: Path) -> None:
    coding = read(tmp_path, "classes.toml", TOML)
    assert coding.table.names == ("background", "building")
    assert coding.values == ((0,), (1, 255))
    assert coding.ignore_values == (11,)
    assert coding.ignore_colours == ((224, 224, 192),)


@pytest.mark.parametrize(
    ("name", "text", "values", "colours"),
    [
        ("a.json", '["sky", "tree"]', ((0,), (1,)), (voc_colour(0), voc_colour(1))),
        ("a.json", '{"sky": 10, "tree": 20}', ((10,), (20,)), (voc_colour(0), voc_colour(1))),
        ("a.json", '{"sky": [1, 2, 3], "tree": [4, 5, 6]}', ((0,), (1,)), ((1, 2, 3), (4, 5, 6))),
        (
            "a.json",
            '{"classes": [{"name": "sky", "color": "#010203"}, {"name": "tree"}]}',
            ((0,), (1,)),
            ((1, 2, 3), voc_colour(1)),
        ),
        ("class_dict.csv", "name,r,g,b\nsky,1,2,3\ntree,4,5,6\n", ((0,), (1,)), ((1, 2, 3), (4, 5, 6))),
        ("_classes.csv", "Pixel Value, Class\n0, sky\n3, tree\n", ((0,), (3,)), (voc_colour(0), voc_colour(1))),
        ("labels.txt", "__ignore__\nsky\ntree\n", ((0,), (1,)), (voc_colour(0), voc_colour(1))),
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\nsky:1,2,3::\ntree:4,5,6::\n",
            ((0,), (1,)),
            ((1, 2, 3), (4, 5, 6)),
        ),
    ],
)
def test_class_files_of_other_tools_are_read(
    tmp_path: Path, name: str, text: str, values: tuple[tuple[int, ...], ...], colours: tuple[tuple[int, ...], ...]
) -> None:
    coding = read(tmp_path, name, text)
    assert coding.table.names == ("sky", "tree")
    assert coding.values == values
    assert coding.table.colours == colours
    assert coding.ignore_values == (255,)


def test_a_colour_left_out_never_takes_one_that_is_used(tmp_path: Path) -> None:
    coding = read(tmp_path, "a.json", '[{"name": "a"}, {"name": "b", "colour": [0, 0, 0]}]')
    assert coding.table.colours == (voc_colour(1), (0, 0, 0))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.toml", "", "no list of classes"),
        ("a.toml", "classes = []", "names no class"),
        ("a.toml", '[[classes]]\nname = "a"\nvalue = [1]', r"unknown key 'value'.*did you mean 'values'\?"),
        ("a.toml", '[[classes]]\nname = "a"\ncolour = [1, 2]', "not a colour"),
        ("a.toml", '[[classes]]\nname = "a"\nvalues = ["x"]', "not whole numbers"),
        ("a.toml", "[[classes]]\ncolour = [1, 2, 3]", r"classes\[0\]: a class has no name"),
        ("a.json", "7", "no list of classes"),
        ("a.json", '{"sky": "blue"}', "has no value or colour"),
        ("a.csv", "filename,acne\nx,1\n", "columns are not those of a class file"),
        ("a.csv", "name,r,g,b\nsky,1,2,x\n", "not a whole number"),
        ("labelmap.txt", "sky:1,2,x::\n", "not a colour"),
        ("a.toml", '[[classes]]\nname = "a"\naliases = "road"', r"aliases: this is not a list of names; got 'road'"),
        ("a.toml", '[[classes]]\nname = "a"\naliases = 5', "not a list of names; got 5"),
        ("a.toml", '[[classes]]\nname = "a"\n[ignore]\nnames = "void"', "ignore: names: this is not a list of names"),
        ("a.toml", '[[classes]]\nname = "a"\n[ignore]\ncolours = 5', "ignore: this is not a list of colours"),
        ("a.toml", '[[classes]]\nname = "a"\n[ignore]\ncolours = [5]', "not a colour"),
        ("a.toml", '[[classes]]\nname = "a"\ncolour = "#12345g"', "not a colour; got #12345g; expected .*#rrggbb"),
        ("a.toml", '[[classes]]\nname = "a"\nvalues = []', "a class has no stored value.*leave `values` out"),
        ("a.csv", "name,r,g,b\rsky,1,2,3\r", "not a CSV table.*save it again"),
    ],
)
def test_a_class_file_that_cannot_be_understood_says_where_and_what(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read(tmp_path, name, text)
    assert name in str(caught.value)


def test_a_duplicate_is_named_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(ClassTableError, match=r"labels\.txt: two classes share the name 'sky' \(ids 0, 2\)"):
        read(tmp_path, "labels.txt", "sky\ntree\nsky\n")


@given(
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    data=st.data(),
)
def test_writing_then_reading_a_class_file_gives_the_same_coding(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
) -> None:
    names = [name for name in names if name != "__ignore__"] or ["a"]
    colours = data.draw(
        st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=len(names), max_size=len(names), unique=True)
    )
    stored = data.draw(st.lists(st.integers(0, 254), min_size=len(names), max_size=len(names), unique=True))
    table = ClassTable(tuple(ClassInfo(name, colour) for name, colour in zip(names, colours, strict=True)))
    coding = LabelCoding(table, values=tuple((value,) for value in stored))
    path = tmp_path_factory.mktemp("classes") / "classes.toml"
    write_classes(path, coding)
    assert read_classes(path) == coding


def test_camvids_label_colours_are_colours_and_names(tmp_path: Path) -> None:
    coding = read(tmp_path, "label_colors.txt", "64 128 64\tAnimal\n192 0 128\t\tArchway or so\n")
    assert coding.table.names == ("Animal", "Archway or so")
    assert coding.table.colours == ((64, 128, 64), (192, 0, 128))


def test_prose_is_no_class_file(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("how this was made")
    with pytest.raises(FormatError, match=r"README.md: this is no class file; got .md; expected .toml"):
        read_classes(tmp_path / "README.md")


@pytest.mark.parametrize("name", ["classes.toml", "classes.json", "_classes.csv", "labelmap.txt", "labels.txt"])
def test_a_file_that_is_far_too_large_for_classes_is_not_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: the file is too large; got 1048577 bytes"):
        read(tmp_path, name, "#" * ((1 << 20) + 1))
