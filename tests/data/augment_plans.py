"""Augmentation plans for tests: everything off, but for what a test names."""

from tessella.recipe.plan import WHOLE_RUN, AugmentPlan


def plan(**settings) -> AugmentPlan:
    quiet = dict.fromkeys(AugmentPlan.model_fields, 0.0) | {
        "crop_hw": (32, 32),
        "scale": (1.0, 1.0),
        "stages": (WHOLE_RUN,),
    }
    return AugmentPlan(**(quiet | settings))
