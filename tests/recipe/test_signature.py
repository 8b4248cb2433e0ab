"""Options are checked against the annotations of the function that takes them."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from tessella.core.errors import RecipeError
from tessella.recipe.signature import check_options, option_types


def paint(
    canvas: object,
    *,
    brush: object,
    size: Annotated[int, Field(ge=1)] = 3,
    colour: Literal["red", "blue"] = "red",
    opacity: float = 1.0,
    wet: bool = False,
    places: tuple[int, ...] = (),
) -> object:
    return canvas, brush, size, colour, opacity, wet, places


def test_options_are_the_parameters_with_a_default():
    assert list(option_types(paint, without=("wet",))) == ["size", "colour", "opacity", "places"]


@pytest.mark.parametrize(
    "options", [{}, {"size": 1}, {"opacity": 1}, {"wet": True, "colour": "blue"}, {"places": (1, 2)}]
)
def test_good_options_pass(options):
    check_options(options, paint, where="paint")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sise": 1}, "paint: there is no option 'sise'; expected one of size, colour.*did you mean 'size'"),
        ({"brush": 1}, "there is no option 'brush'"),
        ({"size": 0}, "option 'size' cannot be used; got 0; expected greater than or equal to 1"),
        ({"size": "3"}, "got '3'; expected a valid integer"),
        ({"size": True}, "got True; expected a valid integer"),
        ({"wet": 1}, "got 1; expected a valid boolean"),
        ({"colour": "green"}, "got 'green'; expected 'red' or 'blue'"),
        ({"places": (1, "a")}, "expected a valid integer"),
    ],
)
def test_bad_options_are_explained(options, says):
    with pytest.raises(RecipeError, match=says):
        check_options(options, paint, where="paint")


def test_a_function_without_options_says_so():
    with pytest.raises(RecipeError, match="expected no options"):
        check_options({"a": 1}, lambda: None, where="nothing")
