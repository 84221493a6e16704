"""Ink on a page that lies in none of its lines."""

from collections.abc import Sequence

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import median_grey
from hwr_core.imaging.ink_mask import INK_SIDE, ink_mask, without_rim
from hwr_core.imaging.resize import shrunk
from hwr_core.reading import Box

AROUND = 0.3  # of a line's height: ink so near to its outline belongs to it
LEAST_HEIGHT = 0.45  # of the usual line's height: lower pieces are specks
SMALL_LETTERS = 0.3  # the same of a word without tall letters …
LEAST_WORD = 1.5  # … which is so many times the usual line's height long at least
MOST_HEIGHT = 4.0  # of the usual line's height: higher pieces are frames, folds and edges
MOST_RULE = 8.0  # length by width of a piece from which it is a ruled line
RULE_RUN = 1.5  # of the usual line's height: a run of ink as long is a rule's
OF_RULES = 0.75  # share of a piece's ink in such runs, across or upright, from which it is a table's or a frame's
THIN = 0.2  # of the usual line's height: rules are thinner, a marker's strokes are not
MOST_UPRIGHT = 3.0  # height by width of a piece that stood on a rule from which it is a frame's side
TOGETHER = 0.6  # of the usual line's height: pieces nearer to each other are shown as one
LEAST_INK = 0.04  # share of its box that ink covers at least
MOST_INK = 0.7  # share of its box that ink covers at most: more is a blot or a shadow
PEN = 0.35  # of the usual line's height: a pen's stroke is narrower, with paper on both sides
MARKER = 0.17  # of a box's height: the same of a marker beside finer writing
STROKE_SHARE = 0.9  # of a box's ink that must lie in such strokes; shadows and edges of things have 0.8 at most
STROKE_DEPTH = 0.6  # of the contrast to the page's paper that ink must have to the paper right beside it
RIM = 0.3  # of the usual line's height: so near to the picture's edge …
RIM_ASPECT = 3.0  # … a piece that runs along it, so many times longer than wide, is the sheet's edge
USUAL_SHARE = 0.03  # of the page's height: the usual line's height where no line was found
MOST_BOXES = 40  # on a page: more are texture


def unfound_ink(grey: np.ndarray, outlines: Sequence[np.ndarray]) -> list[Box]:
    """The boxes of writing that lies in no line.

    Args:
        grey: The cleaned page, dark on light, (height, width) uint8.
        outlines: Corners (4, 2) of its lines in pixels, clockwise from the top left.

    Returns:
        Boxes in pixels of the page: left, top, right, bottom. None for a page whose remaining ink looks like texture.
    """
    small = shrunk(grey, INK_SIDE)
    scale = small.shape[1] / grey.shape[1]
    mask = ink_mask(without_rim(small)).astype(np.uint8)
    heights = [np.linalg.norm(outline[3] - outline[0]) * scale for outline in outlines]
    usual = float(np.median(heights)) if heights else USUAL_SHARE * small.shape[0]
    for outline, height in zip(outlines, heights, strict=True):
        corners = (outline * scale).round().astype(np.int32)
        cv2.fillPoly(mask, [corners], 0)
        cv2.polylines(mask, [corners], True, 0, max(1, round(2 * AROUND * height)))
    mask = _without_rules(_without_corners(mask, usual), usual)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT].astype(float), stats[:, cv2.CC_STAT_WIDTH].astype(float)
    longest = np.maximum(tall, wide)
    kept = (longest >= LEAST_HEIGHT * usual) & (tall <= MOST_HEIGHT * usual)
    kept &= longest <= MOST_RULE * np.maximum(np.minimum(tall, wide), 1)
    kept &= stats[:, cv2.CC_STAT_AREA] <= MOST_INK * tall * wide
    kept[0] = False
    if count < 2 or not kept.any():
        return []
    kept &= ~_along_rim(stats, small.shape, RIM * usual)
    pieces = kept[labels].astype(np.uint8)
    boxes = _together(pieces, usual)
    if len(boxes) > MOST_BOXES:
        return []
    return [_scaled(box, 1 / scale) for box in boxes if _has_strokes(small, pieces, box, usual)]


