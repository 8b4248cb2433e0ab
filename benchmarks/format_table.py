"""The tables of docs/formats.md: what every format can do, and what is made of every real data set.

    python benchmarks/format_table.py [--only-formats]

The first table comes from the table of formats and the pages in docs/formats. The second is made where the real
annotation sets lie beside the checkout: each folder is opened as `tessella inspect` opens it, and what does not open as
a whole is opened folder by folder, however deep. Every data set that opens has a row, and so has every folder that is
refused for a reason of its own. Both tables stand between markers; everything else in the page is written by hand.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

from tessella.core.errors import TessellaError
from tessella.dataset.index import list_source, open_source
from tessella.formats import FORMATS

HERE = Path(__file__).resolve().parents[1]
PAGE = HERE / "docs" / "formats.md"
PAGES = HERE / "docs" / "formats"
REAL = HERE.parent / "shared" / "data"
HOLDS = (
    "shapes", "holes", "boxes", "circles", "ellipses", "lines", "points", "masks", "instances", "groups", "attributes",
)  # fmt: skip
SHOWN = 6
LONGEST = 260
LONGEST_NAME = 30


def main() -> None:
    """Rewrite the tables of the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only-formats", action="store_true", help="leave the table of real data sets as it is")
    asked = parser.parse_args()
    text = replaced(PAGE.read_text(encoding="utf-8"), "formats", format_rows())
    if asked.only_formats:
        print("the table of real data sets is left as it is")
    elif REAL.is_dir():
        text = replaced(text, "real", real_rows(REAL))
    else:
        print(f"no {REAL.relative_to(HERE.parent)} beside the checkout: the table of real data sets is left as it is")
    PAGE.write_text(text, encoding="utf-8")


def replaced(text: str, name: str, rows: list[str]) -> str:
    """Return a page with other lines between the markers of a table."""
    start, end = f"<!-- {name}: made by benchmarks/format_table.py -->", f"<!-- end of {name} -->"
    before, _, rest = text.partition(start)
    if not rest or end not in rest:
        sys.exit(f"{PAGE.name} has no markers {start} and {end}")
    return "\n".join([before + start, *rows, end]) + rest.partition(end)[2]


def format_rows() -> list[str]:
    """Return the table of formats: read, written, what it holds, what it is."""
    rows = ["| format | what | read | written | holds besides a class per pixel |", "|---|---|---|---|---|"]
    for name, row in FORMATS.items():
        held = ", ".join(what for what in HOLDS if what in row.holds)
        rows.append(f"| [{name}](formats/{name}.md) | {title(name)} | yes | {'yes' if row.write else ''} | {held} |")
    return rows


def title(name: str) -> str:
    """Return what a format's page says that it is."""
    first = (PAGES / f"{name}.md").read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix(f"# {name}").lstrip(": ")


class Outcome(NamedTuple):
    """What is made of a folder: rows of the table, how many are data sets, and whether they say what it is."""

    rows: list[str]
    sets: int
    is_known: bool


def real_rows(root: Path) -> list[str]:
    """Return the table of real data sets: format, photos, classes, or the reason."""
    rows = ["| folder | format | photos | labelled | classes |", "|---|---|---|---|---|"]
    for folder in folders_in(root):
        found = outcome(folder, root)
        if len(found.rows) > 1:
            rows.append(f"| {folder.name} | – | {len(found.rows)} folders, of which {found.sets} open | | – |")
        rows += found.rows
    return rows


def outcome(folder: Path, root: Path) -> Outcome:
    """Return what is made of a folder, or of those in it where it is refused and they say more."""
    name = folder.relative_to(root).as_posix()
    try:
        listing = list_source(open_source(folder))
    except TessellaError as error:
        below = [outcome(path, root) for path in folders_in(folder)] if may_hold_several(error) else []
        sets = sum(one.sets for one in below)
        is_mixed = error.what.startswith("labels of")
        if sets or (is_mixed and any(one.is_known for one in below)):
            return Outcome([row for one in below for row in one.rows], sets, is_known=True)
        row = f"| {name} | – | {reason(error, folder)} | | – |"
        return Outcome([row], 0, is_known=not (is_mixed or "of a known format" in error.what))
    table = [one if len(one) <= LONGEST_NAME else f"{one[: LONGEST_NAME - 1]}…" for one in listing.coding.table.names]
    classes = ", ".join(table[:SHOWN]) + (f" and {len(table) - SHOWN} more" if len(table) > SHOWN else "")
    labelled = sum(record.label is not None for record in listing.records) or len(listing.orphan_labels)
    photos = str(len(listing.records) or "none here")
    return Outcome([f"| {name} | {listing.format} | {photos} | {labelled} | {plain(classes)} |"], 1, is_known=True)


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, without hidden ones and links, so that the way down ends."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink() and path.name[0] != ".")


def may_hold_several(error: TessellaError) -> bool:
    """Whether data sets may lie in the folders of one that is refused: not where all of it holds no masks."""
    return not error.what.startswith("these are") and "pictures alone" not in error.what


def reason(error: TessellaError, folder: Path) -> str:
    """Return why a folder cannot be opened, without the path."""
    said = error.what if error.got is None else f"{error.what}: {error.got}"
    text = plain(said.replace(f"{folder}/", "").replace(str(folder), "the folder"))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def plain(text: str) -> str:
    """Return text that breaks no table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    main()
