import contextlib
import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as pycoco

from tessella.core.errors import FormatError
from tessella.formats.raster.rle import (
    decode_coco,
    decode_counts,
    decode_rows,
    decode_string,
    encode_rows,
    encode_string,
)

masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40))


def random_masks(count):
    rng = np.random.default_rng(0)
    for number in range(count):
        height, width = rng.integers(1, 90, 2)
        mask = rng.random((height, width)) < rng.choice([0, 0.01, 0.1, 0.5, 0.9, 1])
        if number % 3 == 0:  # one block: runs of thousands of pixels, whose differences need several letters
            mask[:] = False
            mask[height // 4 : height // 2 + 1, width // 3 :] = True
        yield mask


def test_a_thousand_masks_are_encoded_and_decoded_as_by_pycocotools() -> None:
    for mask in random_masks(1000):
        theirs = pycoco.encode(np.asfortranarray(mask.astype(np.uint8)))
        text = theirs["counts"].decode()
        assert encode_string(mask) == text
        np.testing.assert_array_equal(decode_string(text, mask.shape, where="a"), mask)
        plain = {"size": list(mask.shape), "counts": encode_rows(mask.T)}
        assert pycoco.frPyObjects(plain, *mask.shape)["counts"] == theirs["counts"]
        np.testing.assert_array_equal(decode_coco(plain, where="a"), mask)
        np.testing.assert_array_equal(decode_coco({"size": plain["size"], "counts": text}, where="a"), mask)


def test_runs_go_down_the_columns_in_coco_and_along_the_rows_in_cvat() -> None:
    # 3 wide, 2 high; the two left pixels of the first row, then the rest
    assert decode_counts([0, 1, 1, 1, 3], (2, 3), where="a").tolist() == [[True, True, False], [False, False, False]]
    assert decode_rows("0, 2, 4", (2, 3), where="a").tolist() == [[True, True, False], [False, False, False]]
    assert decode_rows([0, 2, 4], (2, 3), where="a").tolist() == [[True, True, False], [False, False, False]]


@given(mask=masks)
def test_rows_come_back(mask) -> None:
    runs = encode_rows(mask)
    np.testing.assert_array_equal(decode_rows(runs, mask.shape, where="a"), mask)
    np.testing.assert_array_equal(decode_rows(", ".join(map(str, runs)), mask.shape, where="a"), mask)


def test_runs_of_no_pixels_anywhere_are_allowed() -> None:
    assert decode_counts([0, 0, 2, 0, 0, 2], (2, 2), where="a").tolist() == [[False, True], [False, True]]


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ([], r"runs of 0 pixels; expected 4 pixels"),
        ([3], r"runs of 3 pixels"),
        ([2, 3], r"runs of 5 pixels"),
        ([10**12], r"run 0 has an impossible length; got 1000000000000"),
        ([1, 10**30], r"impossible length"),
        ([2**31, 2**31], r"a run beyond it"),
        ([5, -1], r"run 1 has an impossible length; got -1"),
        ([2.0, 2.0], r"not a list of whole numbers; got 2.0"),
        ([True, 3], r"got True"),
        (["4"], r"got '4'"),
        ([[4]], r"got \[4\]"),
        (None, r"not a list of whole numbers; got NoneType"),
        ({"0": 4}, r"not a list"),
        (4, r"not a list"),
    ],
)
def test_counts_that_do_not_fill_the_mask_are_refused(counts, says) -> None:
    with pytest.raises(FormatError, match=rf"a\.json: .*{says}"):
        decode_counts(counts, (2, 2), where="a.json")


@pytest.mark.parametrize("text", ["", "0", "4", "o", "zz", "o" * 20 + "0", "\xe9", "4\n", b"\xff", None, 7, ["4"]])
def test_strings_that_do_not_fill_the_mask_are_refused(text) -> None:
    if text == "4":
        assert not decode_string(text, (2, 2), where="a").any()
        return
    with pytest.raises(FormatError, match=r"^a: "):
        decode_string(text, (2, 2), where="a")


@pytest.mark.parametrize("text", ["1,2", "a", "1;3", "1 3", "1_0", "\u0664", "4,", "4,-0x1", "9" * 5000, "1e0,3"])
def test_text_that_is_no_list_of_runs_is_refused(text) -> None:
    with pytest.raises(FormatError, match=r"^a: "):
        decode_rows(text, (2, 2), where="a")


@pytest.mark.parametrize(
    "hw", [(0, 4), (-1, 4), (2.0, 2), ("2", 2), (None, 2), (True, 4), (10**6, 10**6), (1, 10**30), ([2], 2)]
)
def test_a_size_that_is_none_or_too_large_is_refused_before_memory_is_taken(hw) -> None:
    for decode, runs in ((decode_counts, [4]), (decode_string, "4"), (decode_rows, "4")):
        with pytest.raises(FormatError, match=r"size is not two whole numbers|larger than the pixel budget"):
            decode(runs, hw, where="a")


@pytest.mark.parametrize("segmentation", [None, [], "4", {}, {"size": 4, "counts": [4]}, {"size": [2], "counts": [4]}])
def test_an_object_without_size_or_counts_is_refused(segmentation) -> None:
    with pytest.raises(FormatError, match=r"^a: "):
        decode_coco(segmentation, where="a")


@given(data=st.data())
def test_mutated_runs_are_refused_or_give_a_mask_of_the_size(data) -> None:
    mask = data.draw(masks)
    text = list(encode_string(mask))
    rng = random.Random(data.draw(st.integers(0, 2**32)))  # noqa: S311 - not for secrets
    for _ in range(rng.randint(1, 3)):
        text[rng.randrange(len(text))] = chr(rng.randint(40, 120))
    with contextlib.suppress(FormatError):
        assert decode_string("".join(text), mask.shape, where="a").shape == mask.shape


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["size", "counts"]), inner),
    max_leaves=8,
)


@given(value=json_values)
def test_whatever_json_holds_the_only_error_is_our_own(value) -> None:
    value = json.loads(json.dumps(value))
    for decode in (
        lambda: decode_coco(value, where="a"),
        lambda: decode_counts(value, (2, 2), where="a"),
        lambda: decode_rows(value, (2, 2), where="a"),
        lambda: decode_string(value, (2, 2), where="a"),
    ):
        with contextlib.suppress(FormatError):
            decode()
