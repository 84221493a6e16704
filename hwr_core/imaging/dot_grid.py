"""The dots printed on dotted paper, which would be read as full stops and points."""

import cv2
import numpy as np

from hwr_core.imaging.resize import shrunk

SIDE = 1600  # pixels of the page's longer side at which dots are searched
LARGEST = 20  # pixels there: larger pieces are no dots
PAPER = 25  # pixels: how wide around a dot its paper is looked for
FAINTEST = 12  # grey levels that a dot differs from its paper
ROUND = 1.7  # sides of a dot's box: the longer by the shorter, at most
LEAST_DOTS = 100  # on a page
MOST_DOTS = 5000
GRID_SHARE = 0.6  # of all dots that have neighbours as a grid's dots do
APART = (0.86, 1.16)  # of the grid's pitch: from a dot to its neighbours above, below and beside it
NEIGHBOURS = 2  # at least; writing covers others
MOST_NEIGHBOURS = 3  # of half of the dots at least: those of a dotted line have two
LEAST_PITCH = 2.2  # of a dot's width: texture is denser
ALIKE = (0.35, 2.5)  # ink of a dot, of the usual dot's
AT_ONCE = 500  # dots whose distances to all others are kept


def without_dots(grey: np.ndarray) -> np.ndarray | None:
    """The page without its printed dots. Those that touch writing stay.

    Args:
        grey: The page, dark on light, evenly lit, (height, width) uint8.

    Returns:
        The page in the same shape; None where no dots are printed on it.
    """
    small = shrunk(grey, SIDE)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (PAPER, PAPER)))
    contrast = cv2.subtract(paper, small)
    _, labels, stats, centres = cv2.connectedComponentsWithStats(
        (contrast >= FAINTEST).astype(np.uint8), connectivity=8
    )
    wide, tall = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    dots = np.flatnonzero(
        (np.maximum(wide, tall) <= LARGEST)
        & (np.maximum(wide, tall) <= ROUND * np.minimum(wide, tall))
        & (np.minimum(wide, tall) >= 2)
    )
    if not LEAST_DOTS <= len(dots) <= MOST_DOTS:
        return None
    ink = np.bincount(labels.ravel(), weights=contrast.ravel(), minlength=len(stats))[dots]
    alike = (ink >= ALIKE[0] * np.median(ink)) & (ink <= ALIKE[1] * np.median(ink))
    dots = dots[alike]
    printed = _of_grid(centres[dots].astype(np.float32), float(np.median(wide[dots])))
    if np.count_nonzero(printed) < max(LEAST_DOTS, GRID_SHARE * len(dots)):
        return None
    is_dot = np.zeros(len(stats), np.uint8)
    is_dot[dots[printed]] = 1
    mask = cv2.dilate(is_dot[labels], np.ones((5, 5), np.uint8))
    size = grey.shape[::-1]
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    return np.where(mask > 0, cv2.resize(paper, size), grey)


def _of_grid(places: np.ndarray, width: float) -> np.ndarray:
    """Which dots stand in a grid. `places` (dots, 2) float32; `width` is a dot's, in pixels."""
    some = places[:: max(1, len(places) // AT_ONCE)]
    apart = _distances(some, places)
    apart[apart == 0] = np.inf
    pitch = float(np.median(apart.min(1)))
    if pitch < LEAST_PITCH * width or np.median(_beside(some, places, pitch)) < MOST_NEIGHBOURS:
        return np.zeros(len(places), bool)
    parts = [places[start : start + AT_ONCE] for start in range(0, len(places), AT_ONCE)]
    return np.concatenate([_beside(part, places, pitch) for part in parts]) >= NEIGHBOURS


def _beside(some: np.ndarray, places: np.ndarray, pitch: float) -> np.ndarray:
    """How many of `places` are a pitch away from each of some."""
    apart = _distances(some, places)
    return ((apart >= APART[0] * pitch) & (apart <= APART[1] * pitch)).sum(1)


def _distances(some: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.hypot(*(some[:, None, axis] - places[None, :, axis] for axis in (0, 1)))
