"""Tiny sets of the LabelMe web tool's XML, written from numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.layouts import photo_of, save

Points = Sequence[tuple[float, float]]


def polygon(points: Points) -> str:
    listed = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in points)
    return f"<polygon><username>somebody</username>{listed}</polygon>"


def box(left: float, top: float, right: float, bottom: float) -> str:
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return f"<type>bounding_box</type>{polygon(corners)}"


def segm(mask: str, box: tuple[int, int, int, int], scribble: str = "") -> str:
    sides = "".join(
        f"<{name}>{side}</{name}>" for name, side in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    drawn = f"<scribbles><scribble_name>{scribble}</scribble_name></scribbles>" if scribble else ""
    return f"<segm><username>somebody</username><box>{sides}</box><mask>{mask}</mask>{drawn}</segm>"


def thing(name: str, geometry: str, *, number: int = 0, deleted: int = 0, more: str = "") -> str:
    return (
        f"<object><name>{name}</name><deleted>{deleted}</deleted><verified>0</verified>{more}<id>{number}</id>"
        f"{geometry}</object>"
    )


def xml_file(
    path: Path,
    things: Sequence[str],
    *,
    photo: str,
    hw: tuple[int, int] | None = (12, 16),
    folder: str = "",
    origin: str = "LabelMe Webtool",
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = f"<imagesize><nrows>{hw[0]}</nrows><ncols>{hw[1]}</ncols></imagesize>" if hw else ""
    path.write_text(
        f"<annotation><filename>{photo}</filename><folder>{folder}</folder><source><sourceImage></sourceImage>"
        f"<sourceAnnotation>{origin}</sourceAnnotation></source>{size}{''.join(things)}</annotation>",
        encoding="utf-8",
    )
    return path


def labelme_xml(root: Path, *, count: int = 4, folder: str = "") -> Path:
    """Photos with a polygon, a box above it and a mask of some pixels, in the folders of the web tool."""
    for seed in range(count):
        save(root / "Images" / folder / f"p{seed}.png", photo_of(seed))
        mask = np.zeros((12, 16), np.uint8)
        mask[9:, : seed + 1] = 255
        save(root / "Masks" / folder / f"p{seed}_mask_2.png", mask)
        things = [
            thing("tree", polygon([(7, 5), (16, 5), (16, 12), (7, 12)])),
            thing("road", box(2, 0, 9, 6 + seed % 4), number=1),
            thing("__ignore__", segm(f"p{seed}_mask_2.png", (0, 9, seed, 11)), number=2),
            thing("gone", polygon([(0, 0), (9, 0), (9, 9)]), number=3, deleted=1),
        ]
        path = root / "Annotations" / folder / f"p{seed}.xml"
        xml_file(path, things, photo=f"p{seed}.png", folder=folder)
    return root
