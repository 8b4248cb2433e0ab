"""The predictor: a photo of any size in, a prediction of exactly that size out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from tessella.core.image import Image
from tessella.core.labelmap import LabelMap
from tessella.core.prediction import Prediction
from tessella.files.images import read_image
from tessella.predict.bands import fit_bands
from tessella.predict.decide import confidence_of, decide, probabilities
from tessella.predict.tiling import Block, blend_tiles, spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tessella.core.classes import ClassTable
    from tessella.recipe.plan import Plan


GRID: Final = 32
"""Tiles start at multiples of it: the coarsest sampling of the networks we know, so that a tile is sampled as the whole
photo is."""


class Runtime(Protocol):
    """What runs a network: torch or ONNX Runtime."""

    def logits(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """Run photos of one size.

        Args:
            pixels: (B, C, H, W) raw pixels in the dtype of the plan, any H and W.

        Returns:
            (B, K, H, W) float32 logits.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A loaded model; `tessella.load` makes it.

    Args:
        runtime: Runs the network.
        plan: Every setting of the bundle.
        path: The bundle folder or ONNX file.
        digest: SHA-256 that names the bundle.
    """

    runtime: Runtime
    plan: Plan
    path: Path
    digest: str

    @property
    def table(self) -> ClassTable:
        """The classes."""
        return self.plan.table

    def predict(
        self,
        source: str | Path | Image | NDArray[Any],
        *,
        scores: bool = False,
        confidence: bool = True,
        max_pixels: int | None = None,
    ) -> Prediction:
        """Predict one photo.

        Photos up to `plan.prediction.max_whole_pixels` go through the network in one piece, larger ones in
        overlapping tiles (see `predict.tiling`). Beside photo and result, memory holds one tile and one ramp of
        full width, whatever the height.

        Args:
            source: A path, an `Image`, or upright (H, W) or (H, W, C) pixels in RGB order and the dtype of the plan.
            scores: Also keep the probabilities of all classes: (K, H, W) float16.
            confidence: Compute the confidence; without it that field is NaN everywhere and takes no memory.
            max_pixels: Refuse a larger file before it is decoded; by default 300 megapixels, for TIFF 2 gigapixels.

        Returns:
            A prediction of exactly the photo's size.

        Raises:
            InputError: The file cannot be read.
            ImageError: The photo is damaged, too large, or has other bands or another dtype than the network.
        """
        image, where = _as_image(source, max_pixels)
        sure = np.empty(image.hw, np.float32) if confidence else None
        shares = np.empty((len(self.plan.classes), *image.hw), np.float16) if scores else None
        labels = self.fill(image, where=where, confidence=sure, scores=shares)
        if sure is None:
            sure = np.broadcast_to(np.float32(np.nan), image.hw)
        return Prediction(labels, sure, image, shares)

    def fill(
        self,
        image: Image,
        *,
        where: object,
        confidence: NDArray[np.float32] | NDArray[np.uint8] | None = None,
        scores: NDArray[np.float16] | None = None,
    ) -> LabelMap:
        """Predict one photo into arrays of the caller's, who may choose the small ones.

        Args:
            image: The photo.
            where: Its path, for messages.
            confidence: (H, W) to be filled: float32 probabilities, or uint8 where value / 255 is the probability.
            scores: (K, H, W) to be filled with the probabilities of all classes.

        Returns:
            The most probable class of every pixel.

        Raises:
            ImageError: The photo does not fit the network, or the network gives no finite answer.
        """
        ids = np.empty(image.hw, np.uint8)
        for block in self.blocks(fit_bands(image, self.plan.preprocess, where=where)):
            place = (block.rows, block.columns)
            ids[place] = decide(block.logits, where=where)
            if confidence is not None:
                sure = confidence_of(block.logits)
                confidence[place] = sure if confidence.dtype == np.float32 else np.round(sure * np.float32(255))
            if scores is not None:
                scores[:, *place] = probabilities(block.logits)
        return LabelMap(ids, self.table)

    def blocks(self, image: Image) -> Iterator[Block]:
        """Give out the logits of a photo piece by piece, each as soon as it is final.

        Args:
            image: A photo with the bands and dtype of the plan.

        Yields:
            Rectangles that cover the photo exactly once.
        """
        height, width = image.hw
        settings = self.plan.prediction
        channels_first = np.moveaxis(image.pixels, 2, 0)[None]
        if height * width <= settings.max_whole_pixels:
            yield Block(slice(0, height), slice(0, width), self.runtime.logits(channels_first)[0])
            return

        def run(rows: slice, columns: slice) -> NDArray[np.float32]:
            tile: NDArray[np.float32] = self.runtime.logits(channels_first[:, :, rows, columns])[0]
            return tile

        # a network that takes any size still samples on a coarser grid of its own
        grid = math.lcm(self.plan.preprocess.stride, GRID)
        yield from blend_tiles(
            spans(height, settings.tile_hw[0], settings.overlap, stride=grid),
            spans(width, settings.tile_hw[1], settings.overlap, stride=grid),
            run=run,
        )


def _as_image(source: str | Path | Image | NDArray[Any], max_pixels: int | None) -> tuple[Image, str]:
    if isinstance(source, Image):
        return source, "the image"
    if isinstance(source, np.ndarray):
        return Image(source[..., None] if source.ndim == 2 else source), "the array"
    return read_image(Path(source), max_pixels=max_pixels), str(source)
