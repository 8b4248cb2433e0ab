"""The depth of JSON by its text is the depth of its values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.core.errors import FormatError
from tessella.files.values.trees import MEMORY_BUDGET, depth_exceeds, refuse_heavy, weight_of

TEXTS = st.text(st.sampled_from('[]{}"\\\\\n,:a\u00e9\U0001f600'), max_size=6)
TREES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=40,
)


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@given(tree=TREES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_the_depth_is_that_of_the_values(tree: object, ascii_only: bool, indent: int | None) -> None:
    # beside a hundred lists, for few brackets are not looked at closer
    text = json.dumps([tree, *[[]] * 100], ensure_ascii=ascii_only, indent=indent)
    depth = depth_of([tree, []])
    assert not depth_exceeds(text, depth)
    assert depth_exceeds(text, depth - 1)


@pytest.mark.parametrize("depth", [1, 2, 64, 65, 1000])
@pytest.mark.parametrize("size", [0, 3_000_000])
def test_levels_are_counted_across_pieces(depth: int, size: int) -> None:
    text = "[" + "[]," * (size // 3) + "[" * (depth - 1) + "]" * (depth - 1) + "]"
    assert not depth_exceeds(text, max(depth, 2))
    assert depth < 3 or depth_exceeds(text, depth - 1)


def test_brackets_in_words_are_no_levels() -> None:
    words = ["[" * 100, "]" * 7, '\\"' * 3 + "{" * 90, "\\" * 5, ""]
    for text in (json.dumps(words * 40), json.dumps(dict.fromkeys(words, words)), json.dumps([words, [[words]]])):
        assert not depth_exceeds(text, 4)


def test_memory_is_judged_by_brackets_and_commas() -> None:
    assert weight_of("[{},1]") == 6 + 64 + 240 + 40
    refuse_heavy(MEMORY_BUDGET, where="x")
    with pytest.raises(FormatError, match=r"^x: the file holds more values than fit into memory; got about 2 GiB"):
        refuse_heavy(MEMORY_BUDGET + 1, where="x")
