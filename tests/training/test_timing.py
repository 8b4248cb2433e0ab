"""One timed step: real costs, a memory limit that is kept, and no trace left in the process."""

import time

import pytest

from tessella.core.classes import ClassTable
from tessella.core.errors import RecipeError
from tessella.recipe.plan import ModelPlan, Plan
from tessella.recipe.starter import starter_plan
from tessella.training.timing import time_step

GIB = 1 << 30


def unet(*, batch: int = 2, crop: int = 32, width: int = 4, depth: int = 2, precision: str = "fp32") -> Plan:
    start = starter_plan(ClassTable.from_names(["a", "b", "c"]), crop_hw=(crop, crop))
    return start.model_copy(
        update={
            "model": ModelPlan(name="unet", options={"width": width, "depth": depth}, weights=""),
            "training": start.training.model_copy(update={"batch": batch, "precision": precision}),
        }
    )


def test_a_step_takes_time_and_memory_and_says_its_stride():
    cost = time_step(unet(), memory_limit=4 * GIB)
    assert 0 < cost.seconds < 10
    assert cost.memory_bytes > 0
    assert cost.stride == 4


def test_memory_grows_with_the_crops():
    small = time_step(unet(batch=2, crop=32), memory_limit=4 * GIB)
    large = time_step(unet(batch=4, crop=64), memory_limit=4 * GIB)
    weights = time_step(unet(batch=2, crop=32, width=8), memory_limit=4 * GIB)
    assert large.memory_bytes > 2 * small.memory_bytes
    assert weights.memory_bytes > small.memory_bytes


def test_a_step_above_the_memory_limit_is_not_run():
    begun = time.perf_counter()
    # 64 crops of 4096 x 4096 through a full-resolution network: hundreds of gigabytes if it were run
    cost = time_step(unet(batch=64, crop=4096, width=16), memory_limit=1 * GIB)
    assert cost.seconds == float("inf")
    assert cost.memory_bytes > 100 * GIB
    assert time.perf_counter() - begun < 20


def test_the_predicted_memory_is_what_autograd_keeps():
    import torch

    from tessella.training.timing import TRANSIENT, _saved_bytes

    layer = torch.nn.Conv2d(1, 4, 3, padding=1)
    x = torch.zeros(2, 1, 16, 16, requires_grad=True)
    with _saved_bytes({weight.shape for weight in layer.parameters()}) as saved:
        layer(x).relu().sum()
    # a convolution keeps its input (2 x 1 x 16 x 16), relu its output (2 x 4 x 16 x 16), fp32; weights are not counted
    assert sum(saved.values()) == 4 * (2 * 16 * 16 + 2 * 4 * 16 * 16)
    assert TRANSIENT >= 1


def test_the_same_question_is_answered_from_memory():
    plan = unet(crop=48)
    first = time_step(plan, memory_limit=4 * GIB)
    changed = plan.training.model_copy(update={"steps": 77, "minutes": 3.0})
    assert time_step(plan.model_copy(update={"training": changed, "seed": 5}), memory_limit=4 * GIB) is first


def test_threads_and_random_numbers_of_the_process_are_left_alone():
    import torch

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    before = torch.get_num_threads()
    time_step(unet(crop=40), memory_limit=4 * GIB)
    assert torch.rand(1) == expected
    assert torch.get_num_threads() == before


def test_bf16_can_be_timed():
    assert time_step(unet(precision="bf16"), memory_limit=4 * GIB).seconds > 0


def test_an_unknown_network_is_named():
    plan = unet().model_copy(update={"model": ModelPlan(name="unett", options={}, weights="")})
    with pytest.raises(RecipeError, match="did you mean 'unet'"):
        time_step(plan, memory_limit=GIB)
