"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The first example pays for imports and a busy neighbour for anything; a deadline per example would measure those.
settings.register_profile("tessella", deadline=None)
settings.load_profile("tessella")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real annotation sets, kept beside the checkout on the developers' machines and in CI; users do not have them."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, real annotation sets that are not part of the project")
    return folder
