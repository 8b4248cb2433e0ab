"""Recipes: everything optional, layers, overrides, and mistakes said in words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.core.errors import FormatError, RecipeError
from tessella.recipe.mistakes import dotted_keys
from tessella.recipe.overrides import parse_overrides
from tessella.recipe.plan import Plan
from tessella.recipe.recipe import PRESETS, Recipe, gather, load_preset, load_recipe


def read(*overrides: str) -> Recipe:
    return Recipe.from_json(parse_overrides(overrides), where="--set")


def test_an_empty_recipe_asks_for_nothing():
    assert Recipe().asked() == {}
    assert Recipe.from_json({}, where="empty") == Recipe()


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("training.batch=x", "--set: training.batch: cannot be used; got 'x'; expected a whole number"),
        ("training.batch=4.5", "training.batch: cannot be used; got 4.5; expected a whole number"),
        ("training.batch=true", "training.batch: cannot be used; got true; expected a whole number"),
        ("training.batch=0", "training.batch: cannot be used; got 0; expected a number of at least 1"),
        ("training.minutes=0", "training.minutes: cannot be used; got 0; expected a number above 0"),
        ("training=3", "training: cannot be used; got 3; expected a table"),
        ("augment.crophw=[1,2]", "augment.crophw: unknown key; did you mean 'crop_hw'?"),
        ("batch=3", "batch: unknown key; did you mean 'training.batch'?"),
        ("zzz=3", "zzz: unknown key; known here: recipe_version, description, preset"),
        ("augment.crop_hw=[64]", "augment.crop_hw[1]: is missing"),
        ("augment.crop_hw=64", "augment.crop_hw: cannot be used; got 64; expected a list in square brackets"),
        ("augment.scale=[1,2,3]", "augment.scale: a list has the wrong length; got 3 values; expected 2"),
        ("augment.scale=[2.0,1.0]", "augment.scale: the smaller number stands first: [1, 2]"),
        ("augment.blur=1.5", "augment.blur: cannot be used; got 1.5; expected a number of at most 1"),
        ("optimiser.schedule=pol", "expected 'poly', 'cosine', 'one-cycle' or 'constant'; did you mean 'poly'?"),
        ("optimiser.learning_rate=inf", "optimiser.learning_rate: cannot be used; got inf; expected a finite number"),
        ("optimiser.momentum=1.0", "optimiser.momentum: cannot be used; got 1.0; expected a number below 1"),
        ("model.name=''", "model.name: cannot be used; got ''; expected text that is not empty"),
        ("model.options={a=[[1]]}", "got [[1]]; expected a number, text in quotes, true or false, or a list of these"),
        ("loss.terms=[]", "loss.terms: a list has the wrong length; got 0 values; expected at least 1"),
        ("loss.class_weights=[1,-2]", "loss.class_weights[1]: cannot be used; got -2; expected a number of at least 0"),
        ("training.channels_last=1", "training.channels_last: cannot be used; got 1; expected true or false"),
        ("seed=1979-05-27", "seed: cannot be used; got 1979-05-27; expected a whole number"),
        ("recipe_version=2", "recipe_version: cannot be used; got 2; expected 1"),
    ],
)
def test_a_mistake_is_said_in_words(override, says):
    with pytest.raises(RecipeError) as caught:
        read(override)
    assert says in str(caught.value)
    assert "pydantic" not in str(caught.value).casefold()
    assert "Input should" not in str(caught.value)


def test_all_mistakes_are_said_at_once():
    with pytest.raises(RecipeError) as caught:
        read("training.batch=x", "augment.crophw=[1,2]", "seed=-1", "loss.terms=[{nme='a'}]")
    message = str(caught.value)
    assert "5 mistakes" in message
    for key in ("training.batch", "augment.crophw", "seed", "loss.terms[0].nme", "loss.terms[0].name: is missing"):
        assert key in message


def test_overrides_are_read_as_toml_and_text_needs_no_quotes():
    recipe = read("training.batch=4", "augment.crop_hw=[320, 400]", "model.name=smp:Unet/resnet18", "seed = 3")
    assert recipe.training.batch == 4
    assert recipe.augment.crop_hw == (320, 400)
    assert recipe.model.name == "smp:Unet/resnet18"
    assert recipe.seed == 3


def test_options_keep_their_types():
    recipe = read(
        "model.options.width=2", "model.options.rate=2.0", "model.options.deep=true", "model.options.act=silu"
    )
    assert recipe.model.options == {"width": 2, "rate": 2.0, "deep": True, "act": "silu"}
    assert [type(value) for value in recipe.model.options.values()] == [int, float, bool, str]


def test_a_later_override_wins():
    assert read("seed=1", "seed=2").seed == 2


@pytest.mark.parametrize("text", ["seed", "=3", ".a=3", "a..b=3", ""])
def test_an_override_without_key_or_value_is_refused(text):
    with pytest.raises(RecipeError, match="not of the form key=value"):
        parse_overrides([text])


def test_an_override_cannot_smuggle_in_a_second_key():
    assert parse_overrides(["seed=1\nother=2"]) == {"seed": "1\nother=2"}


def test_a_recipe_laid_over_another_wins_setting_by_setting():
    top = read("training.batch=4", "augment.blur=0.5")
    below = read("training.batch=8", "training.workers=2", "augment.hue=0.1")
    merged = top.over(below)
    assert (merged.training.batch, merged.training.workers) == (4, 2)
    assert (merged.augment.blur, merged.augment.hue) == (0.5, 0.1)


def test_options_of_the_same_network_add_up_and_those_of_another_are_dropped():
    below = read("model.name=unet", "model.options.width=8", "model.options.depth=3", "model.weights=a.safetensors")
    same = read("model.options.depth=4").over(below)
    assert same.model.options == {"width": 8, "depth": 4}
    other = read("model.name=mosaic").over(below)
    assert other.model.options is None
    assert other.model.weights is None


def test_layers_are_flag_over_file_over_preset(tmp_path: Path):
    path = tmp_path / "tessella.toml"
    path.write_text('preset = "cell"\n[augment]\nelastic = 0.1\nrotate_degrees = 5.0\n', encoding="utf-8")
    recipe = gather(path, overrides=["augment.elastic=0.2"])
    assert recipe.preset == "cell"
    assert recipe.augment.elastic == 0.2
    assert recipe.augment.rotate_degrees == 5.0
    assert recipe.augment.right_angles == load_preset("cell").augment.right_angles
    assert gather(path, preset="driving").preset == "driving"


def test_without_anything_the_general_preset_is_taken():
    assert gather().preset == "general"
    assert gather().augment == load_preset("general").augment


def test_an_unknown_preset_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match="did you mean 'medical'"):
        load_preset("medicla")
    with pytest.raises(RecipeError, match="did you mean 'driving'"):
        gather(read("preset=drivng"))


def test_a_recipe_file_that_is_not_toml_is_named(tmp_path: Path):
    path = tmp_path / "broken.toml"
    path.write_text("training = [", encoding="utf-8")
    with pytest.raises(FormatError, match=r"broken\.toml"):
        load_recipe(path)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_recipe_with_a_description(name):
    preset = load_preset(name)
    assert preset.description
    assert Recipe.from_json(preset.asked(), where=name) == preset


def test_the_general_preset_settles_every_augmentation_but_the_crop():
    augment = load_preset("general").augment.model_dump()
    assert [name for name, value in augment.items() if value is None] == ["crop_hw"]


def test_every_setting_of_a_plan_can_be_asked_for():
    worked_out = {"plan_version", "tessella", "asked", "why"}
    tables = ("classes", "splits", "reading", "expected", "preprocess.bands", "preprocess.dtype", "preprocess.stride")
    recipe = set(dotted_keys(Recipe))
    plan = {key for key in dotted_keys(Plan) if key not in worked_out and not key.startswith(tables)}
    assert plan <= recipe


@given(
    st.builds(
        lambda seed, batch, blur, name: {
            "seed": seed,
            "training": {"batch": batch},
            "augment": {"blur": blur},
            "model": {"name": name},
        },
        st.integers(0, 2**31),
        st.integers(1, 64),
        st.floats(0, 1),
        st.text(min_size=1),
    )
)
def test_what_was_asked_survives_the_round_trip(tree):
    recipe = Recipe.from_json(tree, where="test")
    assert recipe.asked() == tree
    assert Recipe.from_json(recipe.asked(), where="test") == recipe
