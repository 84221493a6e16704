"""The light on a picture: whether its writing is lighter or darker than its ground, and evening out shadows."""

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import percentiles
from hwr_core.imaging.ink_mask import BLANK_CONTRAST
from hwr_core.imaging.resize import shrunk

DARK_GROUND = 140  # grey level: a lighter ground is paper
DARK_SIDE = 800  # pixels of the longer side at which light writing is told from dark
NEIGHBOURHOOD = 31  # pixels: a pixel's ground is the median of a square with this side, at `DARK_SIDE`
CLEARLY = (
    1.1  # times: writing is light or dark if it differs so much more from its ground to one side than to the other
)
FLATTEN_SIDE = 400  # pixels of the longer side at which the paper's brightness is estimated
DARKEST_PAPER = 40  # grey level: darker paper is taken as this dark, or noise in black regions would become ink
PAPER_WHITE = 245  # grey level of the paper after flattening
WIDEST_INK = 0.4  # of a line's height: a stroke of this width is still no shadow
EVEN = 0.7  # darker by lighter paper of a line from which its light counts as even


def is_light_on_dark(grey: np.ndarray) -> bool:
    """Whether a line's writing is lighter than its ground.

    Most of any handwriting is ground, so the median is the ground's grey. On a ground that may be a blackboard or paper in a
    shadow, the writing's difference from its own neighbourhood decides.

    Args:
        grey: (height, width) uint8.
    """
    low, ground, high = percentiles(grey, (0.5, 50, 99.5))
    if ground >= DARK_GROUND or high - low < BLANK_CONTRAST:
        return False
    lighter = _writing_is_lighter(grey)
    return ground - low < high - ground if lighter is None else lighter


def is_dark(grey: np.ndarray) -> bool:
    """Whether a page has light writing on a dark ground, in even or uneven light.

    Writing stands out from the median of its neighbourhood; shadows, and a table beside the page, do not. If nothing
    stands out, as for a word in bold letters, the greys of the whole picture decide.

    Args:
        grey: the page, (height, width) uint8.
    """
    if min(shrunk(grey, DARK_SIDE).shape) < DARK_SIDE // 5:
        return is_light_on_dark(grey)
    lighter = _writing_is_lighter(grey)
    return is_light_on_dark(grey) if lighter is None else lighter


def _writing_is_lighter(grey: np.ndarray) -> bool | None:
    """Whether what stands out from its neighbourhood is lighter than that; None if it is not clear."""
    small = shrunk(grey, DARK_SIDE)
    difference = small.astype(np.int16) - cv2.medianBlur(small, NEIGHBOURHOOD)
    darker, lighter = np.percentile(difference, (0.5, 99.5)) * (-1, 1)
    if max(darker, lighter) < BLANK_CONTRAST or 1 / CLEARLY < lighter / max(darker, 1) < CLEARLY:
        return None
    return bool(lighter > darker)


def flatten(grey: np.ndarray) -> np.ndarray:
    """Evens out paper and light, by dividing by the paper's brightness.

    Args:
        grey: dark writing on light paper, (height, width) uint8.

    Returns:
        The page in the same shape, its paper `PAPER_WHITE`.
    """
    small = shrunk(grey, FLATTEN_SIDE)
    # Wide enough to close over letters and tight words, narrow enough to follow a shadow's edge.
    return _divided(grey, _paper(small, max(small.shape) / 16))


def evened(grey: np.ndarray) -> np.ndarray:
    """A line's picture, flattened if a shadow lies on it.

    Args:
        grey: dark writing on light paper, (height, width) uint8.

    Returns:
        The same shape; `grey` itself if the light is even.
    """
    small = shrunk(grey, FLATTEN_SIDE)
    paper = _paper(small, max(max(small.shape) / 16, WIDEST_INK * min(small.shape)))
    dark, light = percentiles(paper, (5, 95))
    return grey if dark >= EVEN * light else _divided(grey, paper)


def _paper(small: np.ndarray, widest: float) -> np.ndarray:
    """The paper's brightness, from a closing over what is up to `widest` pixels wide, and a wide blur."""
    size = max(3, round(widest)) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return cv2.GaussianBlur(cv2.medianBlur(paper, min(size, 31)), (0, 0), size / 3)


def _divided(grey: np.ndarray, paper: np.ndarray) -> np.ndarray:
    whole = cv2.resize(np.maximum(paper, DARKEST_PAPER), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.divide(grey, whole, scale=PAPER_WHITE)
