"""The frozen tree node from which recipes and plans are made: unknown keys refused, mistakes said in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar = bool | int | float | str
Option = Scalar | tuple[Scalar, ...]
"""A setting of a model or a loss: a number, a text, true or false, or a list of these."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A probability or a share, 0..1."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Whole = Annotated[int, Field(ge=0)]
SizeHw = tuple[Count, Count]
"""Height and width in pixels."""


def _in_order(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"the smaller number stands first: [{pair[1]:g}, {pair[0]:g}]")
    return pair


Range = Annotated[tuple[Positive, Positive], AfterValidator(_in_order)]
"""Smallest and largest factor."""


class Part(BaseModel):
    """A frozen node of a recipe or a plan.

    An unknown key is an error, numbers are finite, and text is never taken for a number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def from_json(cls, data: Mapping[str, object], *, where: str) -> Self:
        """Build the tree from parsed JSON or TOML.

        Args:
            data: Tables as dicts, arrays as lists.
            where: The file or the flag, for the message.

        Raises:
            RecipeError: Unknown keys (with the nearest names), wrong types, values out of range: all of them at once.
        """
        try:
            # strict JSON rules: a list may stand for a tuple and 3 for 3.0, but "3" or true never for 3
            return cls.model_validate_json(json.dumps(data, default=str), strict=True)
        except ValidationError as error:
            from tessella.recipe.mistakes import explain

            raise explain(error, cls, data, where=where) from None

    def to_json(self) -> dict[str, object]:
        """Return plain JSON data; `from_json` gives back an equal object."""
        return self.model_dump(mode="json")
