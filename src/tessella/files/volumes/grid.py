"""Where the voxels of a volume lie in the patient, and the one order of axes that all volumes are turned to.

A volume is turned, without resampling, so that its axes follow the patient as nearly as they can: z towards the head, y
towards the back, x towards the patient's left (LPS, the order of DICOM). An axial slice is then a picture as
radiologists look at it: the patient's front at the top, the patient's right side on the left.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tessella.core.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAME_SHARE: Final = 0.1
"""Two grids are the same when no corner lies further away than this share of a voxel's shortest side."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The voxels of a volume as stored.

    Args:
        shape: Number of voxels along the three axes as stored, the fastest first.
        affine: (4, 4) float64: homogeneous voxel indices to millimetres, x to the patient's left, y to the back, z to
            the head.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def turn(self, where: object) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return for z, y and x of the turned volume the stored axis, and 1 or -1 for the direction along it.

        Raises:
            ImageError: The axes do not span a space.
        """
        axes = self.affine[:3, :3]
        lengths = np.linalg.norm(axes, axis=0)
        if not np.isfinite(self.affine).all() or lengths.min() < 1e-9 or abs(np.linalg.det(axes / lengths)) < 1e-6:
            raise ImageError(
                "the header places the voxels in a plane or nowhere", where=where, got=self.affine[:3].tolist()
            )
        along = axes / lengths
        order = max(itertools.permutations(range(3)), key=lambda order: sum(abs(along[range(3), order])))
        signs = [1 if along[row, at] > 0 else -1 for row, at in enumerate(order)]
        return (order[2], order[1], order[0]), (signs[2], signs[1], signs[0])

    def turned(self, where: object) -> tuple[tuple[int, int, int], NDArray[np.float64]]:
        """Return slices, height and width of the turned volume, and (4, 4) from its x, y, z indices to millimetres."""
        axes, signs = self.turn(where)
        index = np.zeros((4, 4))
        index[3, 3] = 1
        for new, (stored, sign) in enumerate(zip(reversed(axes), reversed(signs), strict=True)):
            index[stored, new] = sign
            index[stored, 3] = 0 if sign > 0 else self.shape[stored] - 1
        return (self.shape[axes[0]], self.shape[axes[1]], self.shape[axes[2]]), self.affine @ index

    def turn_voxels(self, voxels: NDArray[Any], where: object) -> NDArray[Any]:
        """Turn (X, Y, Z, C) voxels as stored to (Z, Y, X, C); a view."""
        axes, signs = self.turn(where)
        turned = np.transpose(voxels, (*axes, 3))
        return turned[:: signs[0], :: signs[1], :: signs[2]]

    def differs(self, other: Grid, where: object) -> str:
        """Return what tells two grids apart after turning, with the figures; "" when they are the same."""
        mine, my_affine = self.turned(where)
        theirs, their_affine = other.turned(where)
        if mine != theirs:
            return f"{_size(mine)} voxels against {_size(theirs)}"
        corners = np.array([[*at, 1] for at in itertools.product(*((0, size - 1) for size in reversed(mine)))]).T
        apart = np.linalg.norm(((my_affine - their_affine) @ corners)[:3], axis=0).max()
        sides = np.linalg.norm(my_affine[:3, :3], axis=0)
        if apart <= _SAME_SHARE * sides.min():
            return ""
        return (
            f"voxels of {_sides(my_affine)} mm from {_origin(my_affine)} against {_sides(their_affine)} mm from "
            f"{_origin(their_affine)}: a corner lies {apart:.1f} mm apart"
        )


def _size(zyx: tuple[int, int, int]) -> str:
    return f"{zyx[2]}x{zyx[1]}x{zyx[0]}"


def _sides(affine: NDArray[np.float64]) -> str:
    return "x".join(f"{side:.3g}" for side in np.linalg.norm(affine[:3, :3], axis=0))


def _origin(affine: NDArray[np.float64]) -> str:
    return "({:.1f}, {:.1f}, {:.1f})".format(*affine[:3, 3])
