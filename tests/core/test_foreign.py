"""A torchvision that was built for another torch is said in one message."""

import pytest

from tessella.core import foreign
from tessella.core.errors import MissingExtraError


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("operator torchvision::nms does not exist"),
        ImportError("cannot import name '_C' from partially initialized module 'torchvision'"),
    ],
)
def test_a_torchvision_of_another_torch_is_named_with_the_cure(error, monkeypatch):
    def fail(_):
        raise error

    monkeypatch.setattr(foreign, "import_module", fail)
    with pytest.raises(
        MissingExtraError, match=r"timm: torchvision was built for another version of torch.*got torch "
    ):
        foreign.import_library("timm")


def test_any_other_error_stays_what_it_is(monkeypatch):
    def fail(_):
        raise RuntimeError("something else")

    monkeypatch.setattr(foreign, "import_module", fail)
    with pytest.raises(RuntimeError, match="something else"):
        foreign.import_library("timm")
