"""Every error that Tessella raises on purpose.

    TessellaError                 the user has something to fix (exit code 2)
    ├── InputError                a file or folder cannot be used as it is
    │   ├── ImageError            a photo, mask or raster cannot be decoded or is refused
    │   ├── FormatError           an annotation file breaks its format, or no format matches
    │   └── LabelError            ids, values or names that no class table explains
    ├── ClassTableError           a class table that contradicts itself
    ├── RecipeError               an unknown key or impossible value in a recipe, plan or flag
    ├── OutputError               the result cannot be written where it was asked for
    ├── BundleError               a bundle is damaged, foreign or newer than this version
    ├── TrainingError             training cannot go on (non-finite loss, too many broken photos)
    ├── ParityError               an exported model does not answer as the bundle does
    └── MissingExtraError         an optional dependency is not installed

A fault in data is a `Finding`, not an exception; an exception is for what stops the work that was asked for.
"""

from __future__ import annotations


class TessellaError(Exception):
    """One message that says what is wrong, where, what was got, what was expected and the cure.

    Args:
        what: One sentence without a full stop.
        where: File, key or argument that is meant.
        got: What was found there.
        expected: What would have been accepted.
        fix: What the user can do now.
    """

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        got: object = None,
        expected: object = None,
        fix: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.got = None if got is None else str(got)
        self.expected = None if expected is None else str(expected)
        self.fix = fix
        super().__init__(self._message())

    @property
    def fault(self) -> str:
        """What is wrong and what was got, for those who say the place themselves."""
        return self.what if self.got is None else f"{self.what}; got {self.got}"

    def locate(self, where: object) -> None:
        """Say more exactly where; for those who know, and raise the error again."""
        self.where = str(where)
        self.args = (self._message(),)

    def _message(self) -> str:
        parts = [self.what if self.where is None else f"{self.where}: {self.what}"]
        if self.got is not None:
            parts.append(f"got {self.got}")
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.fix is not None:
            parts.append(self.fix)
        return "; ".join(parts)


class InputError(TessellaError):
    """A file or folder cannot be used as it is."""


class InterruptionError(InputError):
    """Work was ended from outside; what is done is kept, and it goes on from there when it is asked for again."""


class ImageError(InputError):
    """A photo, mask or raster cannot be decoded, or is refused before decoding."""


class FormatError(InputError):
    """An annotation file breaks its format, or no format matches."""


class LabelError(InputError):
    """Ids, values, colours or names that no class table explains."""


class ClassTableError(TessellaError):
    """A class table that contradicts itself."""


class RecipeError(TessellaError):
    """An unknown key or impossible value in a recipe, a plan or a flag."""


class OutputError(TessellaError):
    """The result cannot be written where it was asked for."""


class BundleError(TessellaError):
    """A bundle is damaged, foreign, or newer than this version of Tessella."""


class TrainingError(TessellaError):
    """Training cannot go on."""


class ParityError(TessellaError):
    """An exported model does not answer as the bundle does."""


class MissingExtraError(TessellaError):
    """An optional dependency is not installed; `core.extras.require` raises it."""
