"""P: photos and labels without their partner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.checking.rule import Located
from tessella.core.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tessella.checking.looking.look import Look
    from tessella.checking.survey import Survey


def photo_without_label(look: Look) -> Iterator[Finding]:
    """P101: nothing is annotated for this photo."""
    if not look.label_where:
        yield Finding(
            "P101",
            "warning",
            look.photo_where,
            "this photo has no label",
            "annotate it, or move it out of the data set; training and scoring pass it over",
        )


def label_without_photo(survey: Survey) -> Iterator[Located]:
    """P102: the photo that this label belongs to is missing."""
    for where in survey.orphan_labels:
        finding = Finding(
            "P102",
            "error",
            where,
            "this label has no photo",
            "bring the photo back, or correct its name; a repaired copy leaves this label out",
        )
        yield Located(None, finding)
