"""The machine look: files of Linux read right, limits of containers kept, no torch without a GPU driver."""

import subprocess
import sys
from pathlib import Path

import pytest

from tessella.recipe import machine as room
from tessella.recipe.machine import BF16_FLAGS, look


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_this_machine_has_cores_and_memory():
    machine = look()
    assert machine.cores >= 1
    assert machine.memory_bytes > 100 << 20
    assert machine.to_json()["cores"] == machine.cores


def test_bf16_is_read_off_the_flags_of_the_cpu(tmp_path: Path):
    text = "processor\t: 0\nmodel name\t: AMD EPYC 9354\nflags\t\t: fpu sse avx512_bf16 fsrm\n\nprocessor\t: 1\n"
    model, flags = room._read_cpuinfo(write(tmp_path / "cpuinfo", text))
    assert model == "AMD EPYC 9354"
    assert flags & BF16_FLAGS == {"avx512_bf16"}


@pytest.mark.parametrize(("flag", "found"), [("amx_bf16", True), ("avx512f", False), ("not_avx512_bf16", False)])
def test_only_the_exact_flags_count(tmp_path: Path, flag, found):
    _, flags = room._read_cpuinfo(write(tmp_path / "cpuinfo", f"flags : fpu {flag}\n"))
    assert bool(flags & BF16_FLAGS) is found


def test_a_system_without_cpuinfo_has_no_bf16(tmp_path: Path):
    assert room._read_cpuinfo(tmp_path / "absent") == ("unknown", frozenset())


def test_a_container_limits_cores_and_memory(tmp_path: Path):
    write(tmp_path / "cpu.max", "100000 100000\n")
    write(tmp_path / "memory.max", "1073741824\n")
    assert room._count_cores(tmp_path) == 1
    assert room._measure_memory(tmp_path) == 1 << 30


def test_a_container_without_limits_changes_nothing(tmp_path: Path):
    write(tmp_path / "cpu.max", "max 100000\n")
    write(tmp_path / "memory.max", "max\n")
    assert room._count_cores(tmp_path) == room._count_cores(tmp_path / "absent")
    assert room._measure_memory(tmp_path) == room._measure_memory(tmp_path / "absent")


def test_recipes_and_plans_need_no_torch():
    code = (
        "import sys, tessella.recipe.planner, tessella.recipe.recipe, tessella.cli.commands.plan;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'cv2', 'accelerate')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_torch_is_asked_for_a_gpu_where_a_driver_has_no_device_file(monkeypatch: pytest.MonkeyPatch):
    import torch

    class Facts:
        name, total_memory, major, minor = "RTX 4070", 12 << 30, 8, 9

    monkeypatch.setattr(room, "_DRIVERS", ())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Facts)
    assert room._find_gpu() is None, "Linux has one for every driver"
    monkeypatch.setattr(room.platform, "system", lambda: "Windows")
    assert room._find_gpu() == room.Gpu("RTX 4070", memory_bytes=12 << 30, bf16=True)
