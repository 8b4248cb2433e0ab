"""Damaged data sets: every reader answers with labels or with one of our errors, and opens nothing outside the set.

`benchmarks/fuzz_readers.py` does the same ten thousand times per format, with a clock and a ceiling on memory.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.exercise import Patient, Watch
from tessella.formats import FORMATS

MUTATIONS, SEED = 25, 1


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    found = Watch(tmp_path_factory.getbasetemp().resolve())
    yield found
    found.active = False


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_damage_is_answered_with_labels_or_an_error_of_ours(name: str, tmp_path: Path, watch: Watch) -> None:
    patient = Patient(name, tmp_path.resolve(), seed=SEED)
    assert patient.read(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn of damaged files
        for number in range(MUTATIONS):
            changed = patient.damage(number)
            try:
                with watch.on() as outside:
                    patient.read(number)
            except Exception as error:
                raise AssertionError(f"mutation {number} of {name}, in {sorted(changed)}: {error!r}") from error
            assert not outside, f"mutation {number} of {name} opened {outside[0]}"
    patient.heal()
    assert patient.read(0)


def test_damage_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    one, other = Patient("labelme", tmp_path / "a", seed=SEED), Patient("labelme", tmp_path / "b", seed=SEED)
    assert [one.damage(number) for number in range(20)] == [other.damage(number) for number in range(20)]
