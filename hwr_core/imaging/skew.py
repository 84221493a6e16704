"""The angle at which a page's lines lie, and turning a page by it."""

import cv2
import numpy as np

from hwr_core.imaging.ink_mask import ink_mask
from hwr_core.imaging.resize import shrunk

# A skew is believed where its direction is this much sharper than most directions, and than none. On pages the peak is
# five times the median and more, on single words two and a half at most.
SKEW_PEAK, SKEW_GAIN = 4.0, 1.2


def skew_angle(grey: np.ndarray, limit: float = 12.0) -> float:
    """Degrees by which to turn the page counter-clockwise for level lines: where the rows' ink changes the most sharply.

    0 where that is no clear peak: of one word, the sharpest direction says more about its letters than about the page.
    """
    ink = ink_mask(shrunk(grey, 700)).astype(np.uint8) * 255
    if not ink.any():
        return 0.0

    def sharpness(angle: float) -> float:
        profile = rotate(ink, angle, paper=0)[0].sum(1, dtype=np.float64)
        return float(np.sum(np.diff(profile) ** 2))

    coarse = {angle: sharpness(angle) for angle in np.arange(-limit, limit + 0.1, 1.0)}
    middle = max(coarse, key=coarse.get)
    best = max(np.arange(middle - 0.8, middle + 0.9, 0.2), key=sharpness)
    peak = sharpness(best)
    clear = peak > SKEW_PEAK * np.median(list(coarse.values())) and peak > SKEW_GAIN * sharpness(0.0)
    return float(best) if clear else 0.0


def rotate(grey: np.ndarray, angle: float, paper: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Turned by `angle` degrees counter-clockwise on a canvas that holds all of it; with the 3×3 matrix back."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(height * sine + width * cosine), int(height * cosine + width * sine))
    matrix[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
    fill = int(np.median(grey)) if paper is None else paper
    turned = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_LINEAR, borderValue=fill)
    return turned, np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
