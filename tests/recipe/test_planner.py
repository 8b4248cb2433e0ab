"""The planner: sensible plans for every kind of data, machine and limit, each choice with its reason."""

import json
import math
from dataclasses import replace

import pytest

from data.planning import CAMVID, CAMVID_SHARES, LAPTOP, OLD_LAPTOP, WORKSTATION, Pace, make_facts, make_index
from tessella.core.errors import InputError, LabelError, RecipeError
from tessella.dataset.splits import SplitRule
from tessella.recipe.plan import Plan
from tessella.recipe.planner import make_plan
from tessella.recipe.planning.reasons import flatten
from tessella.recipe.recipe import PRESETS, Recipe, gather

CAMVID_FACTS = make_facts(CAMVID, shares=CAMVID_SHARES)


def plan_of(names=CAMVID, facts=CAMVID_FACTS, recipe=None, machine=LAPTOP, timer=None, index=None, **limit) -> Plan:
    limit = limit or {"minutes": 15}
    index = index or make_index(list(names), train=facts.samples, val=max(1, facts.samples // 4))
    return make_plan(index, facts, recipe or Recipe(), machine, timer=timer or Pace(), **limit)


ONE_STAGE = "augment.stages=[{share=1.0,zoom=1.0,batch_factor=1.0}]"


def ask(*overrides: str) -> Recipe:
    return gather(overrides=overrides)


def test_a_plan_for_street_photos_on_a_laptop():
    plan = plan_of()
    assert plan.model.name == "mosaic"
    assert plan.model.weights == ""
    assert plan.training.precision == "bf16"
    assert plan.training.threads == 2
    assert plan.training.minutes == 15
    high, wide = plan.augment.crop_hw
    assert high % 16 == wide % 16 == 0
    assert high <= 360 + 16
    assert wide <= 480 + 16
    assert plan.preprocess.mean == (102.0, 102.0, 102.0)
    assert plan.splits.train_samples == 367
    assert plan.splits.val_samples == 91
    assert plan.table.names == tuple(CAMVID)


def test_the_steps_fill_the_time_that_is_left_after_the_start():
    plan = plan_of(timer=Pace(px_a_second=1e6), recipe=ask(ONE_STAGE))
    high, wide = plan.augment.crop_hw
    batch_px = plan.training.batch * high * wide
    # 900 s less 8 s of start-up and 367 x 3 ms of decoding on 2 cores; crops cost 8 ns a pixel on 2 threads
    usable = 900 - 8 - 367 * 0.003 / 2
    steps = int(usable / (batch_px / 1e6 + batch_px * 8e-9 / 2))
    assert plan.training.steps == pytest.approx(steps, abs=1)
    assert plan.expected.epochs == pytest.approx(steps * plan.training.batch / 367, abs=0.01)
    assert plan.expected.seconds <= 900


def test_small_pictures_make_more_steps_in_the_same_time():
    # half the time at a quarter of the pixels makes four times as many steps there: 0.5 + 4 x 0.5 = 2.5 times in all
    crop = "augment.crop_hw=[320,320]"
    staged = "augment.stages=[{share=0.5,zoom=0.5,batch_factor=1.0},{share=0.5,zoom=1.0,batch_factor=1.0}]"
    whole = plan_of(recipe=ask(crop, ONE_STAGE))
    halved = plan_of(recipe=ask(crop, staged))
    assert halved.training.steps == pytest.approx(2.5 * whole.training.steps, rel=0.01)
    # with epochs the shares are of the steps, which then take less time
    slow, fast = plan_of(recipe=ask(crop, ONE_STAGE), epochs=50), plan_of(recipe=ask(crop, staged), epochs=50)
    assert fast.training.steps == slow.training.steps
    assert fast.expected.seconds - 8 == pytest.approx(0.625 * (slow.expected.seconds - 8), rel=0.01)


def test_stages_on_small_photos_are_left_out_unless_asked_for():
    names = ["a", "b"]
    facts = make_facts(names, hw=(150, 150))
    usual = plan_of(names, facts).augment.stages
    assert [stage.zoom for stage in usual] == [0.75, 1.0]
    assert sum(stage.share for stage in usual) == pytest.approx(1)
    assert [stage.zoom for stage in plan_of(names, make_facts(names, hw=(64, 64))).augment.stages] == [1.0]
    asked = plan_of(
        names,
        facts,
        ask("augment.stages=[{share=0.5,zoom=0.25,batch_factor=1.0},{share=0.5,zoom=1.0,batch_factor=1.0}]"),
    )
    assert [stage.zoom for stage in asked.augment.stages] == [0.25, 1.0]
    assert asked.why["augment.stages"] == "asked for"


def test_epochs_settle_the_steps_and_no_clock():
    plan = plan_of(epochs=3)
    assert plan.training.minutes == 0
    # the stages take 8, 6 and 4 crops in 1/4, 1/4 and 1/2 of the steps: 5.5 a step
    assert plan.training.batch == 4
    assert plan.training.steps == math.ceil(3 * 367 / 5.5)
    assert plan.expected.epochs == pytest.approx(3, abs=0.1)
    assert plan.expected.seconds > 0


def test_steps_may_be_asked_for():
    plan = plan_of(recipe=ask("training.steps=17"), minutes=None)
    assert plan.training.steps == 17
    assert plan.why["training.steps"] == "asked for in the recipe"


def test_without_a_limit_fifteen_minutes_are_usual():
    plan = plan_of(minutes=None)
    assert plan.training.minutes == 15
    assert "nothing was asked" in plan.why["training.minutes"]


def test_the_limit_of_the_caller_wins_over_the_recipe():
    assert plan_of(recipe=ask("training.epochs=3"), minutes=2).training.minutes == 2


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"minutes": 0}, "--minutes: minutes must be above 0; got 0"),
        ({"minutes": -1.5}, "got -1.5"),
        ({"epochs": -3}, "--epochs: epochs must be above 0; got -3"),
        ({"minutes": float("nan")}, "got nan"),
        ({"minutes": float("inf")}, "got inf"),
        ({"minutes": 5, "epochs": 5}, "minutes and epochs were both asked for"),
    ],
)
def test_an_impossible_limit_is_refused(limit, says):
    with pytest.raises(RecipeError) as caught:
        plan_of(**limit)
    assert says in str(caught.value)


