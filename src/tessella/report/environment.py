"""Where a result comes from: versions, hardware, command and time, read without importing anything heavy."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from tessella._version import __version__

_PACKAGES: Final = (
    "numpy",
    "pillow",
    "opencv-python-headless",
    "torch",
    "timm",
    "segmentation-models-pytorch",
    "accelerate",
    "onnxruntime",
)


def environment(**more: str | float) -> dict[str, str | int | float]:
    """Describe this process.

    Args:
        more: What the caller knows besides, such as `seed` or `bundle_sha256`; put last.

    Returns:
        Versions, machine, command and the time in UTC, ready for JSON.
    """
    found: dict[str, str | int | float] = {
        "command": _command(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "tessella": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
    }
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found | more


def _command() -> str:
    import shlex

    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
