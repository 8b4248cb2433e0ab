"""Facts, an index, machines and a step timer for planner tests, all without files and without torch."""

from pathlib import Path

from tessella.core.classes import ClassTable, LabelCoding
from tessella.core.image import FULL_SCALE, default_bands
from tessella.dataset.facts import Facts
from tessella.dataset.index import Index
from tessella.formats.listing import Listing, Record
from tessella.recipe.machine import Gpu, Machine
from tessella.recipe.plan import Plan
from tessella.recipe.planning.cost import StepCost

LAPTOP = Machine(cpu="laptop", cores=2, memory_bytes=16 << 30, bf16=True)
OLD_LAPTOP = Machine(cpu="old laptop", cores=4, memory_bytes=8 << 30, bf16=False)
WORKSTATION = Machine(
    cpu="workstation", cores=16, memory_bytes=64 << 30, bf16=True, gpu=Gpu("H200", memory_bytes=140 << 30, bf16=True)
)

CAMVID = ["sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"]
CAMVID_SHARES = (0.168, 0.243, 0.010, 0.319, 0.049, 0.107, 0.012, 0.014, 0.062, 0.007, 0.009)


def make_index(names: list[str], *, train: int = 367, val: int = 101) -> Index:
    """An index of photos that do not exist, with stated splits."""
    here = Path("nowhere")
    splits = ["train"] * train + ["val"] * val
    records = tuple(
        Record(f"photo{number:04}", here / f"{number}.png", here / f"{number}.mask.png", split)
        for number, split in enumerate(splits)
    )
    return Index(Listing("index-mask", here, records, LabelCoding(ClassTable.from_names(names))), records)


def make_facts(
    names: list[str],
    *,
    hw: tuple[int, int] = (360, 480),
    channels: int = 3,
    dtype: str = "uint8",
    shares: tuple[float, ...] | None = None,
    samples: int = 367,
) -> Facts:
    """Facts of a data set whose photos all have one size."""
    shares = shares or (1 / len(names),) * len(names)
    pixels = tuple(round(share * samples * hw[0] * hw[1]) for share in shares)
    full = FULL_SCALE[dtype]
    return Facts(
        samples=samples,
        measured=samples,
        broken=0,
        hw_min=hw,
        hw_median=hw,
        hw_max=hw,
        bands=default_bands(channels),
        dtype=dtype,
        classes=tuple(names),
        class_pixels=pixels,
        ignore_pixels=0,
        class_share=tuple(count / max(1, sum(pixels)) for count in pixels),
        class_photos=(samples,) * len(names),
        object_px=(30.0,) * len(names),
        mean=(0.4 * full,) * channels,
        std=(0.25 * full,) * channels,
        decoded_bytes=samples * hw[0] * hw[1] * (channels + 1),
        photo_decode_ms=2.0,
        label_decode_ms=1.0,
    )


class Pace:
    """A timer by formula: seconds and bytes per pixel of the batch."""

    def __init__(self, *, px_a_second: float = 2.5e6, bytes_a_px: int = 1000) -> None:
        self.px_a_second = px_a_second
        self.bytes_a_px = bytes_a_px
        self.asked: list[Plan] = []

    def __call__(self, plan: Plan, *, memory_limit: int) -> StepCost:
        """Cost of one step."""
        self.asked.append(plan)
        height, width = plan.augment.crop_hw
        px = plan.training.batch * height * width
        memory = px * self.bytes_a_px
        seconds = px / self.px_a_second if memory <= memory_limit else float("inf")
        return StepCost(seconds, memory, 16)
