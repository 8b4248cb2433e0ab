"""What is asked beside `--resume` must be what was asked, or what the plan settled."""

import pytest

from data.planning import CAMVID, LAPTOP, Pace, make_facts, make_index
from tessella.core.errors import RecipeError
from tessella.recipe.asked import asked_keys, refuse_changes
from tessella.recipe.plan import Plan
from tessella.recipe.planner import make_plan
from tessella.recipe.recipe import Recipe, collect, gather

FLAGS = {
    "preset": "cell",
    "overrides": ["training.batch=4", "loss.weighting=sqrt", "augment.crop_hw=[64,96]", "model.options.width=8"],
}
BEFORE = {"epochs": 3.0, "seed": 7}


@pytest.fixture(scope="module")
def plan() -> Plan:
    index, facts = make_index(CAMVID), make_facts(CAMVID)
    flags = FLAGS | {"overrides": [*FLAGS["overrides"], "model.name=unet"]}
    made = make_plan(index, facts, gather(**flags), LAPTOP, timer=Pace(), **BEFORE)
    return Plan.from_json(made.to_json(), where="a round trip")


def test_the_same_flags_pass(plan):
    refuse_changes(plan, asked_keys(collect(**FLAGS), **BEFORE))


def test_nothing_given_passes(plan):
    refuse_changes(plan, asked_keys(Recipe()))


def test_what_the_plan_settled_may_be_said_again(plan):
    refuse_changes(plan, asked_keys(collect(overrides=[f"optimiser.learning_rate={plan.optimiser.learning_rate}"])))


@pytest.mark.parametrize(
    ("flags", "limit", "says"),
    [
        ({}, {"minutes": 5}, "got training.minutes = 5; expected no training.minutes"),
        ({}, {"epochs": 4}, "got training.epochs = 4; expected training.epochs = 3.0"),
        ({}, {"seed": 8}, "got seed = 8; expected seed = 7"),
        ({"preset": "driving"}, {}, "got preset = 'driving'; expected preset = 'cell'"),
        ({"overrides": ["training.batch=8"]}, {}, "got training.batch = 8; expected training.batch = 4"),
        ({"overrides": ["loss.weighting=log"]}, {}, "got loss.weighting = 'log'; expected loss.weighting = 'sqrt'"),
        ({"overrides": ["training.steps=9"]}, {}, "got training.steps = 9"),
        ({"recipe": Recipe(seed=9)}, {}, "got seed = 9; expected seed = 7"),
        ({"overrides": ["model.options.depth=9"]}, {}, "got model.options.depth = 9; expected no model.options.depth"),
    ],
)
def test_another_setting_is_refused_by_name(plan, flags, limit, says):
    with pytest.raises(RecipeError, match="goes on with the settings it was begun with") as caught:
        refuse_changes(plan, asked_keys(collect(**flags), **limit))
    assert says in str(caught.value)


def test_the_callers_limit_takes_the_place_of_the_recipes():
    recipe = collect(overrides=["training.epochs=9"])
    assert asked_keys(recipe, minutes=2) == {"training.minutes": 2}
    assert asked_keys(recipe) == {"training.epochs": 9.0}
