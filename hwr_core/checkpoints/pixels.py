"""Scales images for the shipped checkpoints' encoders: lines to one height, formulas by the size of their symbols.

Grey levels 0..255 become odd multiples of 1/255 between −1 and 1. No pixel is 0: that value marks the padding on the
right and at the bottom of the smaller images in a batch.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.conversion import to_grey
from hwr_core.imaging.line_image import spread_contrast
from hwr_core.imaging.resize import scale_to_height
from hwr_core.ink.formula import symbol_size

WIDTH_STRIDE = 4  # pixels of a line per column of features
CELL = 8  # pixels of a formula per cell of features, both ways


class LinePixels:
    """Scales text lines.

    Attributes:
        height: Height of every line in pixels.
        max_width: Width in pixels to which longer lines are squeezed. It bounds the memory that a line can take.
    """

    def __init__(self, height: int = 48, max_width: int = 3072):
        self.height, self.max_width = height, max_width

    def line(self, image: Image.Image | np.ndarray) -> np.ndarray:
        """Returns one scaled line: uint8, its width a multiple of `WIDTH_STRIDE`."""
        grey = spread_contrast(scale_to_height(to_grey(image), self.height, self.max_width))
        return np.pad(grey, ((0, 0), (0, -grey.shape[1] % WIDTH_STRIDE)), constant_values=255)

    def pixel_values(self, images: Sequence[Image.Image | np.ndarray]) -> np.ndarray:
        """Returns the encoder's input, (batch, 1, height, width) float32."""
        return stacked([self.line(image) for image in images])


class FormulaPixels:
    """Scales formulas.

    Attributes:
        symbol: Height in pixels that the symbols of every formula get.
        max_pixels: Size in pixels to which larger formulas are then reduced.
    """

    def __init__(self, symbol: float = 20.0, max_pixels: int = 160_000):
        self.symbol, self.max_pixels = symbol, max_pixels

    def formula(self, image: Image.Image | np.ndarray, zoom: float = 1.0) -> np.ndarray:
        """Returns one formula, `zoom` times as large as usual: uint8, height and width multiples of `CELL`."""
        grey = to_grey(image)
        size = min(symbol_size(grey), grey.shape[0])
        return self.at_scale(grey, zoom * self.symbol / size)

    def at_scale(self, grey: np.ndarray, scale: float) -> np.ndarray:
        """Returns a grey image scaled by `scale`, or by less if it would exceed `max_pixels`."""
        scale = min(scale, (self.max_pixels / grey.size) ** 0.5)
        width, height = (max(4, min(round(side * scale), self.max_pixels // 4)) for side in grey.shape[::-1])
        width, height = min(width, self.max_pixels // height), min(height, self.max_pixels // width)
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        grey = spread_contrast(grey)
        return np.pad(grey, [(0, -side % CELL) for side in grey.shape], constant_values=255)

    def pixel_values(self, images: Sequence[Image.Image | np.ndarray], zoom: float = 1.0) -> np.ndarray:
        """Returns the encoder's input, (batch, 1, height, width) float32."""
        return stacked([self.formula(image, zoom) for image in images])


def stacked(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Joins uint8 images into (batch, 1, height, width) float32, padded with 0 on the right and at the bottom."""
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    batch = np.zeros((len(pictures), 1, height, width), np.float32)
    for row, picture in zip(batch, pictures, strict=True):
        row[0, : picture.shape[0], : picture.shape[1]] = picture.astype(np.float32) * (2 / 255) - 1
    return batch
