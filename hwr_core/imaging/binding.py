"""The wire or the holes along a side of a notebook's page, which would be read as a column of letters.

They run along the whole side, one like the other, with paper between them and the writing. Handwriting never repeats itself so.
"""

import cv2
import numpy as np

from hwr_core.imaging.ink_mask import ink_mask
from hwr_core.imaging.resize import shrunk
from hwr_core.imaging.ruling import without_faint_rules

SIDE = 800  # pixels of the page's longer side at which it is searched
DEEPEST = 0.15  # of the page's width: how far a binding reaches into it
LOOPS = (0.015, 0.09)  # of the page's side: from one loop to the next
ALIKE = 0.7  # correlation of the side with itself, moved by one loop; 0.57 for other things beside writing
DIP = 0.3  # by which it is lower between two loops: a shadow is like itself wherever it is moved
THICK = 5  # pixels of a wire or hole along the side; ruled lines, which bend at a book's spine, are thinner
BLUR = 1.5  # pixels: loops are not equally far apart in a photo
AT_ENDS = 1.5  # loops that may be missing at each end


def without_binding(grey: np.ndarray) -> tuple[int, int, int, int] | None:
    """The part of a page that lies inside its binding.

    Args:
        grey: The page, dark on light, (height, width) uint8.

    Returns:
        Left, top, right and bottom in pixels. None for a page without a binding.
    """
    small = shrunk(grey, SIDE)
    if min(small.shape) < 50:
        return None
    mask = ink_mask(without_faint_rules(small)).astype(np.float32)
    depths = [_depth(np.rot90(mask, turns)) for turns in range(4)]  # left, top, right and bottom
    if not any(depths):
        return None
    scale = max(grey.shape) / max(small.shape)
    left, top, right, bottom = (round(depth * scale) for depth in depths)
    return left, top, grey.shape[1] - right, grey.shape[0] - bottom


def _depth(mask: np.ndarray) -> int:
    """How many columns on the left of a mask are a binding's."""
    mask = np.asarray(cv2.morphologyEx(np.ascontiguousarray(mask), cv2.MORPH_OPEN, np.ones((THICK, 1), np.uint8)))
    written = mask[:, : round(DEEPEST * mask.shape[1])].any(0)
    starts = np.flatnonzero(np.diff(written.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(written.astype(int)) == -1) + 1
    found = 0
    for start, end in zip(starts, ends, strict=False):  # between white columns
        if not _repeats(mask[:, start:end]):
            break
        found = int(end)
    return found


def _repeats(strip: np.ndarray) -> bool:
    """Whether a strip (height, width) float32 repeats itself from its upper to its lower end."""
    height = len(strip)
    soft = np.asarray(cv2.GaussianBlur(strip, (0, 0), BLUR))
    lags = np.arange(max(4, round(LOOPS[0] * height)), round(LOOPS[1] * height) + 1)
    alike = np.array([_correlation(soft[lag:], soft[:-lag]) for lag in lags])
    if not len(alike):
        return False
    best = int(alike.argmax())
    rows = np.flatnonzero(strip.any(1))
    ends = AT_ENDS * lags[best]
    whole = rows[0] <= ends and rows[-1] >= height - 1 - ends
    return bool(whole and alike[best] >= ALIKE and alike[: best + 1].min() <= alike[best] - DIP)


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first - first.mean(), second - second.mean()
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum() + 1e-9))
