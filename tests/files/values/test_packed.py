"""Bytes that text carries, within limits."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.core.errors import FormatError
from tessella.files.values.packed import decode_base64, inflate


@given(data=st.binary(max_size=200))
def test_base64_and_zlib_come_back(data):
    text = base64.b64encode(data).decode()
    assert decode_base64(text, where="x") == data
    assert decode_base64("data:image/png;base64," + text, where="x") == data
    assert decode_base64("\n".join(text[at : at + 7] for at in range(0, len(text), 7)), where="x") == data
    assert inflate(zlib.compress(data), limit=len(data), where="x") == data


@pytest.mark.parametrize(
    "text", ["a", "äöü=", "ab=c", "a*bc", "\0\0\0\0", "data:image/png,abcd", "data:", None, 7, b"YQ=="]
)
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(FormatError, match=r"^here: .*base64"):
        decode_base64(text, where="here")


def test_too_long_a_value_is_refused_before_it_is_decoded():
    assert decode_base64("YWJj", where="x", max_bytes=3) == b"abc"
    with pytest.raises(FormatError, match="too long; got 8 letters; expected 3 bytes"):
        decode_base64("YWJjYWJj", where="x", max_bytes=3)


def test_zlib_that_is_larger_damaged_or_cut_off_is_refused():
    data = zlib.compress(b"abc" * 100)
    with pytest.raises(FormatError, match="larger than it may be; expected at most 299"):
        inflate(data, limit=299, where="x")
    for broken in (b"", b"PK", data[:-1], data + b"x", data[:-2] + b"xx"):
        with pytest.raises(FormatError, match=r"^x: "):
            inflate(broken, limit=300, where="x")
