"""Small files that would become large or slow; `benchmarks/fuzz_readers.py` times their refusal."""

import warnings
from pathlib import Path

import pytest

from data.bombs import BOMBS
from tessella.core.errors import TessellaError


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_and_something_honest_of_its_kind_is_read(name: str, tmp_path: Path) -> None:
    arm, honest, read = BOMBS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read(honest(tmp_path))
        with pytest.raises(TessellaError) as caught:
            read(arm(tmp_path))
    assert caught.value.what
