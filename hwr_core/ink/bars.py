"""What may be the bar of a fraction: a flat stroke as wide as a symbol. Both limits were chosen on notes that a script drew."""

import cv2
import numpy as np

from hwr_core.imaging.ink_mask import ink_mask, pieces
from hwr_core.ink.formula import ink_size, symbol_size
from hwr_core.ink.strokes import Strokes

WIDTH = 0.8  # of a symbol's height: the bar is at least as wide
FLAT = 5.0  # times as wide as high


def is_bar(width: float, height: float, size: float) -> bool:
    """Whether a stroke may be a bar, by its extent and by the height of a symbol, all in one unit."""
    return width >= max(WIDTH * size, FLAT * height)


def strokes_have_bar(strokes: Strokes, size: float | None = None) -> bool:
    """Whether one of these strokes may be a bar. `size` is the height of a symbol; None: as high as these are."""
    size = ink_size(strokes) if size is None else size
    extents = np.array([np.ptp(stroke, axis=0) for stroke in strokes])
    return any(is_bar(width, height, size) for width, height in extents)


def picture_has_bar(grey: np.ndarray, size: float | None = None) -> bool:
    """Whether a piece of ink of a picture, dark on light, may be a bar. `size` in pixels, as for strokes."""
    size = symbol_size(grey) if size is None else size
    _, stats = pieces(ink_mask(grey).view(np.uint8))
    return any(is_bar(piece[cv2.CC_STAT_WIDTH], piece[cv2.CC_STAT_HEIGHT], size) for piece in stats[1:])
