"""Mistakes in a recipe or plan, said in words: the key, what was got, what was expected, the nearest name."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Union, get_args, get_origin

from tessella.core.classes import nearest_hint
from tessella.core.errors import RecipeError
from tessella.recipe.part import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

_EXPECTED: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "string_too_short": "text that is not empty",
    "tuple_type": "a list in square brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "finite_number": "a finite number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "literal_error": "{expected}",
}
"""What was expected, by the kind of fault."""

_OPTION: Final = "a number, text in quotes, true or false, or a list of these"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the dotted key and the parts of an error message."""

    key: str
    what: str
    got: str | None = None
    expected: str | None = None
    fix: str | None = None

    def __str__(self) -> str:
        got = None if self.got is None else f"got {self.got}"
        expected = None if self.expected is None else f"expected {self.expected}"
        return "; ".join(filter(None, (f"{self.key}: {self.what}" if self.key else self.what, got, expected, self.fix)))


def explain(error: ValidationError, model: type[Part], data: Mapping[str, object], *, where: str) -> RecipeError:
    """Turn the faults found while building `model` from `data` into one error that lists them all.

    Args:
        error: What pydantic found; nothing of its wording is passed on.
        model: The type that was to be built.
        data: What it was to be built from.
        where: The file or the flag.
    """
    mistakes = list(_mistakes(error, model, data))
    if len(mistakes) == 1:
        only = mistakes[0]
        place = f"{where}: {only.key}" if only.key else where
        return RecipeError(only.what, where=place, got=only.got, expected=only.expected, fix=only.fix)
    lines = "".join(f"\n  {mistake}" for mistake in mistakes)
    return RecipeError(f"{len(mistakes)} mistakes{lines}", where=where)


def _mistakes(error: ValidationError, model: type[Part], data: Mapping[str, object]) -> Iterator[Mistake]:
    by_path: dict[Path, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        keep_last = details["type"] == "missing"
        by_path.setdefault(_path_in(data, details["loc"], keep_last=keep_last), []).append(details)
    for path, faults in by_path.items():
        # a list whose items are wrong also counts as too short: the items say it better
        if not any(other != path and other[: len(path)] == path for other in by_path):
            yield _mistake(path, faults, model, data)


def _mistake(path: Path, faults: Sequence[ErrorDetails], model: type[Part], data: Mapping[str, object]) -> Mistake:
    key, fault = _dotted(path), faults[0]
    kind, context = fault["type"], fault.get("ctx", {})
    if len(faults) > 1:
        return Mistake(key, "cannot be used", got=_said(_value_at(data, path)), expected=_OPTION)
    if kind == "extra_forbidden":
        return Mistake(key, "unknown key", fix=_nearest_key(model, path))
    if kind == "missing":
        return Mistake(key, "is missing")
    if kind == "value_error":
        return Mistake(key, str(context["error"]))
    if kind in {"too_short", "too_long"}:
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"{context['max_length']}"
        return Mistake(key, "a list has the wrong length", got=f"{context['actual_length']} values", expected=bound)
    expected = _EXPECTED[kind].format(**context) if kind in _EXPECTED else None
    names = _quoted(str(context.get("expected", ""))) if kind == "literal_error" else []
    value = _value_at(data, path)
    hint = nearest_hint(value, names) if isinstance(value, str) and names else None
    return Mistake(key, "cannot be used", got=_said(value), expected=expected, fix=hint)


def _path_in(data: object, location: Path, *, keep_last: bool) -> Path:
    # a location also names the branch of a union ("int", "str"); only what lies in the data is for the user
    path: list[str | int] = []
    for step in location:
        inside = isinstance(data, dict) and step in data
        if not inside and not (isinstance(data, (list, tuple)) and isinstance(step, int) and step < len(data)):
            return (*path, step) if keep_last else tuple(path)
        data = data[step]  # type: ignore[index]  # checked in the two lines above
        path.append(step)
    return tuple(path)


def _value_at(data: object, path: Path) -> object:
    for step in path:
        data = data[step]  # type: ignore[index]  # `_path_in` made sure that the path exists
    return data


def _dotted(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, (str, int, float, list, dict)) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _quoted(words: str) -> list[str]:
    return words.replace(" or ", ", ").replace("'", "").split(", ")


def _nearest_key(model: type[Part], path: Path) -> str:
    *above, name = path
    siblings = _fields_at(model, above)
    if hint := nearest_hint(str(name), siblings):
        return hint
    elsewhere = [key for key in dotted_keys(model) if key.rpartition(".")[2] == name]
    if elsewhere:
        return f"did you mean {' or '.join(repr(key) for key in elsewhere)}?"
    return f"known here: {', '.join(siblings)}"


def _fields_at(model: type[Part], path: Sequence[str | int]) -> list[str]:
    inner: type[Part] | None = model
    for step in path:
        if isinstance(step, str) and inner is not None:
            inner = part_of(inner.model_fields[step].annotation)
    return [] if inner is None else list(inner.model_fields)


def part_of(annotation: object) -> type[Part] | None:
    """Return the Part inside an annotation such as `Part | None` or `tuple[Part, ...]`, or None."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    if get_origin(annotation) in {Union, types.UnionType, tuple, Annotated}:
        found = [part_of(argument) for argument in get_args(annotation)]
        return next((part for part in found if part is not None), None)
    return None


def dotted_keys(model: type[Part], prefix: str = "") -> list[str]:
    """List every key of a tree with its dotted path, leaves and tables."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        keys.append(prefix + name)
        inner = part_of(field.annotation)
        if inner is not None:
            keys += dotted_keys(inner, f"{prefix}{name}.")
    return keys