def test_a_recipe_with_two_limits_is_refused():
    with pytest.raises(RecipeError, match="minutes and steps"):
        plan_of(recipe=ask("training.steps=17", "training.minutes=3"), minutes=None)


def test_the_plan_keeps_what_was_asked_and_how_to_split_again():
    index = replace(make_index(CAMVID), rule=SplitRule(seed=7, val_share=0.3))
    plan = plan_of(recipe=ask("training.batch=4", "training.steps=9"), index=index, epochs=3, seed=7)
    asked = dict(plan.asked)
    assert (asked["training.batch"], asked["training.epochs"], asked["seed"], asked["preset"]) == (4, 3, 7, "general")
    assert "training.steps" not in asked, "the caller's limit wins"
    assert (plan.splits.split_seed, plan.splits.val_share, plan.splits.test_samples) == (7, 0.3, 0)
    assert plan.splits.held_out == "", "the data set states its splits"
    assert Plan.from_json(json.loads(json.dumps(plan.to_json())), where="test") == plan


def test_the_plan_says_where_the_classes_come_from():
    index = make_index(CAMVID)
    assert plan_of(index=index).why["classes"] == "as the data set states them"
    noted = replace(index, listing=replace(index.listing, notes=("read as voc: lists", "classes discovered: a, b")))
    assert plan_of(index=noted).why["classes"] == "read as voc: lists; classes discovered: a, b"


def test_every_setting_has_a_reason():
    plan = plan_of()
    tables = ("preprocess", "model.name", "model.weights", "augment", "loss", "optimiser", "training", "prediction")
    leaves = [key for key in flatten(plan.to_json()) if key.startswith(tables)]
    assert [key for key in leaves if key not in plan.why] == []
    assert all(plan.why.values())


def test_the_reason_names_the_layer_a_setting_comes_from():
    plan = plan_of(recipe=gather(preset="cell", overrides=["augment.blur=0.9"]))
    assert plan.why["augment.elastic"] == "preset cell"
    assert plan.why["augment.blur"] == "asked for"
    assert plan.why["optimiser.weight_decay"] == "preset general"


def test_what_no_preset_says_comes_from_no_preset():
    assert plan_of(minutes=15, seed=5).why["seed"] == "asked for"
    assert plan_of(recipe=ask("seed=5")).why["seed"] == "asked for"
    assert plan_of().why["seed"] == "usual"


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("machine", [LAPTOP, OLD_LAPTOP, WORKSTATION], ids=["laptop", "old", "gpu"])
def test_every_preset_is_planned_and_survives_the_round_trip(name, machine):
    plan = plan_of(recipe=gather(preset=name), machine=machine)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json())), where="plan.json") == plan


def test_the_same_question_gives_the_same_plan():
    assert plan_of() == plan_of()


def test_presets_for_pictures_without_up_and_down_turn_them():
    for name in ("satellite", "medical", "cell", "industrial"):
        augment = plan_of(recipe=gather(preset=name)).augment
        assert augment.flip_vertical == 0.5
        assert augment.right_angles > 0
    for name in ("general", "driving"):
        augment = plan_of(recipe=gather(preset=name)).augment
        assert augment.flip_vertical == augment.right_angles == 0
    for name in ("medical", "cell"):
        assert plan_of(recipe=gather(preset=name)).augment.elastic > 0


def test_few_grey_photos_of_two_classes_plan_sensibly():
    names = ["membrane", "inside"]
    facts = make_facts(names, hw=(512, 512), channels=1, shares=(0.22, 0.78), samples=24)
    plan = plan_of(names, facts, minutes=5)
    assert plan.preprocess.bands == ("grey",)
    assert len(plan.preprocess.mean) == 1
    assert plan.augment.saturation == plan.augment.hue == 0
    assert plan.why["augment.hue"] == "grey has no such thing"
    assert max(plan.augment.crop_hw) <= 512
    assert plan.loss.class_weights[0] > plan.loss.class_weights[1]


def test_photos_smaller_than_the_crop_are_taken_whole_and_in_larger_batches():
    names = ["a", "b"]
    plan = plan_of(names, make_facts(names, hw=(28, 30), samples=100))
    assert plan.augment.crop_hw == (32, 32)
    assert plan.training.batch == 64


def test_a_photo_of_one_pixel_can_be_planned():
    names = ["a", "b"]
    plan = plan_of(names, make_facts(names, hw=(1, 1), samples=4))
    assert plan.augment.crop_hw == (32, 32)


def test_a_long_strip_gets_a_crop_of_at_most_two_to_one():
    names = ["a", "b"]
    high, wide = plan_of(names, make_facts(names, hw=(300, 6000))).augment.crop_hw
    assert wide <= 2.1 * high


def test_sixteen_bit_satellite_bands_plan_in_raw_units():
    names = ["water", "land"]
    facts = make_facts(names, hw=(1024, 1024), channels=8, dtype="uint16")
    plan = plan_of(names, facts, recipe=gather(preset="satellite"))
    assert plan.preprocess.dtype == "uint16"
    assert len(plan.preprocess.bands) == 8
    assert plan.preprocess.mean == pytest.approx((0.4 * 65535,) * 8)
    assert plan.augment.hue == 0
    # bands may drift against each other even where they have no hue
    assert plan.augment.saturation > 0


