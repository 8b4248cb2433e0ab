"""Which vector file belongs to which photo, by the words that their names share."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_WORDS: Final = re.compile(r"[_\-. ]+")
_SAYS_NOTHING: Final = frozenset(
    {
        "geojson", "json", "geo", "gpkg", "shp", "shape", "shapes", "vector", "vectors", "polygon", "polygons", "label",
        "labels", "annotation", "annotations", "anno", "gt", "mask", "masks", "truth", "ground", "features", "of",
        "aoi", "img", "image", "tile", "train", "val", "test",
    }
)  # fmt: skip
"""Words in the name of a vector file that name no class."""

SINGLE_CLASS: Final = "object"
"""The class of shapes that nothing names."""


class Stems:
    """The stems of photos, looked up by the words they consist of.

    Args:
        photos: The photo files.
    """

    def __init__(self, photos: Iterable[Path]) -> None:
        self._whole: dict[tuple[str, ...], list[Path]] = defaultdict(list)
        self._tails: dict[tuple[str, ...], list[Path]] = defaultdict(list)
        for path in photos:
            words = words_of(path.stem)
            self._whole[words].append(path)
            for start in range(len(words)):
                self._tails[words[start:]].append(path)

    def find(self, stem: str, near: Path) -> Path | None:
        """Return the photo that a label means, or None when none or two could be meant.

        The same stem counts most; then a photo whose words the label's begin with (`img1` for `img1_buildings`); then
        the longest end that both share and that holds a number (`buildings_AOI_2_Vegas_img1` and
        `RGB-PanSharpen_AOI_2_Vegas_img1`).

        Args:
            stem: The label's stem, or the name of a photo in a table.
            near: The label file: of two photos of one stem the one in the nearer folder is meant.
        """
        words = words_of(stem)
        for count in range(len(words), 0, -1):
            if found := self._whole.get(words[:count]):
                return _nearest(found, near)
        for start in range(len(words)):
            tail = words[start:]
            if any(character.isdigit() for word in tail for character in word) and (found := self._tails.get(tail)):
                return _nearest(found, near)
        return None


def words_of(stem: str) -> tuple[str, ...]:
    """Return the words of a stem: it is split at underscores, hyphens, dots and blanks."""
    return tuple(word for word in _WORDS.split(stem) if word)


def class_of(stem: str, photo: str | None) -> str:
    """Return the class that the name of a vector file states: the words that neither its photo has nor say nothing.

    Args:
        stem: The vector file's, such as `buildings_AOI_2_Vegas_img1`.
        photo: The photo's, such as `RGB-PanSharpen_AOI_2_Vegas_img1`; None for a file that lies across photos.

    Returns:
        Such as `buildings`; `object` where no word is left.
    """
    taken = {word.casefold() for word in words_of(photo or "")}
    left = [
        word
        for word in words_of(stem)
        if word.casefold() not in taken | _SAYS_NOTHING and not any(character.isdigit() for character in word)
    ]
    return " ".join(left) or SINGLE_CLASS


def _nearest(found: list[Path], near: Path) -> Path | None:
    shared = [_shared(path, near) for path in found]
    best = [path for path, count in zip(found, shared, strict=True) if count == max(shared)]
    return best[0] if len(best) == 1 else None


def _shared(one: Path, other: Path) -> int:
    """How many folders, from the top, two files share."""
    count = 0
    for mine, theirs in zip(one.parent.parts, other.parent.parts, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
