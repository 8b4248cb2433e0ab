"""`tessella check`: what is wrong with an annotated folder, and a repaired copy of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tessella.cli import flags


def check(
    data: flags.Data,
    format: flags.Format = None,  # noqa: A002 - the name of the flag
    classes: flags.Classes = None,
    photos: flags.Photos = None,
    option: flags.Options = None,
    max_pixels: flags.MaxPixels = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Write a repaired copy into --out; DATA is never changed.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the repaired copy.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a copy that Tessella made, a page or a baseline.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Rule (L101) or family (L) to look for; may be repeated.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; else tessella.toml in DATA: rules off, severities, baseline.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(help="File of known findings that are left out.")] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Write all findings into a file that accepts them from now on.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with a picture for every finding.")] = None,
    json: flags.Json = False,
) -> None:
    """Find what is wrong with an annotated folder, by rules with codes.

    Exit code 1: errors were found; with --fix, errors that need a person; with --write-baseline, never.
    """
    from tessella._doors.labels import check as run
    from tessella.checking.table import check_table, fix_table
    from tessella.cli.console import emit_json, progress, results, words

    with progress("Checking and repairing" if fix else "Checking") as advance:
        checked = run(
            data,
            format=format,
            classes=classes,
            photos=photos,
            options=flags.options_of(option),
            codes=only,
            config=config,
            baseline=baseline,
            write_baseline=write_baseline,
            html=html,
            fix=fix,
            out=out,
            overwrite=overwrite,
            max_pixels=max_pixels,
            progress=advance,
        )
    if json:
        emit_json(checked.to_json() | ({} if checked.fixed is None else {"fix": checked.fixed.to_json()}))
    else:
        results().print(check_table(checked))
        if checked.fixed is not None:
            results().print(fix_table(checked.fixed))
    if write_baseline is not None:
        words().print(f"{write_baseline} accepts {len(checked.findings)} findings from now on")
        return
    if html is not None:
        words().print(f"Pictures: {html}")
    left = checked.findings if checked.fixed is None else checked.fixed.person
    if any(finding.severity == "error" for finding in left):
        raise typer.Exit(1)
