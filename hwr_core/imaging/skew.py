"""The angle at which a page's lines lie, and turning a page by it."""

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import median_grey
from hwr_core.imaging.ink_mask import ink_mask
from hwr_core.imaging.resize import shrunk

SKEW_SIDE = 700  # pixels of the page's longer side at which the skew is measured
COARSE_STEP = 1.0  # degrees between the angles that are tried first
FINE_STEP = 0.2  # degrees between the angles that are tried around the best of them
# The best angle counts only if it is clearly the best. On pages its sharpness is five times the median of all angles
# and more, on single words 2.5 times at most.
SKEW_PEAK = 4.0  # times the median sharpness of all angles
SKEW_GAIN = 1.2  # times the sharpness of the page as it lies


def skew_angle(grey: np.ndarray, limit: float = 12.0) -> float:
    """The angle that levels a page's lines: the one at which the ink per row changes the most sharply.

    Args:
        grey: dark writing on light paper, (height, width) uint8.
        limit: degrees that are tried to each side.

    Returns:
        Degrees by which to rotate the page counter-clockwise. 0 if no angle is clearly the best: the best angle of a
        single word says more about its letters than about the page.
    """
    ink = ink_mask(shrunk(grey, SKEW_SIDE)).astype(np.uint8) * 255
    if not ink.any():
        return 0.0

    def sharpness(angle: float) -> float:
        profile = rotate(ink, angle, paper=0)[0].sum(1, dtype=np.float64)
        return float(np.sum(np.diff(profile) ** 2))

    coarse = {float(angle): sharpness(angle) for angle in np.arange(-limit, limit + 0.1, COARSE_STEP)}
    middle = max(coarse, key=lambda angle: coarse[angle])
    best = max(np.arange(middle - 0.8, middle + 0.9, FINE_STEP).tolist(), key=sharpness)
    peak = sharpness(best)
    clear = peak > SKEW_PEAK * np.median(list(coarse.values())) and peak > SKEW_GAIN * sharpness(0.0)
    return best if clear else 0.0


def rotate(grey: np.ndarray, angle: float, paper: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rotates a page on a canvas that holds all of it.

    Args:
        grey: the page, (height, width) uint8.
        angle: degrees counter-clockwise.
        paper: the grey level of the canvas beside the page; the page's median if None.

    Returns:
        The rotated page, and the (3, 3) matrix that maps its pixels to `grey`'s.
    """
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(height * sine + width * cosine), int(height * cosine + width * sine))
    matrix[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
    fill = median_grey(grey) if paper is None else paper
    turned = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_LINEAR, borderValue=fill)
    return turned, np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
