"""Fields of COCO's rows as they stand in JSON: ids of any type, lists that hold nothing."""

from __future__ import annotations

from typing import Any, Final

_BLANK: Final = b" \t\r\n"
_NOTHING: Final = frozenset({b"", b"null", b"false", b"0", b"0.0", b'""', b"{}"})
_SHORT: Final = 64


def key_of(value: object) -> str:
    """Return an id of a file as text: 7, 7.0 and "7" are one id; "" for what can be none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, int) and value.bit_length() > 128:
        return ""
    return str(value)


def holds_nothing(field: Any) -> bool:  # noqa: ANN401 - a buffer such as msgspec.Raw
    """Whether a field is absent, null, false, 0, or empty all the way down.

    Args:
        field: Its JSON text as a buffer, or None where it is absent.
    """
    if field is None:
        return True
    view = memoryview(field)
    if view.nbytes > _SHORT:  # blanks or brackets alone are never as long
        return False
    text = bytes(view).translate(None, _BLANK)
    return text in _NOTHING or not text.translate(None, b"[],")
