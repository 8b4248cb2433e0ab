from pathlib import Path

import numpy as np
import pytest

from tessella.core.classes import IGNORE
from tessella.dataset.index import open_dataset
from tessella.demo.paint import paint
from tessella.demo.scene import CLASSES, CLOUD, compose
from tessella.demo.survey import write_survey
from tessella.files.hashes import sha256_file


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple]:
    folder = tmp_path_factory.mktemp("survey")
    return folder, write_survey(folder, scenes=30, seed=5)


def test_the_same_seed_draws_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        write_survey(tmp_path / name, scenes=3, seed=seed)
    hashes = {name: [sha256_file(path) for path in sorted((tmp_path / name).iterdir())] for name in "abc"}
    assert hashes["a"] == hashes["b"]
    assert not set(hashes["a"]) & set(hashes["c"][1:])


def test_a_photo_shows_what_its_outlines_say() -> None:
    # water is painted in dark blues and greens: its pixels are bluer than the fields around them
    scene = next(scene for scene in map(compose, range(20)) if any(region.label == "water" for region in scene.regions))
    photo = paint(scene).astype(int)
    assert photo.shape == (*scene.hw, 3)
    water = next(region for region in scene.regions if region.label == "water")
    x, y = np.clip(water.outline_xy.mean(axis=0), 0, (scene.hw[1] - 1, scene.hw[0] - 1)).astype(int)
    patch = photo[max(0, y - 3) : y + 4, max(0, x - 3) : x + 4].reshape(-1, 3).mean(axis=0)
    assert patch[2] > patch[0]


def test_every_class_and_the_ignored_cloud_occur_in_every_survey_of_the_demonstration() -> None:
    labels = {region.label for seed in range(72) for region in compose(seed).regions}
    assert labels == {*CLASSES, CLOUD}


def test_no_pixel_is_left_without_a_class(survey: tuple[Path, tuple]) -> None:
    folder, _ = survey
    index = open_dataset(folder)
    assert index.table.names == tuple(CLASSES)
    assert index.table.colours == tuple(CLASSES.values())
    position = next(place for place, record in enumerate(index.records) if record.name.endswith("scene_001"))
    sample = index[position]
    assert sample.labels is not None
    assert set(np.unique(sample.labels.ids)) <= {*range(len(CLASSES)), IGNORE}
    assert np.count_nonzero(sample.labels.ids == IGNORE) < 0.3 * sample.labels.ids.size


def test_every_planted_fault_is_found_and_none_is_invented(survey: tuple[Path, tuple]) -> None:
    import tessella

    folder, planted = survey
    assert len({fault.code for fault in planted}) == len(planted) == 9
    checked = tessella.check(folder)
    for fault in planted:
        assert any(found.code == fault.code and fault.where in found.where for found in checked.findings), fault
    spoilt = {fault.where for fault in planted}
    invented = [
        found
        for found in checked.findings
        if found.severity == "error" and not any(name in found.where for name in spoilt)
    ]
    assert invented == []
