"""`tessella lock`: hashes of every file of a data set, which `check` and `train` hold it to from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tessella.cli import flags


def lock(
    data: flags.Data,
    out: Annotated[Path | None, typer.Option(help="Write the lock here, not as tessella.lock into DATA.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Write nothing; compare DATA with its lock.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a lock that says something else.")] = False,
    json: flags.Json = False,
) -> None:
    """Write the SHA-256 of every file of a data set; check and train then refuse any changed, missing or new file.

    The lock's own digest goes into every bundle that is trained on the data set.
    """
    from tessella._doors.labels import lock as run
    from tessella.cli.console import emit_json, progress, results

    with progress("Verifying" if verify else "Locking") as advance:
        locked = run(data, out=out, verify=verify, overwrite=overwrite, progress=advance)
    if json:
        emit_json(locked.to_json())
        return
    verb = "as it was locked" if verify else "locked"
    results().print(f"{locked.files} files, {locked.bytes} bytes, {verb}: {locked.path}\ndigest {locked.digest}")