def test_a_band_that_never_changes_is_not_divided_by_zero():
    names = ["a", "b"]
    facts = make_facts(names)
    flat = type(facts)(**{name: getattr(facts, name) for name in facts.__slots__} | {"std": (0.0, 60.0, 60.0)})
    assert plan_of(names, flat).preprocess.std[0] == pytest.approx(0.255)


def test_pixels_without_a_mean_are_refused():
    names = ["a", "b"]
    facts = make_facts(names, dtype="float32")
    broken = type(facts)(**{name: getattr(facts, name) for name in facts.__slots__} | {"mean": (float("nan"),) * 3})
    with pytest.raises(InputError, match="not numbers"):
        plan_of(names, broken)


def test_a_hundred_and_fifty_classes_keep_the_logits_of_a_tile_in_memory():
    names = [f"class{number}" for number in range(150)]
    plan = plan_of(names, make_facts(names, hw=(683, 512)))
    tall, wide = plan.prediction.tile_hw
    assert tall * wide * 150 * 4 <= 320 << 20
    assert plan.prediction.max_whole_pixels * 150 * 4 <= 320 << 20
    assert len(plan.loss.class_weights) == 150


def test_one_class_cannot_be_told_apart():
    with pytest.raises(LabelError, match="only one class"):
        plan_of(["building"], make_facts(["building"]))


def test_labels_that_are_all_ignored_are_refused():
    facts = make_facts(["a", "b"], shares=(0.0, 0.0000000001), samples=4)
    with pytest.raises(LabelError, match="is ignored"):
        plan_of(["a", "b"], facts)


def test_a_class_without_a_pixel_weighs_one():
    plan = plan_of(["a", "b", "c"], make_facts(["a", "b", "c"], shares=(0.5, 0.5, 0.0)))
    assert plan.loss.class_weights == (1.0, 1.0, 1.0)


def test_class_weights_by_hand():
    # shares 0.8 and 0.2: raw 1 / sqrt gives 1.1180 and 2.2361, their mean over the pixels is 1.3416
    facts = make_facts(["a", "b"], shares=(0.8, 0.2))
    assert plan_of(["a", "b"], facts, ask("loss.weighting=sqrt")).loss.class_weights == pytest.approx((0.8333, 1.6667))
    # 1 / ln(1.82) = 1.66990 and 1 / ln(1.22) = 5.02889, mean 2.34170
    assert plan_of(["a", "b"], facts, ask("loss.weighting=log")).loss.class_weights == pytest.approx((0.7131, 2.1475))
    # 0.8 ** -0.3 = 1.06924 and 0.2 ** -0.3 = 1.62066, mean 1.17952
    assert plan_of(["a", "b"], facts, ask("loss.weighting=mild")).loss.class_weights == pytest.approx((0.9065, 1.3740))
    # 1.25 and 5, mean 2
    assert plan_of(["a", "b"], facts, ask("loss.weighting=inverse")).loss.class_weights == (0.625, 2.5)
    assert plan_of(["a", "b"], facts, ask("loss.weighting=none")).loss.class_weights == (1.0, 1.0)


def test_a_very_rare_class_weighs_at_most_ten():
    facts = make_facts(["a", "b"], shares=(0.99999, 0.00001))
    assert plan_of(["a", "b"], facts, ask("loss.weighting=inverse")).loss.class_weights[1] == 10.0


@pytest.mark.parametrize(
    "override",
    ["loss.class_weights=[1.0,2.0]", "preprocess.mean=[1.0]", "preprocess.std=[1.0,2.0]"],
)
def test_numbers_that_do_not_match_the_data_are_refused(override):
    with pytest.raises(RecipeError, match=r"one number for each of the"):
        plan_of(recipe=ask(override))


