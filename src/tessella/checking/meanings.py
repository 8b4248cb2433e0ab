"""What each rule means, in the words of its documentation page."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Any


def meaning(code: str) -> str:
    """Return the first paragraph of a rule's page, "" for a rule of a plug-in.

    Args:
        code: The rule's code.
    """
    return str(_meanings().get(code, ""))


@lru_cache(maxsize=1)
def _meanings() -> dict[str, Any]:
    # the pages themselves are not installed; a test holds this file against them
    content: dict[str, Any] = json.loads(
        resources.files("tessella.checking").joinpath("meanings.json").read_text(encoding="utf-8")
    )
    return content
