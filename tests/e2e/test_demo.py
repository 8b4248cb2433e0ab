import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

pytest.importorskip("torch")


@pytest.mark.slow
def test_the_demonstration_goes_the_whole_way(tmp_path: Path) -> None:
    from tessella.demo import run

    lines: list[str] = []
    done = run(tmp_path / "demo", minutes=0.4, say=lines.append)
    assert [line.split()[0] for line in lines] == [f"{step}/9" for step in range(1, 10)]
    assert [line.split()[1] for line in lines] == [
        *("survey", "check", "fix", "plan", "train", "evaluate", "predict", "export", "report")
    ]
    assert re.search(
        r"crops of \d+x\d+, batch \d+, (fp32|bf16).*expected: \d+ steps in 0\.\d min, \d\.\d GiB", lines[3]
    )
    assert done.missed == ()
    assert done.invented == ()
    # 24 seconds of training on whatever this machine is: far from the score of the real demonstration, far from chance
    assert done.run.reports["val"].miou > 0.3
    report = json.loads((tmp_path / "demo/run/report.json").read_text())
    assert report["miou"] == pytest.approx(done.run.reports["val"].miou)
    for number in range(3):
        with Pillow.open(tmp_path / f"demo/predicted/new_{number}.png") as mask:
            assert mask.mode == "P"
            assert mask.size == (520, 400)
            assert np.asarray(mask).max() < 5
    assert done.onnx.is_file()
    assert (tmp_path / "demo/run/report.html").stat().st_size < 5_000_000
