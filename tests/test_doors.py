import subprocess
import sys

import pytest

import tessella


def test_every_public_name_exists_and_nothing_else_is_promised() -> None:
    for name in tessella.__all__:
        assert getattr(tessella, name) is not None
    assert dir(tessella) == sorted(tessella.__all__)
    with pytest.raises(AttributeError, match="no attribute 'tarin'"):
        tessella.tarin  # noqa: B018


IMPORTS = """
import sys, time
{work}
heavy = sorted({{"torch", "torchvision", "cv2", "scipy", "onnx", "onnxruntime", "timm"}} & set(sys.modules))
print(heavy, time.process_time())
"""


@pytest.mark.parametrize(
    "work",
    [
        "import tessella",
        "import tessella; tessella.open, tessella.check, tessella.convert, tessella.score, tessella.inspect",
        "sys.argv = ['tessella', '--help']\nfrom tessella.cli.main import main\ntry: main()\nexcept SystemExit: pass",
    ],
    ids=["import", "label doors", "--help"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(work: str) -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS.format(work=work)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith("[] ")


def test_a_public_function_stays_a_function_after_its_room_was_imported() -> None:
    code = "import tessella.cli.main, tessella, types\n"
    code += "[getattr(tessella, n) for n in tessella.__all__]\n"
    code += "print([n for n in tessella.__all__ if isinstance(getattr(tessella, n), types.ModuleType)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
