"""Writing the page of a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.files.write import write_text
from tessella.report.check_page.layout import render
from tessella.report.check_page.views import views_of

if TYPE_CHECKING:
    from pathlib import Path

    from tessella.checking import Checked
    from tessella.dataset.index import Index


def write_check_page(path: Path, index: Index, checked: Checked) -> None:
    """Write a page that shows what a check found: one file, without scripts, that requests nothing.

    Args:
        path: Where to write; an existing file is replaced.
        index: The data set; records with findings are decoded once more for their pictures.
        checked: What `check` found in it.

    Raises:
        OutputError: The file cannot be written.
    """
    write_text(
        path, render(checked, index.table, views_of(index, checked), name=index.root.resolve().name or "the data set")
    )
