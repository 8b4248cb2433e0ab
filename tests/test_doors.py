import subprocess
import sys
from pathlib import Path

import pytest

import tessella
from data.faulty import house, labelme, labelme_set


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
    assert done.stdout.strip() == "['demo']"  # the one room that is public as a room


def test_the_demonstration_is_there_after_importing_tessella_alone() -> None:
    code = "import tessella; print(tessella.demo.run.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "tessella.demo.story"


def test_the_door_of_check_writes_a_repaired_copy_and_hands_its_report_over(tmp_path: Path) -> None:
    data = labelme_set(tmp_path / "data")
    labelme(data / "1.json", house("bulding"))
    assert tessella.check(data).fixed is None
    checked = tessella.check(data, fix=True, out=tmp_path / "fixed")
    assert [finding.code for finding in checked.findings if finding.severity == "error"] == ["L110"]
    assert checked.fixed is not None
    assert [change.code for change in checked.fixed.changes] == ["L110"]
    assert tessella.check(tmp_path / "fixed").ok
    with pytest.raises(tessella.TessellaError, match="exists already"):
        tessella.check(data, fix=True, out=tmp_path / "fixed")
    assert tessella.check(data, fix=True, out=tmp_path / "fixed", overwrite=True).fixed is not None
    for half in ({"fix": True}, {"out": tmp_path / "other"}):
        with pytest.raises(tessella.TessellaError, match="needs both flags"):
            tessella.check(data, **half)


def test_a_copy_in_the_data_set_is_refused_before_anything_is_checked(tmp_path: Path) -> None:
    data = labelme_set(tmp_path / "data")
    with pytest.raises(tessella.TessellaError, match="cannot lie in the data set or hold it"):
        tessella.check(data, fix=True, out=data / "fixed", progress=lambda *_: pytest.fail("something was checked"))
