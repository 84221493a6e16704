"""Where the ink is: masks, boxes and stroke widths of dark writing on light paper."""

from collections.abc import Sequence
from math import ceil

import cv2
import numpy as np

from hwr_core.imaging.resize import shrunk

BLANK_CONTRAST = 20  # grey levels between paper and the darkest ink under which there is nothing to read


def percentiles(grey: np.ndarray, shares: Sequence[float]) -> list[float]:
    """As `np.percentile` of uint8, in a tenth of the time: from the counts of the 256 greys."""
    reached = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.int64).cumsum()
    places = np.asarray(shares) / 100 * (reached[-1] - 1)
    whole = np.floor(places + 1e-6)
    lower, upper = (np.searchsorted(reached, np.minimum(rank, reached[-1] - 1), "right") for rank in (whole, whole + 1))
    return (lower + np.maximum(places - whole, 0) * (upper - lower)).tolist()


def is_light_on_dark(grey: np.ndarray) -> bool:
    """Whether the ground, which is most of any handwriting, lies nearer to the dark end of the picture's greys."""
    low, ground, high = percentiles(grey, (0.5, 50, 99.5))
    return ground - low < high - ground and ground < 140 and high - low >= BLANK_CONTRAST


def ink_mask(grey: np.ndarray) -> np.ndarray:
    """Where there is ink, (height, width) bool, specks left out; all false on a blank picture. Expects dark on light."""
    height, width = grey.shape
    mask = np.zeros((height, width), bool)
    if min(height, width) < 3:
        return mask
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    # The 32nd darkest pixel, not a percentile: one small word on a wide sheet is under a thousandth of it.
    darkest, paper = percentiles(smooth, (100 * min(32, smooth.size // 50) / (smooth.size - 1), 50))
    if paper - darkest < BLANK_CONTRAST:
        return mask
    dark = (smooth < paper - 0.35 * (paper - darkest)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    if count < 2:
        return mask
    area = stats[:, cv2.CC_STAT_AREA]
    extent = np.maximum(stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH])
    writing = extent[1:].max()
    keep = (area >= 6) & (extent >= 0.04 * min(writing, height))
    keep[0] = False
    return keep[labels]


INK_SIDE = 1600  # pixels of the longest side at which the ink of a page is looked for


STROKE_BAND = 512  # rows of a page that are measured at once


def ink_box(grey: np.ndarray) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the ink, to a few pixels, or None on a blank page."""
    height, width = grey.shape
    grey = shrunk(grey, INK_SIDE)
    mask = ink_mask(grey)
    if not mask.any():
        return None
    # A table's rim or a fold at the edge is the largest dark thing on a page, beside which its letters would be taken for specks.
    mask |= ink_mask(_without_rim(grey))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    across, down = width / grey.shape[1], height / grey.shape[0]
    return int(columns[0] * across), int(rows[0] * down), ceil((columns[-1] + 1) * across), ceil((rows[-1] + 1) * down)


def _without_rim(grey: np.ndarray) -> np.ndarray:
    """Paper in place of what is dark along the page's edges."""
    paper = int(np.median(grey))
    dark = cv2.copyMakeBorder(
        (grey < paper - BLANK_CONTRAST).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1
    )
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    return np.where(labels[1:-1, 1:-1] == labels[0, 0], paper, grey).astype(np.uint8)


def stroke_width(grey: np.ndarray) -> float:
    """The usual width of the pen in pixels: twice the median distance from the strokes' middles to their edges; 0 if blank."""
    found = []
    for top in range(0, grey.shape[0], STROKE_BAND):  # the distances of a whole page take 40 MB
        mask = ink_mask(grey[top : top + STROKE_BAND])
        distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        # The middle of a stroke is nowhere nearer to an edge than what is beside it.
        found.append(distance[mask & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 0.01)])
    middles = np.concatenate(found)
    return float(2 * np.median(middles) - 1) if len(middles) else 0.0
