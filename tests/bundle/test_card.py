"""The card tells what was trained, not what was planned."""

from data.small_bundle import small_plan
from tessella.bundle.card import write_card
from tessella.recipe.plan import Stage


def test_the_card_names_the_steps_that_were_trained():
    plan = small_plan()
    assert f"{plan.training.steps} steps of 2 crops of 64x64 px at 0.5x to 2x, from scratch" in write_card(
        plan, {}, {}, parameters=1
    )
    assert "1234 steps of 2 crops" in write_card(plan, {}, {"steps": 1234}, parameters=1)


def test_the_card_names_the_stages():
    stages = (Stage(share=0.4, zoom=0.5, batch_factor=4.0), Stage(share=0.6, zoom=1.0, batch_factor=1.0))
    plan = small_plan()
    plan = plan.model_copy(update={"augment": plan.augment.model_copy(update={"stages": stages})})
    assert (
        "99 steps of 8 crops of 32x32 px at 0.25x to 1x for 40% of the run, "
        "then 2 crops of 64x64 px at 0.5x to 2x for 60% of the run, from scratch"
    ) in write_card(plan, {}, {"steps": 99}, parameters=1)
