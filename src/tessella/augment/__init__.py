"""Joint geometry and photometry: one draw of parameters moves pixels and labels together."""

from tessella.augment.crop import augment
from tessella.augment.sampler import Sampler

__all__ = ["Sampler", "augment"]
