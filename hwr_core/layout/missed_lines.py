"""A second search for lines, where ink is left that the detector saw no line in.

Where lines stand so near to one another that they touch, or a word stands alone in a margin, the detector misses some. Without the
ink of the lines that it found, it sees the others.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import median_grey
from hwr_core.imaging.ink_mask import ink_mask, without_rim
from hwr_core.layout.outlines import line_height, overlap
from hwr_core.layout.unfound import MOST_RULE

INSIDE = 0.5  # share of a piece's ink inside the lines from which it is theirs
LEAST_LETTER = 0.2  # of the usual line's height: what is smaller is a dot or a comma
MOST_LETTER = 3.0  # of it: what is higher is a frame or an edge
STRAIGHT = 4.0  # of it: a straight run of ink as long is a fold's or a rule's, and joins the letters that it crosses
BETWEEN_LETTERS = 0.5  # of it: letters nearer to one another are a word
LEAST_WORD = 0.3  # of it: height of a word
LEAST_LENGTH = 0.8  # of it: how long a missed word is
LOWEST, HIGHEST = 0.45, 2.0  # of it: height of a missed line's outline
MARGIN = 0.12  # of a missed line's height that is left above and below its ink
SAME = 0.3  # intersection over union from which an outline is that of a line found before


def missed_outlines(
    small: np.ndarray, outlines: Sequence[np.ndarray], see: Callable[[np.ndarray], list[np.ndarray]]
) -> list[np.ndarray]:
    """The outlines (4, 2) of lines that the detector missed.

    Args:
        small: The page as the detector sees it, dark on light, (height, width) uint8.
        outlines: Corners (4, 2) of what it found, in pixels of `small`, clockwise from the top left.
        see: The detector: gives such outlines for a picture.
    """
    if not outlines:
        return []
    usual = float(np.median([line_height(outline) for outline in outlines]))
    mask = _without_straights(ink_mask(without_rim(small)).astype(np.uint8), usual)
    rest, whole = _left(mask, outlines, usual)
    if not _has_word(rest, usual):
        return []
    found = cv2.dilate(mask * (1 - whole), np.ones((5, 5), np.uint8)) > cv2.dilate(whole, np.ones((3, 3), np.uint8))
    return [
        outline
        for quad in see(np.where(found, np.uint8(median_grey(small)), small))
        if (outline := _around_ink(quad, rest, usual)) is not None
        and not any(overlap(outline, other) > SAME for other in outlines)
    ]


def _without_straights(mask: np.ndarray, usual: float) -> np.ndarray:
    """The ink without what runs straight across or down, (height, width) uint8."""
    length = max(3, round(STRAIGHT * usual))
    straight = [cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(run, np.uint8)) for run in ((1, length), (length, 1))]
    return mask * (1 - np.maximum(*straight))


def _left(mask: np.ndarray, outlines: Sequence[np.ndarray], usual: float) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of ink that are in no line: those of a letter's size, and all, (height, width) uint8 each."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    inside = np.zeros_like(mask)
    for outline in outlines:
        cv2.fillPoly(inside, [outline.round().astype(np.int32)], 1)
    covered = np.bincount(labels.ravel(), weights=(inside & mask).ravel(), minlength=count)
    left = covered < INSIDE * stats[:, cv2.CC_STAT_AREA]
    left[0] = False
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    longest = np.maximum(tall, wide)
    letters = left & (longest >= LEAST_LETTER * usual) & (tall <= MOST_LETTER * usual)
    letters &= longest <= MOST_RULE * np.maximum(np.minimum(tall, wide), 1)
    return letters[labels].astype(np.uint8), left[labels].astype(np.uint8)


def _has_word(letters: np.ndarray, usual: float) -> bool:
    """Whether some letters, (height, width) uint8, make up a word."""
    reach = max(3, round(BETWEEN_LETTERS * usual)) | 1
    near = cv2.dilate(letters, np.ones((max(3, reach // 3) | 1, reach), np.uint8))
    *_, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    long = stats[1:, cv2.CC_STAT_WIDTH] - reach >= LEAST_LENGTH * usual
    return bool((long & (stats[1:, cv2.CC_STAT_HEIGHT] >= LEAST_WORD * usual)).any())


def _around_ink(quad: np.ndarray, letters: np.ndarray, usual: float) -> np.ndarray | None:
    """The part of an outline that is around ink of `letters`; None where that is no line."""
    height, width = max(2, round(line_height(quad))), max(2, round(float(np.linalg.norm(quad[1] - quad[0]))))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    to_page = cv2.getPerspectiveTransform(corners, quad.astype(np.float32))
    within = cv2.warpPerspective(letters, to_page, (width, height), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    rows, columns = np.flatnonzero(within.any(1)), np.flatnonzero(within.any(0))
    if not len(rows) or np.ptp(columns) < LEAST_LENGTH * usual:
        return None
    more = MARGIN * (np.ptp(rows) + 1)
    top, bottom = max(0.0, rows[0] - more), min(float(height), rows[-1] + 1 + more)
    if not LOWEST * usual <= bottom - top <= HIGHEST * usual:
        return None
    trimmed = np.array([[[0, top], [width, top], [width, bottom], [0, bottom]]], np.float32)
    return cv2.perspectiveTransform(trimmed, to_page)[0].astype(float)
