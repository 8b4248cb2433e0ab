"""Plans for tests of training: a very small U-Net, a few steps, everything that has state switched on."""

from tessella.recipe.plan import Plan
from tessella.recipe.starter import starter_plan


def small_plan(table, *, steps=6, **changes) -> Plan:
    """Return a plan of `steps` steps; `changes` are dotted keys with "__" for the dot: `training__batch=4`."""
    data = starter_plan(table, model="unet", crop_hw=(32, 32), steps=steps).to_json()
    data["model"]["options"] = {"width": 4, "depth": 2}
    data["preprocess"]["stride"] = 4
    data["training"] |= {"checkpoint_minutes": 1000.0, "evaluate_every": max(1, steps // 2)}
    for key, value in changes.items():
        room, name = key.split("__")
        data[room][name] = value
    return Plan.from_json(data, where="test")
