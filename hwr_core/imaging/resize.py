"""Pictures at another size."""

import cv2
import numpy as np

MIN_WIDTH = 8  # pixels of a scaled line


def shrunk(picture: np.ndarray, longest_side: int) -> np.ndarray:
    """Shrinks a picture, in its aspect ratio. A smaller picture is returned as it is.

    Args:
        picture: (height, width[, channels]) uint8.
        longest_side: pixels of the longer side, at most. The shorter side keeps at least one pixel.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, longest_side / max(height, width))
    if scale == 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def scale_to_height(grey: np.ndarray, height: int, max_width: int) -> np.ndarray:
    """Scales a line to a height, in its aspect ratio unless it would be wider than `max_width`.

    Args:
        grey: the line, (height, width) uint8.
        height: pixels of the result's height.
        max_width: pixels of the result's width, at most. Longer lines are narrowed.
    """
    width = int(np.clip(round(grey.shape[1] * height / grey.shape[0]), MIN_WIDTH, max_width))
    shrink = grey.shape[0] > height
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
