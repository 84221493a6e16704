"""The math checkpoint's image processor: a formula at the scale of its symbols, as high and as wide as it is."""

import cv2
import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, BatchFeature
from transformers.image_processing_utils import BaseImageProcessor

from hwr_core.formula_encoder import CELL, FormulaEncoderConfig
from hwr_core.ink import Strokes, as_points, draw
from hwr_core.line_image import ink_mask, spread_contrast, to_grey

DRAWN_AT = 44.0  # pixels of a symbol's height where strokes are drawn: twice what the encoder sees
PEN = 4.0  # pixels, at that size
LARGEST = 3000  # pixels of a drawn formula's longer side


def typical_size(widths: np.ndarray, heights: np.ndarray) -> float:
    """How high the symbols of a formula are, from the extents of its strokes or of its connected pieces of ink.

    The geometric mean of the heights, without those of dots, minus signs and fraction bars. Against the digits of 1,500
    formulas of CROHME it spreads by a fifth, less than medians of heights, widths or diagonals do.
    """
    longest = np.maximum(widths, heights)
    high = heights[(heights >= 0.4 * np.median(longest)) & (heights > 0)]
    return float(np.exp(np.log(high).mean())) if len(high) else float(np.median(longest))


def symbol_size(grey: np.ndarray) -> float:
    """`typical_size` in pixels of the ink of a picture, dark on light, uint8; its height where it is blank."""
    mask = ink_mask(grey)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return float(grey.shape[0])
    return typical_size(stats[1:, cv2.CC_STAT_WIDTH].astype(float), stats[1:, cv2.CC_STAT_HEIGHT].astype(float))


def ink_size(strokes: Strokes) -> float:
    """`typical_size` of strokes, in their unit; 1 where they have no extent."""
    extents = np.array([np.ptp(stroke, axis=0) for stroke in strokes])
    return typical_size(extents[:, 0], extents[:, 1]) or 1.0


def render_formula(strokes: Strokes, symbol: float = DRAWN_AT, stroke_width: float = PEN) -> Image.Image:
    """Draws strokes, each (n, 2), black on white, so that their symbols are `symbol` pixels high, with a pen `stroke_width` pixels wide.

    The picture is at most `LARGEST` pixels on its longer side, scaled down if need be. Raises ValueError where there is no stroke.
    """
    strokes = [as_points(stroke) for stroke in strokes if len(stroke)]
    if not strokes:
        raise ValueError("There is no stroke to draw.")
    points = np.concatenate(strokes)
    low, extent = points.min(0), np.ptp(points, axis=0)
    edge = symbol * 0.2 + stroke_width
    scale = min(symbol / ink_size(strokes), (LARGEST - 2 * edge) / max(float(extent.max()), 1e-6))
    width, height = (int(np.ceil(side * scale + 2 * edge)) for side in extent)
    return Image.fromarray(draw([(stroke - low) * scale + edge for stroke in strokes], (height, width), stroke_width))


class FormulaImageProcessor(BaseImageProcessor):
    """Pictures of formulas in, `pixel_values` (batch, 1, height, width) float32 out.

    Each is scaled so that its symbols are `symbol` pixels high, whatever the height of the whole, and then, if need be,
    down to `max_pixels`. Grey levels become odd multiples of 1/255 between −1 and 1; 0 marks the padding.
    """

    model_input_names = ["pixel_values"]

    def __init__(self, symbol: float = 20.0, max_pixels: int = 160_000, **kwargs):
        super().__init__(**kwargs)
        self.symbol, self.max_pixels = symbol, max_pixels

    def formula(self, image: Image.Image | np.ndarray, zoom: float = 1.0) -> np.ndarray:
        """One formula as the encoder sees it, or `zoom` times as large: uint8, height and width multiples of its cells."""
        grey = to_grey(image)
        size = min(symbol_size(grey), grey.shape[0])
        return self.at_scale(grey, zoom * self.symbol / size)

    def at_scale(self, grey: np.ndarray, scale: float) -> np.ndarray:
        scale = min(scale, (self.max_pixels / grey.size) ** 0.5)
        width, height = (max(4, round(side * scale)) for side in grey.shape[::-1])
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        grey = spread_contrast(grey)
        return np.pad(grey, [(0, -side % CELL) for side in grey.shape], constant_values=255)

    def preprocess(self, images, return_tensors: str | None = "pt", zoom: float = 1.0, **kwargs) -> BatchFeature:
        images = images if isinstance(images, list | tuple) else [images]
        return BatchFeature({"pixel_values": stack_formulas([self.formula(image, zoom) for image in images])})


def stack_formulas(formulas: list[np.ndarray]) -> torch.Tensor:
    """uint8 pictures → (batch, 1, height, width) float32, padded with 0 on the right and at the bottom."""
    height, width = (max(formula.shape[axis] for formula in formulas) for axis in (0, 1))
    batch = np.zeros((len(formulas), 1, height, width), np.float32)
    for row, formula in zip(batch, formulas, strict=True):
        row[0, : formula.shape[0], : formula.shape[1]] = formula.astype(np.float32) * (2 / 255) - 1
    return torch.from_numpy(batch)


AutoImageProcessor.register(FormulaEncoderConfig, image_processor_classes={"pil": FormulaImageProcessor})