def test_what_was_asked_is_taken():
    plan = plan_of(
        recipe=ask(
            "model.name=unet",
            "model.options.width=16",
            "augment.crop_hw=[100,200]",
            "training.batch=3",
            "training.accumulate=2",
            "training.threads=1",
            "training.workers=0",
            "training.precision=fp32",
            "training.evaluate_every=7",
            "optimiser.learning_rate=0.5",
            "optimiser.ema_decay=0.5",
            "optimiser.warmup_steps=1",
            "prediction.tile_hw=[64,64]",
            "prediction.max_whole_pixels=5",
            "seed=9",
        )
    )
    assert (plan.model.name, plan.model.options) == ("unet", {"width": 16})
    assert plan.augment.crop_hw == (100, 200)
    training = plan.training
    assert (training.batch, training.accumulate, training.threads, training.workers) == (3, 2, 1, 0)
    assert (training.precision, training.evaluate_every) == ("fp32", 7)
    assert (plan.optimiser.learning_rate, plan.optimiser.ema_decay, plan.optimiser.warmup_steps) == (0.5, 0.5, 1)
    assert (plan.prediction.tile_hw, plan.prediction.max_whole_pixels) == ((64, 64), 5)
    assert plan.seed == 9
    assert plan_of(recipe=ask("seed=9"), minutes=15, seed=4).seed == 4


def test_precision_follows_the_hardware():
    assert plan_of(machine=LAPTOP).training.precision == "bf16"
    assert plan_of(machine=OLD_LAPTOP).training.precision == "fp32"
    assert plan_of(machine=WORKSTATION).training.precision == "bf16"


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(RecipeError, match="fp16 is hundreds of times slower"):
        plan_of(recipe=ask("training.precision=fp16"))
    assert plan_of(recipe=ask("training.precision=fp16"), machine=WORKSTATION).training.precision == "fp16"


def test_more_time_and_faster_machines_get_larger_networks():
    assert plan_of().model.options == {}
    assert plan_of(minutes=90).model.options == {"width": 32}
    assert "largest that sees" in plan_of(minutes=90).why["model.name"]
    assert plan_of(machine=WORKSTATION, timer=Pace(px_a_second=1e9)).model.options == {"width": 64}
    # without a time limit, a CPU keeps to the usual network, and a GPU goes by the crops
    assert plan_of(epochs=500).model.options == {}
    assert plan_of(epochs=500, machine=WORKSTATION).model.options == {"width": 64}
    assert plan_of(epochs=5, machine=WORKSTATION).model.options == {}


def test_a_network_that_would_be_too_slow_is_not_timed():
    timer = Pace()
    plan_of(timer=timer)
    assert {tuple(asked.model.options) for asked in timer.asked} == {()}


def test_a_larger_network_that_does_not_fit_is_no_choice():
    class Cramped(Pace):
        def __call__(self, plan, *, memory_limit):
            cost = super().__call__(plan, memory_limit=memory_limit)
            return cost._replace(memory_bytes=2 * memory_limit) if plan.model.options.get("width") else cost

    for batch in ([], ["training.batch=4"]):
        plan = plan_of(machine=WORKSTATION, timer=Cramped(), epochs=1000, recipe=ask(*batch))
        assert (plan.model.name, plan.model.options) == ("mosaic", {})
        assert "training.batch" in plan.why
    only = ask("model.options.width=48", "training.batch=4")
    with pytest.raises(RecipeError, match="does not fit into the memory"):
        plan_of(machine=WORKSTATION, timer=Cramped(), epochs=1000, recipe=only)


def test_a_gpu_gets_larger_crops_and_batches():
    facts = make_facts(CAMVID, hw=(1024, 2048))
    small, large = plan_of(facts=facts), plan_of(facts=facts, machine=WORKSTATION)
    assert large.augment.crop_hw[0] * large.augment.crop_hw[1] > small.augment.crop_hw[0] * small.augment.crop_hw[1]
    assert large.training.batch > small.training.batch
    assert large.training.workers > small.training.workers


