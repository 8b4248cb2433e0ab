"""HTML by construction: text is escaped because it is text, and a number can only be shown from the document."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

VOID: Final = frozenset({"br", "img", "meta", "rect", "line", "circle", "polyline", "path"})


class Html(str):
    """Markup that is complete and safe; a plain `str` is text and is escaped wherever it is put."""

    __slots__ = ()


Child: TypeAlias = "str | Html | Iterable[Child] | None"


def element(tag: str, *children: Child, **attributes: str | float | bool | None) -> Html:
    """Build one element.

    Args:
        tag: Its name; never from a file.
        children: Markup, text (escaped), None (nothing), or any nesting of these.
        attributes: By name, with `_` for `-` and a trailing `_` where Python has a keyword (`class_`). True writes the
            bare name, None and False write nothing.
    """
    written = "".join(_attribute(name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items())
    if tag in VOID:
        return Html(f"<{tag}{written}>" if tag in {"br", "img", "meta"} else f"<{tag}{written}/>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Child) -> Html:
    """Write children one after the other."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str):
        return Html(escape(children, quote=False))
    return Html("".join(join(child) for child in children))


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


class Numbers:
    """Shows numbers of a document by their path, so that a page cannot hold a number that the JSON does not.

    Args:
        document: What is written to `report.json`.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def at(self, path: str) -> Any:  # noqa: ANN401 - JSON can be any of its types
        """Return what stands at a dotted path, such as `classes.3.iou`."""
        here: Any = self._document
        for step in path.split("."):
            here = here[int(step)] if isinstance(here, list) else here[step]
        return here

    def show(self, path: str, style: Callable[[float], str]) -> Html:
        """Write the number at a path for people, with its exact value and its path for machines.

        Args:
            path: Where the number stands in the document.
            style: How people read it; what is undefined (null) is shown as a dash.
        """
        value = self.at(path)
        if value is None:
            return element("data", "–", value="", data_json=path, title="not defined: 0/0")
        return element("data", style(value), value=repr(value), data_json=path)


def score(value: float) -> str:
    """Write a share 0..1 with three decimals; only what is exactly 0 or 1 is shown as that."""
    if 0 < value < 0.0005:
        return "<\u202f0.001"
    return ">\u202f0.999" if 0.9995 <= value < 1 else f"{value:.3f}"


def percent(value: float) -> str:
    """Write a share 0..1 as a percentage, finer where it is small."""
    shown = 100 * value
    if 0 < shown < 0.1:
        return "<\u00a00.1\u00a0%"
    if 99.9 < shown < 100:
        return ">\u00a099.9\u00a0%"
    return f"{shown:.0f}\u00a0%" if shown >= 10 or shown == 0 else f"{shown:.1f}\u00a0%"


def count(value: float) -> str:
    """Write a whole number with thin spaces between thousands."""
    return f"{int(value):,}".replace(",", "\u202f")


def general(value: float) -> str:
    """Write any number with up to four significant digits."""
    return count(value) if isinstance(value, int) and value >= 10000 else f"{value:.4g}"
