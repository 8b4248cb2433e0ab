"""Makes `demo.png` of the README from a finished demonstration: `python docs/pictures/make.py tessella-demo`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import tessella
from tessella.core.prediction import blend
from tessella.report.page.pictures import error_map

TITLES = ("photo", "true classes", "prediction", "where it is wrong")
GAP, HEAD = 6, 26


def main(demo: Path) -> None:
    """Compose the strip from the validation photo whose score is the median."""
    data = tessella.open(demo / "fixed").split("val").labelled()
    model = tessella.load(demo / "run" / "bundle")
    scored = []
    for position in range(len(data)):
        sample = data[position]
        guess = model.predict(sample.image)
        scored.append((float(np.mean(guess.labels.ids == sample.labels.ids)), position))
    sample = data[sorted(scored)[len(scored) // 2][1]]
    guess = model.predict(sample.image)
    photo = sample.image.to_rgb8()
    panels = [
        Image.fromarray(photo),
        blend(sample.image, sample.labels, opacity=0.6),
        guess.overlay(opacity=0.6),
        Image.fromarray(error_map(photo, sample.labels.ids, guess.labels.ids)),
    ]
    width, height = panels[0].size
    strip = Image.new("RGB", (4 * width + 3 * GAP, height + HEAD), "white")
    pen, font = ImageDraw.Draw(strip), ImageFont.load_default(15)
    for number, (title, panel) in enumerate(zip(TITLES, panels, strict=True)):
        left = number * (width + GAP)
        pen.text((left + 2, 3), title, fill=(60, 60, 60), font=font)
        strip.paste(panel.convert("RGB"), (left, HEAD))
    strip.quantize(255).save(Path(__file__).parent / "demo.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
