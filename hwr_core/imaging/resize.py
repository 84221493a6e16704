"""Grey pictures at another size."""

import cv2
import numpy as np


def shrunk(picture: np.ndarray, longest_side: int) -> np.ndarray:
    """Scaled down so that neither side is longer than `longest_side` pixels, nor shorter than one."""
    height, width = picture.shape[:2]
    scale = min(1.0, longest_side / max(height, width))
    if scale == 1:
        return picture
    return cv2.resize(
        picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )


def scale_to_height(grey: np.ndarray, height: int, max_width: int) -> np.ndarray:
    """Resized to `height` pixels; the aspect ratio is kept up to `max_width` pixels."""
    width = int(np.clip(round(grey.shape[1] * height / grey.shape[0]), 8, max_width))
    shrink = grey.shape[0] > height
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
