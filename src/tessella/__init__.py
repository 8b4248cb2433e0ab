"""Tessella: semantic segmentation that cannot fail silently.

    import tessella as ts

    data = ts.open("photos/")
    print(ts.check(data))
    run = ts.train(data, minutes=15, out="run")
    model = ts.load("run/bundle")
    prediction = model.predict("photos/new.jpg")
    prediction.overlay().save("new-overlay.png")

Every name is imported when it is first used, so that `import tessella` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from tessella._version import __version__

if TYPE_CHECKING:
    from tessella import demo
    from tessella._doors.labels import check, inspect, lock
    from tessella._doors.models import evaluate, plan, score
    from tessella._doors.train import Run, train
    from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding
    from tessella.core.errors import TessellaError
    from tessella.core.finding import Finding
    from tessella.core.image import Image
    from tessella.core.labelmap import LabelMap
    from tessella.core.prediction import Prediction
    from tessella.core.sample import Sample
    from tessella.dataset.convert import convert
    from tessella.dataset.index import Index
    from tessella.dataset.index import open_dataset as open  # noqa: A004 - the door's name in every language
    from tessella.exporting.door import export
    from tessella.predict.load import load

_HOMES = {
    "ClassInfo": "core.classes",
    "ClassTable": "core.classes",
    "Finding": "core.finding",
    "IGNORE": "core.classes",
    "Image": "core.image",
    "Index": "dataset.index",
    "LabelCoding": "core.classes",
    "LabelMap": "core.labelmap",
    "Prediction": "core.prediction",
    "Run": "_doors.train",
    "Sample": "core.sample",
    "TessellaError": "core.errors",
    "check": "_doors.labels",
    "convert": "dataset.convert",
    "evaluate": "_doors.models",
    "export": "exporting.door",
    "inspect": "_doors.labels",
    "load": "predict.load",
    "lock": "_doors.labels",
    "open": "dataset.index:open_dataset",
    "plan": "_doors.models",
    "score": "_doors.models",
    "train": "_doors.train",
}

__all__ = [
    "IGNORE",
    "ClassInfo",
    "ClassTable",
    "Finding",
    "Image",
    "Index",
    "LabelCoding",
    "LabelMap",
    "Prediction",
    "Run",
    "Sample",
    "TessellaError",
    "__version__",
    "check",
    "convert",
    "demo",
    "evaluate",
    "export",
    "inspect",
    "load",
    "lock",
    "open",
    "plan",
    "score",
    "train",
]


def __getattr__(name: str) -> object:
    """Import a public name from its home (PEP 562)."""
    if name == "demo":  # the one room that is public: `tessella.demo.run`
        return import_module("tessella.demo")
    if name not in _HOMES:
        raise AttributeError(f"module 'tessella' has no attribute {name!r}")
    home, _, original = _HOMES[name].partition(":")
    return getattr(import_module(f"tessella.{home}"), original or name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
