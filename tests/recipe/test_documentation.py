"""The recipes in the documentation are read by the program."""

import re
import tomllib
from pathlib import Path

import pytest

from tessella.core.errors import RecipeError
from tessella.recipe.recipe import PRESETS, Recipe, gather

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recipe.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_every_recipe_on_the_page_is_read(text):
    recipe = Recipe.from_json(tomllib.loads(text), where="docs/recipe.md")
    assert gather(recipe).asked()


def test_the_page_shows_what_the_program_says_of_mistakes(tmp_path: Path):
    path = tmp_path / "tessella.toml"
    path.write_text('[augment]\ncrophw = [1, 2]\n[training]\nbatch = "eight"\n', encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        gather(path)
    assert f"tessella: {caught.value}" in PAGE


def test_the_page_lists_every_preset():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE) == list(PRESETS)


def test_overrides_on_the_page_are_read():
    lines = [line for line in PAGE.splitlines() if line.startswith("tessella plan")]
    assert len(lines) == 3
    for line in lines:
        overrides = [quoted or plain for quoted, plain in re.findall(r"--set (?:'([^']+)'|(\S+))", line)]
        assert gather(overrides=overrides)
