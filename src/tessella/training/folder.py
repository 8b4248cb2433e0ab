"""The folder of a run: its stored plan, and what an earlier run left, removed without touching anything else."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Final

from tessella.core.errors import TrainingError
from tessella.files.text import read_json
from tessella.files.write import explain
from tessella.recipe.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

PLAN: Final = "plan.json"
"""The settled plan of a run; `--resume` goes on with it."""

BUNDLE: Final = "bundle"
"""The sealed bundle."""

_FOLDERS: Final = (BUNDLE, "checkpoints", "tensorboard")
_FILES: Final = (PLAN, "metrics.jsonl", "report.html", "report.json", "test/report.html", "test/report.json")


def clear(out: Path) -> None:
    """Remove what an earlier run left, so that nothing of it is taken for a result of the next one.

    Args:
        out: The folder; whatever else lies in it stays.

    Raises:
        OutputError: Something cannot be removed.
    """
    try:
        for name in _FOLDERS:
            if (out / name).is_dir():
                shutil.rmtree(out / name)
        for name in _FILES:
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise explain(error, out) from error
    with contextlib.suppress(OSError):  # absent, or something of the user's lies in it
        (out / "test").rmdir()


def stored_plan(out: Path) -> Plan:
    """Read the settled plan of an earlier run, to go on with it.

    Raises:
        TrainingError: There is none in this folder.
        RecipeError: It was made by a newer version.
    """
    if not (out / PLAN).exists():
        raise TrainingError(
            "there is no run to go on from", where=out, fix="check --out, or start again without --resume"
        )
    return Plan.from_json(read_json(out / PLAN), where=str(out / PLAN))
