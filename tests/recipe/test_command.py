"""`tessella plan` on a real folder: table for people, JSON for machines, and errors before anything is written."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from tessella.cli.commands.plan import plan as command
from tessella.core.errors import RecipeError
from tessella.recipe.plan import Plan

SMALL = ("--set", "model.name=unet", "--set", "model.options.width=4", "--set", "model.options.depth=2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (root / kind).mkdir()
    for number in range(6):
        ids = np.zeros((40, 48), np.uint8)
        ids[10 : 20 + number, 8:40] = 1
        pixels = (90 + 80 * ids + rng.normal(0, 20, ids.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"photo{number}.png")
        Image.fromarray(ids).save(root / "masks" / f"photo{number}.png")
    return root


def run(*arguments: str):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


def test_json_is_a_plan_that_can_be_read_again(folder):
    result = run(str(folder), "--epochs", "2", "--seed", "3", "--json", *SMALL)
    assert result.exit_code == 0, result.output
    plan = Plan.from_json(json.loads(result.stdout), where="stdout")
    assert plan.seed == 3
    assert plan.preprocess.bands == ("grey",)
    assert plan.preprocess.stride == 4
    assert plan.model.options == {"width": 4, "depth": 2}
    assert plan.splits.train_samples + plan.splits.val_samples == 6
    # two passes over the training photos, in batches of 64 at most
    assert plan.training.steps == -(-2 * plan.splits.train_samples // plan.training.batch)


def test_the_table_says_what_and_why(folder):
    result = run(str(folder), "--minutes", "1", "--preset", "cell", *SMALL)
    assert result.exit_code == 0, result.output
    words = " ".join(result.stdout.split())
    for expected in ("network unet (width 4, depth 2)", "crop 48 x 48", "preset cell", "expected memory", "GiB"):
        assert expected in words


def test_impossible_limits_are_refused(folder):
    with pytest.raises(RecipeError, match="minutes must be above 0"):
        raise run(str(folder), "--minutes", "0").exception
    with pytest.raises(RecipeError, match="both asked for"):
        raise run(str(folder), "--minutes", "1", "--epochs", "1").exception
    with pytest.raises(RecipeError, match="epochs must be above 0"):
        raise run(str(folder), "--epochs", "-4").exception


def test_an_unknown_setting_is_refused(folder):
    with pytest.raises(RecipeError, match=r"--set: training\.btach: unknown key; did you mean 'batch'"):
        raise run(str(folder), "--set", "training.btach=3").exception


def test_class_names_are_shown_as_they_are_not_as_markup(folder):
    from tessella.checking.table import plain_text
    from tessella.cli.commands.plan import plan_table

    result = run(str(folder), "--epochs", "2", "--json", *SMALL)
    document = json.loads(result.stdout)
    document["classes"][0]["name"], document["classes"][1]["name"] = "road [wet]", "[/x]"
    shown = plain_text(plan_table(Plan.from_json(document, where="stdout")))
    assert "road [wet], [/x]" in shown
