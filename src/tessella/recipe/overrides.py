"""Settings from the command line: `--set a.b=c`, read as TOML values and checked by the same tree as a recipe file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from tessella.core.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse_overrides(texts: Sequence[str]) -> dict[str, object]:
    """Read `key=value` texts into a nested table; a later one wins.

    Args:
        texts: Dotted key, equals sign, TOML value; text may stand without quotes: `model.name=unet`.

    Returns:
        Tables as dicts, ready for `Recipe.from_json`.

    Raises:
        RecipeError: A text without an equals sign or without a key.
    """
    tree: dict[str, object] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        *tables, leaf = (step.strip() for step in key.split("."))
        if not equals or not leaf or not all(tables):
            raise RecipeError(
                "an override is not of the form key=value",
                where="--set",
                got=repr(text),
                fix="write for example: --set training.batch=4",
            )
        node = tree
        for table in tables:
            inner = node.get(table)
            if not isinstance(inner, dict):
                inner = node[table] = {}
            node = inner
        node[leaf] = _read_value(value.strip())
    return tree


def _read_value(text: str) -> object:
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    # a line break in the text could smuggle in further keys
    return read["value"] if set(read) == {"value"} else text
