"""The plan: no gaps, exact round trip, newer versions refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessella.core.classes import ClassTable
from tessella.core.errors import RecipeError
from tessella.recipe.mistakes import dotted_keys
from tessella.recipe.plan import PLAN_VERSION, UNKNOWN_READING, Plan, Stage
from tessella.recipe.starter import starter_plan

TABLE = ClassTable.from_names(["background", "building"])


def test_the_round_trip_through_json_text_is_equality():
    plan = starter_plan(TABLE)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json())), where="plan.json") == plan


@given(
    mean=st.floats(-1e6, 1e6),
    std=st.floats(1e-9, 1e6),
    options=st.dictionaries(
        st.text(min_size=1),
        st.one_of(
            st.booleans(),
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(),
            st.lists(st.integers(0, 9)).map(tuple),
        ),
    ),
)
def test_any_number_and_option_survives_the_round_trip(mean, std, options):
    start = starter_plan(TABLE, bands=("grey",))
    plan = start.model_copy(
        update={
            "preprocess": start.preprocess.model_copy(update={"mean": (mean,), "std": (std,)}),
            "model": start.model.model_copy(update={"options": options}),
        }
    )
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())), where="plan.json")
    assert again == plan
    assert [type(value) for value in again.model.options.values()] == [type(value) for value in options.values()]


def test_a_missing_key_is_named():
    data = starter_plan(TABLE).to_json()
    del data["optimiser"]["schedule"]
    with pytest.raises(RecipeError, match=r"plan\.json: optimiser\.schedule: is missing"):
        Plan.from_json(data, where="plan.json")


@pytest.mark.parametrize("key", [key for key in dotted_keys(Plan) if key != "plan_version"])
def test_no_setting_may_be_left_out(key):
    data = starter_plan(TABLE).to_json()
    *tables, leaf = key.split(".")
    node = data
    for table in tables:
        node = node[table]
        node = node[0] if isinstance(node, list) else node
    del node[leaf]
    with pytest.raises(RecipeError, match="is missing"):
        Plan.from_json(data, where="plan.json")


def test_a_plan_of_a_newer_version_is_refused_with_the_cure():
    data = starter_plan(TABLE).to_json() | {"plan_version": PLAN_VERSION + 1, "tessella": "7.0.0", "news": 1}
    with pytest.raises(RecipeError, match=r"newer version.*Tessella 7\.0\.0.*pip install --upgrade"):
        Plan.from_json(data, where="plan.json")


def test_a_plan_of_the_first_version_does_not_know_how_its_data_were_read():
    data = starter_plan(TABLE).to_json() | {"plan_version": 1}
    del data["reading"], data["splits"]["held_out"]
    assert Plan.from_json(data, where="plan.json") == starter_plan(TABLE)
    assert starter_plan(TABLE).reading == UNKNOWN_READING


@pytest.mark.parametrize("version", [1, 2])
def test_a_plan_of_an_earlier_version_does_not_know_which_photos_were_held_out(version):
    data = starter_plan(TABLE).to_json() | {"plan_version": version}
    del data["splits"]["held_out"]
    plan = Plan.from_json(data, where="plan.json")
    assert plan.plan_version == PLAN_VERSION
    assert plan.splits.held_out == ""


def test_class_weights_must_match_the_classes():
    data = starter_plan(TABLE).to_json()
    data["loss"]["class_weights"] = [1.0]
    with pytest.raises(RecipeError, match=r"2 classes need as many class weights \(1\)"):
        Plan.from_json(data, where="plan.json")


def test_means_must_match_the_bands():
    data = starter_plan(TABLE).to_json()
    data["preprocess"]["mean"] = [1.0]
    with pytest.raises(RecipeError, match=r"3 bands need as many means \(1\)"):
        Plan.from_json(data, where="plan.json")


def test_stages_scale_crop_and_zoom_and_end_at_full_size():
    start = starter_plan(TABLE, crop_hw=(320, 400)).augment
    stages = (
        Stage(share=0.25, zoom=0.5, batch_factor=2.0),
        Stage(share=0.25, zoom=0.75, batch_factor=1.5),
        Stage(share=0.5, zoom=1.0, batch_factor=1.0),
    )
    augment = start.model_copy(update={"stages": stages, "scale": (0.8, 1.6)})
    assert augment.at(0.0).crop_hw == augment.at(0.2499).crop_hw == (160, 208)
    assert augment.at(0.0).scale == (0.4, 0.8)
    assert augment.at(0.25).crop_hw == (240, 304)
    assert augment.at(0.5).crop_hw == augment.at(1.0).crop_hw == (320, 400)
    assert augment.at(1.0).scale == (0.8, 1.6)
    assert [augment.within(stage).crop_hw for stage in stages] == [(160, 208), (240, 304), (320, 400)]


def test_the_batch_of_a_stage_is_a_multiple_of_that_of_the_last():
    start = starter_plan(TABLE)
    stages = (Stage(share=0.5, zoom=0.5, batch_factor=1.5), Stage(share=0.5, zoom=1.0, batch_factor=1.0))
    plan = start.model_copy(
        update={
            "augment": start.augment.model_copy(update={"stages": stages}),
            "training": start.training.model_copy(update={"batch": 4}),
        }
    )
    assert [plan.batch_in(stage) for stage in stages] == [6, 4]


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ([{"share": 0.5, "zoom": 1.0, "batch_factor": 1.0}], "add up to 0.5, not to 1"),
        ([], "add up to 0, not to 1"),
        ([{"share": 1.0, "zoom": 0.5, "batch_factor": 1.0}], "the last stage must have zoom 1"),
    ],
)
def test_stages_that_do_not_make_a_run_are_refused(stages, says):
    data = starter_plan(TABLE).to_json()
    data["augment"]["stages"] = stages
    with pytest.raises(RecipeError, match=says):
        Plan.from_json(data, where="plan.json")


def test_the_class_table_comes_back():
    assert starter_plan(TABLE).table == TABLE


def test_a_plan_cannot_be_changed():
    plan = starter_plan(TABLE)
    with pytest.raises(ValueError, match="frozen"):
        plan.seed = 3
