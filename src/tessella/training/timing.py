"""Times one optimiser step of a plan and works out its peak memory, on synthetic crops, within a few seconds."""

from __future__ import annotations

import gc
import json
import math
import statistics
import time
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tessella.core.extras import require
from tessella.recipe.plan import Plan
from tessella.recipe.planning.cost import StepCost
from tessella.training import prepare_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor, nn

REPEATS: Final = 5
PATIENCE_SECONDS: Final = 3.0
"""After this long no further repeat is begun."""

THREAD_EFFICIENCY: Final = 0.85
"""CPU time over wall time and threads on a quiet machine (measured: 0.9 for two threads), a little lower to be safe."""

PROBE_PX: Final = 128
"""Side of the crops on which memory is measured before anything large is tried."""

TRANSIENT: Final = 1.25
"""Peak memory over what is saved for the backward pass: gradients on their way and work space of convolutions."""

BYTES_PER_WEIGHT: Final = 20
"""fp32: weight, gradient, two moments of Adam, moving average."""

DTYPES: Final = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def time_step(plan: Plan, *, memory_limit: int) -> StepCost:
    """Time one step of the network, crop, batch, precision, loss and optimiser of a plan.

    The same question is answered from memory for as long as the process lives.

    Args:
        plan: What would be trained; its data, steps and seed do not matter here.
        memory_limit: Bytes that the step may take; a step above it is not run.

    Returns:
        The cost; seconds are infinite where the step does not fit into the memory.

    Raises:
        RecipeError: Unknown network, loss or option.
        MissingExtraError: Torch is not installed.
    """
    require("torch", needs="training", extra="train")
    same_for_all = {"seed": 0, "why": {}, "tessella": "", "expected": plan.expected.model_copy(update={"epochs": 0.0})}
    training = plan.training.model_copy(update={"steps": 1, "minutes": 0.0, "evaluate_every": 1})
    question = plan.model_copy(update={**same_for_all, "training": training})
    return _time(json.dumps(question.to_json(), sort_keys=True), memory_limit)


@lru_cache(maxsize=256)
def _time(plan_json: str, memory_limit: int) -> StepCost:
    prepare_process()
    import torch

    plan = Plan.from_json(json.loads(plan_json), where="plan")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(plan.training.threads)
        with torch.random.fork_rng(devices=[]):
            return _measure(plan, device, memory_limit)
    finally:
        torch.set_num_threads(threads)
        gc.collect()


def _measure(plan: Plan, device: torch.device, memory_limit: int) -> StepCost:
    import torch

    from tessella.models import stride_of

    stride = stride_of(plan.model.name, plan.model.options)
    step = _Step(plan, device)
    memory = step.predict_memory()
    if memory > memory_limit:
        return StepCost(math.inf, memory, stride)
    if device.type == "cpu":
        return StepCost(_repeat(step), memory, stride)
    torch.cuda.reset_peak_memory_stats(device)
    try:
        seconds = _repeat(step)
    except torch.cuda.OutOfMemoryError:
        return StepCost(math.inf, max(memory, memory_limit + 1), stride)
    return StepCost(seconds, int(torch.cuda.max_memory_allocated(device)), stride)


def _repeat(step: _Step) -> float:
    """Return the median seconds of a step, as on a machine with nothing else to do."""
    crop_hw, batch = step.plan.augment.crop_hw, step.plan.training.batch
    pixels, ids = step.make_batch(batch, crop_hw)
    started = time.perf_counter()
    step.run(pixels, ids)  # the first step plans convolutions and fills allocators: not counted
    wall: list[float] = []
    busy: list[float] = []
    while len(wall) < REPEATS and (not wall or time.perf_counter() - started < PATIENCE_SECONDS):
        begun, cpu = time.perf_counter(), time.process_time()
        step.run(pixels, ids)
        wall.append(time.perf_counter() - begun)
        busy.append(time.process_time() - cpu)
    if step.device.type != "cpu":
        return statistics.median(wall)
    # With a busy neighbour the wall clock said 3.6 s for a step of 0.2 s. The plan is for the machine, not for the
    # moment: the CPU time that the step took, spread over its threads, does not know of neighbours.
    alone = statistics.median(busy) / (step.plan.training.threads * THREAD_EFFICIENCY)
    return min(statistics.median(wall), alone)


class _Step:
    """One optimiser step as the loop does it, on crops made of noise."""

    def __init__(self, plan: Plan, device: torch.device) -> None:
        import torch

        from tessella.losses import build_loss
        from tessella.models.network import network_of
        from tessella.training.optim import build_optimiser

        self.plan = plan
        self.device = device
        layout = torch.channels_last if plan.training.channels_last else torch.contiguous_format
        network = network_of(plan).to(device)
        self.network: nn.Module = network.to(memory_format=layout).train()
        self.layout = layout
        self.loss: Callable[[Tensor, Tensor], Tensor] = build_loss(plan.loss)
        self.optimiser = build_optimiser(self.network, plan.optimiser)

    def make_batch(self, batch: int, crop_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
        import torch

        pre = self.plan.preprocess
        noise = torch.randn(batch, len(pre.bands), *crop_hw)
        scale = torch.tensor(pre.std).view(1, -1, 1, 1)
        shift = torch.tensor(pre.mean).view(1, -1, 1, 1)
        ids = torch.randint(len(self.plan.classes), (batch, *crop_hw))
        return (noise * scale + shift).to(self.device, memory_format=self.layout), ids.to(self.device)

    def run(self, pixels: Tensor, ids: Tensor) -> None:
        import torch

        torch.autograd.backward(self.forward(pixels, ids))
        if self.plan.optimiser.clip_norm:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.optimiser.clip_norm)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def forward(self, pixels: Tensor, ids: Tensor) -> Tensor:
        import torch

        from tessella.training.loop import matched

        precision = self.plan.training.precision
        dtype: torch.dtype = getattr(torch, DTYPES[precision])
        with torch.autocast(self.device.type, dtype=dtype, enabled=precision != "fp32"):
            outputs = self.network(pixels)
        logits, *auxiliary = outputs if isinstance(outputs, tuple) else (outputs,)
        total = self.loss(*matched(logits, ids))
        if self.plan.loss.auxiliary:
            for extra in auxiliary:
                total = total + self.plan.loss.auxiliary * self.loss(*matched(extra, ids))
        return total

    def predict_memory(self) -> int:
        """Predict the peak bytes of a whole step from what a small one saves for its backward pass."""
        height, width = (min(PROBE_PX, side) for side in self.plan.augment.crop_hw)
        pixels, ids = self.make_batch(2, (height, width))
        weights = {parameter.shape for parameter in self.network.parameters()}
        with _saved_bytes(weights) as saved:
            self.forward(pixels, ids)
        crop_h, crop_w = self.plan.augment.crop_hw
        growth = self.plan.training.batch * crop_h * crop_w / (2 * height * width)
        count = sum(parameter.numel() for parameter in self.network.parameters())
        return int(sum(saved.values()) * growth * TRANSIENT) + count * BYTES_PER_WEIGHT


@contextmanager
def _saved_bytes(weights: set[torch.Size]) -> Iterator[dict[int, int]]:
    import torch

    # autocast saves low-precision copies of the weights; they do not grow with the crop and are told by their shape
    saved: dict[int, int] = {}
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        if tensor.shape not in weights:
            storage = tensor.untyped_storage()
            saved[storage.data_ptr()] = storage.nbytes()
            kept.append(tensor)  # alive until the end, so that no address is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved
