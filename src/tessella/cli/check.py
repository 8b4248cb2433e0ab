"""`tessella check`: what is wrong with an annotated folder, and a repaired copy of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tessella.core.errors import RecipeError


def check(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Annotated folder, or an annotation file in it.")],
    format: Annotated[str | None, typer.Option(help="Annotation format, when it is not detected.")] = None,  # noqa: A002
    classes: Annotated[Path | None, typer.Option(help="Class file: TOML, JSON, CSV, labels.txt, labelmap.txt.")] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Write a repaired copy into --out; DATA is never changed.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the repaired copy.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing repaired copy.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Rule (L101) or family (L) to look for; may be repeated.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Find what is wrong with an annotated folder, by rules with codes.

    Exit code 1: errors were found; with --fix, errors that need a person.
    """
    from tessella.checking import check as run
    from tessella.checking import fix as repair
    from tessella.checking.table import check_table, fix_table
    from tessella.cli.console import emit_json, progress, results
    from tessella.dataset import open_dataset
    from tessella.files.write import refuse_existing

    if fix != (out is not None):
        raise RecipeError(
            "a repaired copy needs both flags", where="tessella check", expected="--fix --out DIR, or neither of them"
        )
    if out is not None:
        refuse_existing(out, overwrite=overwrite)
    index = open_dataset(data, format=format, classes=classes)
    with progress("Checking") as advance:
        checked = run(index, codes=only, progress=advance)
    report = None
    if out is not None:
        with progress("Repairing") as advance:
            report = repair(index, checked, out, overwrite=overwrite, progress=advance)
    if json:
        emit_json(checked.to_json() | ({} if report is None else {"fix": report.to_json()}))
    else:
        results().print(check_table(checked))
        if report is not None:
            results().print(fix_table(report))
    left = checked.findings if report is None else report.person
    if any(finding.severity == "error" for finding in left):
        raise typer.Exit(1)
