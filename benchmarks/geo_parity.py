"""Pixels of polygons on the map: ours against `rasterio.features.rasterize(all_touched=False)`.

    python benchmarks/geo_parity.py [--polygons 1000] [--seed 0]

Random star-shaped polygons with a hole on a raster of 128x128, once with corners anywhere and once with all corners on
quarters of a pixel, where centres fall on edges and the two rules decide by themselves. Writes
benchmarks/results/geo_parity.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import rasterio
from rasterio.features import rasterize

from tessella.formats.raster.rasterise import polygon_mask

RESULTS = Path(__file__).parent / "results" / "geo_parity.json"
HW = (128, 128)


def ring(rng: np.random.Generator, centre: np.ndarray, radius: float, count: int) -> np.ndarray:
    """Return a star-shaped ring, (N, 2) float64."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    lengths = radius * rng.uniform(0.5, 1, count)
    return centre + lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def compare(polygons: int, seed: int, *, quarters: bool) -> dict[str, int]:
    """Count covered pixels and those on which the two disagree."""
    rng = np.random.default_rng(seed)
    covered = differing = 0
    for _ in range(polygons):
        centre = rng.uniform(20, 108, 2)
        rings = [
            ring(rng, centre, rng.uniform(3, 60), int(rng.integers(3, 30))),
            ring(rng, centre, rng.uniform(0.5, 10), 8),
        ]
        if quarters:
            rings = [np.round(one * 4) / 4 for one in rings]
        mine = polygon_mask(rings, HW)
        shape = {"type": "Polygon", "coordinates": [[*map(tuple, one), tuple(one[0])] for one in rings]}
        theirs = rasterize([(shape, 1)], out_shape=HW, all_touched=False).astype(bool)
        covered += int(mine.sum())
        differing += int(np.count_nonzero(mine != theirs))
    return {"polygons": polygons, "covered_px": covered, "differing_px": differing}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polygons", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    report = {
        "rasterio": rasterio.__version__,
        "seed": asked.seed,
        "corners_anywhere": compare(asked.polygons, asked.seed, quarters=False),
        "corners_on_quarters": compare(asked.polygons, asked.seed, quarters=True),
    }
    print(json.dumps(report, indent=2))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