def _without_rules(mask: np.ndarray, usual: float) -> np.ndarray:
    """Takes the rules out of each long flat piece: words that stand on one rule, or are underlined together, are one piece.

    Args:
        mask: (height, width) uint8, 1 for ink.
        usual: The usual height of a line in pixels.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    flat = stats[:, cv2.CC_STAT_WIDTH] > MOST_RULE * stats[:, cv2.CC_STAT_HEIGHT]
    flat[0] = False
    if not flat.any():
        return mask
    long = flat[labels].astype(np.uint8)
    run = np.ones((1, max(3, round(RULE_RUN * usual))), np.uint8)
    rest = long - cv2.morphologyEx(long, cv2.MORPH_OPEN, run)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    sides = (
        stats[:, cv2.CC_STAT_HEIGHT] > MOST_UPRIGHT * stats[:, cv2.CC_STAT_WIDTH]
    )  # of frames; a lone l or 1 goes too
    return mask - long + rest * ~sides[labels]


def _without_corners(mask: np.ndarray, usual: float) -> np.ndarray:
    """Takes away pieces of rules alone, such as what the lines of a table's cells leave of its rules.

    Args:
        mask: (height, width) uint8, 1 for ink.
        usual: The usual height of a line in pixels.
    """
    length = max(3, round(RULE_RUN * usual))
    ruled = np.zeros_like(mask)
    for across in (True, False):
        thick = np.ones((3, 1) if across else (1, 3), np.uint8)  # a rule that is a little tilted runs on beside itself
        run = np.ones((1, length) if across else (length, 1), np.uint8)
        ruled |= cv2.morphologyEx(cv2.dilate(mask, thick), cv2.MORPH_OPEN, run)
    side = max(3, round(THIN * usual))
    ruled &= 1 - cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    ink = np.bincount(labels.ravel(), minlength=count)
    in_runs = np.bincount(labels.ravel(), weights=(ruled & mask).ravel(), minlength=count)
    rules = in_runs >= OF_RULES * ink
    rules[0] = False
    return mask * ~rules[labels]


def _along_rim(stats: np.ndarray, shape: tuple[int, ...], reach: float) -> np.ndarray:
    """Which pieces run along an edge of the picture, within `reach` pixels of it, as (pieces,) bool."""
    left, top, wide, tall = (stats[:, column].astype(float) for column in range(4))
    beside = np.minimum(left, shape[1] - left - wide) <= reach
    above = np.minimum(top, shape[0] - top - tall) <= reach
    return (beside & (tall >= RIM_ASPECT * wide)) | (above & (wide >= RIM_ASPECT * tall))


def _together(mask: np.ndarray, usual: float) -> list[Box]:
    """The boxes of pieces of ink that stand near each other; `mask` (height, width) uint8 0 or 1."""
    reach = max(3, round(TOGETHER * usual)) | 1
    near = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach)))
    count, labels, _, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    boxes = []
    for number in range(1, count):
        rows, columns = np.nonzero((labels == number) & (mask > 0))
        left, top, right, bottom = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
        wide, tall = right - left, bottom - top
        high = tall >= LEAST_HEIGHT * usual or (wide >= LEAST_WORD * usual and tall >= SMALL_LETTERS * usual)
        if high and len(rows) >= LEAST_INK * wide * tall:
            boxes.append((left, top, right, bottom))
    return boxes


def _has_strokes(grey: np.ndarray, mask: np.ndarray, box: Box, usual: float) -> bool:
    """Whether most dark pixels of a box have paper near them on both sides, as a pen's strokes do.

    A shadow, or a thing that lies in the picture, is darker than the paper on one side alone.

    Args:
        grey: The page, (height, width) uint8.
        mask: (height, width) uint8, 1 for its dark pieces.
        box: Left, top, right, bottom in pixels.
        usual: The usual height of a line in pixels.
    """
    left, top, right, bottom = box
    dark = mask[top:bottom, left:right] > 0
    size = max(7, round(max(PEN * usual, MARKER * (bottom - top)))) | 1
    rows, columns = (
        np.clip(np.arange(start - size, end + size), 0, most - 1)
        for start, end, most in zip((top, left), (bottom, right), grey.shape, strict=True)
    )
    around = grey[np.ix_(rows, columns)]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    beside = cv2.morphologyEx(around, cv2.MORPH_CLOSE, kernel)[size:-size, size:-size]
    ink = grey[top:bottom, left:right]
    deep = cv2.subtract(beside, ink) >= STROKE_DEPTH * cv2.subtract(np.full_like(ink, median_grey(grey)), ink)
    return bool(np.count_nonzero(deep & dark) >= STROKE_SHARE * np.count_nonzero(dark))


def _scaled(box: Box, by: float) -> Box:
    left, top, right, bottom = box
    return int(left * by), int(top * by), int(np.ceil(right * by)), int(np.ceil(bottom * by))
