"""Checks the options of a model or a loss against the annotations of the function that takes them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from tessella.core.classes import nearest_hint
from tessella.core.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


def option_types(function: Callable[..., object], *, without: Collection[str]) -> dict[str, Any]:
    """Return the keyword options of a function with their annotated types.

    Args:
        function: Takes its options as parameters that have a default.
        without: Names of parameters that are not options.
    """
    parameters = inspect.signature(function, eval_str=True).parameters.values()
    return {
        parameter.name: Any if parameter.annotation is inspect.Parameter.empty else parameter.annotation
        for parameter in parameters
        if parameter.name not in without and parameter.default is not inspect.Parameter.empty
    }


def check_options(
    options: Mapping[str, object], function: Callable[..., object], *, where: str, without: Collection[str] = ()
) -> None:
    """Check names, types and ranges of options.

    Args:
        options: What the plan says.
        function: Its annotations say what is accepted; ranges are written as `Annotated[float, Field(ge=0)]`.
        where: The model or loss, for the message.
        without: Names of parameters that are not options.

    Raises:
        RecipeError: An unknown option (with the nearest name) or an impossible value.
    """
    types = option_types(function, without=without)
    for name, value in options.items():
        if name not in types:
            raise RecipeError(
                f"there is no option {name!r}",
                where=where,
                expected=f"one of {', '.join(types)}" if types else "no options",
                fix=nearest_hint(name, list(types)),
            )
        try:
            TypeAdapter(types[name]).validate_python(value, strict=True)
        except ValidationError as error:
            raise RecipeError(
                f"option {name!r} cannot be used", where=where, got=repr(value), expected=_wish(error)
            ) from None


def _wish(error: ValidationError) -> str:
    """Say in words what pydantic wanted: "Input should be 'relu' or 'silu'" becomes "'relu' or 'silu'"."""
    return error.errors()[0]["msg"].removeprefix("Input should be ")