def test_the_batch_shrinks_until_it_fits_into_the_memory():
    plan = plan_of(timer=Pace(bytes_a_px=20_000), machine=OLD_LAPTOP)
    assert plan.training.batch < 8
    assert "memory" in plan.why["training.batch"]
    assert plan.expected.memory_bytes < 8 << 30


def test_a_step_that_cannot_fit_is_refused_with_a_smaller_crop():
    with pytest.raises(RecipeError, match=r"does not fit into the memory.*--set augment\.crop_hw="):
        plan_of(timer=Pace(bytes_a_px=1_000_000))


def test_a_batch_that_was_asked_for_is_not_changed_silently():
    with pytest.raises(RecipeError, match="does not fit"):
        plan_of(recipe=ask("training.batch=64"), timer=Pace(bytes_a_px=2000))


def test_little_time_makes_smaller_batches_so_that_there_are_enough_steps():
    plan = plan_of(minutes=1, timer=Pace(px_a_second=1e6))
    assert plan.training.batch == 2
    assert "more steps" in plan.why["training.batch"]


def test_a_run_of_seconds_still_has_a_step():
    plan = plan_of(minutes=0.01, timer=Pace(px_a_second=1e4))
    assert plan.training.steps >= 1
    assert plan.optimiser.ema_decay == 0
    assert plan.training.evaluate_every >= 1


def test_the_moving_average_looks_back_over_a_share_of_the_run():
    plan = plan_of(recipe=ask("training.steps=1000"), minutes=None)
    assert plan.optimiser.ema_decay == pytest.approx(1 - 1 / 30, abs=1e-6)


def test_the_learning_rate_grows_with_the_square_root_of_the_crops():
    one = plan_of(recipe=ask("training.batch=4", "model.name=unet")).optimiser.learning_rate
    four = plan_of(recipe=ask("training.batch=8", "training.accumulate=2", "model.name=unet")).optimiser.learning_rate
    assert four == pytest.approx(2 * one)


def test_muon_is_for_the_own_network_from_scratch():
    plan = plan_of()
    assert (plan.optimiser.name, plan.optimiser.muon_rate, plan.optimiser.clip_norm) == ("muon", 0.05, 0.0)
    other = plan_of(recipe=ask("model.name=unet"))
    assert (other.optimiser.name, other.optimiser.muon_rate, other.optimiser.clip_norm) == ("adamw", 0.0, 5.0)
    assert plan_of(recipe=ask("model.weights=mine.safetensors")).optimiser.name == "adamw"
    assert plan_of(recipe=ask("optimiser.name=sgd")).optimiser.learning_rate == pytest.approx(0.035, rel=0.1)


def test_pretrained_weights_bring_their_own_preprocessing_and_smaller_steps():
    recipe = ask("model.name=smp:Unet/resnet18", "model.weights=imagenet")
    scratch = ask("model.name=smp:Unet/resnet18")
    plan = plan_of(recipe=recipe)
    assert plan.preprocess.mean == (123.675, 116.28, 103.53)
    assert plan.optimiser.learning_rate < plan_of(recipe=scratch).optimiser.learning_rate


def test_without_validation_photos_a_plan_is_still_made():
    index = make_index(CAMVID, train=10, val=5).split("train")
    assert plan_of(index=index).splits.val_samples == 0


def test_a_data_set_without_a_training_split_is_refused():
    index = make_index(CAMVID, train=0, val=10)
    with pytest.raises(InputError, match="no training split"):
        plan_of(index=index)


def test_the_drafted_plan_that_is_timed_is_the_one_that_runs():
    timer = Pace()
    plan = plan_of(timer=timer)
    first, *_, last = plan.augment.stages
    for stage in (first, last):
        timed = next(asked for asked in timer.asked if asked.augment == plan.augment.within(stage))
        assert timed.training.batch == plan.batch_in(stage)
        assert timed.model == plan.model
        assert timed.classes == plan.classes
