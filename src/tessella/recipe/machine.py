"""The machine: cores, memory, GPU and bf16, looked at without importing torch unless there may be a GPU."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tessella.core.cores import cores

BF16_FLAGS: Final = frozenset({"avx512_bf16", "amx_bf16"})
"""CPU flags with which oneDNN computes bf16 faster than fp32; without them it is emulated and slower."""

_DRIVERS: Final = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""Device files of NVIDIA, of a GPU under Windows' Linux, and of AMD; Windows itself has no such files."""

_UNKNOWN_MEMORY: Final = 4 << 30


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that torch can use.

    Args:
        name: As the driver calls it.
        memory_bytes: Its whole memory.
        bf16: Whether it computes bf16 (compute capability 8.0 or newer).
    """

    name: str
    memory_bytes: int
    bf16: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """What a run may use.

    Args:
        cpu: Model name, or "unknown".
        cores: CPU cores that this process may use.
        memory_bytes: Main memory that this process may use.
        bf16: Whether the CPU computes bf16.
        gpu: The first GPU, or None.
    """

    cpu: str
    cores: int
    memory_bytes: int
    bf16: bool
    gpu: Gpu | None = None

    @property
    def device(self) -> str:
        """`cuda` or `cpu`."""
        return "cpu" if self.gpu is None else "cuda"

    def to_json(self) -> dict[str, object]:
        """Return plain JSON data."""
        return asdict(self)


def look() -> Machine:
    """Look at this machine: cores and memory as limited by affinity and container, CPU flags, GPU."""
    model, flags = _read_cpuinfo(Path("/proc/cpuinfo"))
    return Machine(
        cpu=model,
        cores=_count_cores(Path("/sys/fs/cgroup")),
        memory_bytes=_measure_memory(Path("/sys/fs/cgroup")),
        bf16=bool(flags & BF16_FLAGS),
        gpu=_find_gpu(),
    )


def _read_cpuinfo(path: Path) -> tuple[str, frozenset[str]]:
    # other systems than Linux have no such file: bf16 counts as absent there, which costs speed but nothing else
    fields: dict[str, str] = {}
    for line in _text_of(path).splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    flags = fields.get("flags") or fields.get("Features") or ""
    return fields.get("model name", "unknown"), frozenset(flags.split())


def _count_cores(cgroup: Path) -> int:
    found = cores()
    quota, _, period = _text_of(cgroup / "cpu.max").strip().partition(" ")
    if quota.isdigit() and period.isdigit() and int(period):
        found = min(found, max(1, int(quota) // int(period)))
    return found


def _measure_memory(cgroup: Path) -> int:
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = _UNKNOWN_MEMORY
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _text_of(cgroup / name).strip()
        if limit.isdigit() and int(limit):
            memory = min(memory, int(limit))
    return memory


def _find_gpu() -> Gpu | None:
    # importing torch costs seconds, so it is asked only where a driver may be present
    if not _may_have_driver() or find_spec("torch") is None:
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    facts = torch.cuda.get_device_properties(0)
    return Gpu(name=str(facts.name), memory_bytes=int(facts.total_memory), bf16=(facts.major, facts.minor) >= (8, 0))


def _may_have_driver() -> bool:
    return platform.system() == "Windows" or any(Path(driver).exists() for driver in _DRIVERS)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
