"""Ink on a page that lies in none of its lines."""

from collections.abc import Sequence

import cv2
import numpy as np

from hwr_core.imaging.ink_mask import INK_SIDE, ink_mask, without_rim
from hwr_core.imaging.resize import shrunk
from hwr_core.reading import Box

AROUND = 0.3  # of a line's height: ink so near to its outline belongs to it
LEAST_HEIGHT = 0.45  # of the usual line's height: lower pieces are specks
MOST_HEIGHT = 4.0  # of the usual line's height: higher pieces are frames, folds and edges
MOST_RULE = 8.0  # length by width of a piece from which it is a ruled line
TOGETHER = 0.6  # of the usual line's height: pieces nearer to each other are shown as one
LEAST_INK = 0.04  # share of its box that ink covers at least
MOST_INK = 0.7  # share of its box that ink covers at most: more is a blot or a shadow
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
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT].astype(float), stats[:, cv2.CC_STAT_WIDTH].astype(float)
    longest = np.maximum(tall, wide)
    kept = (longest >= LEAST_HEIGHT * usual) & (tall <= MOST_HEIGHT * usual)
    kept &= longest <= MOST_RULE * np.maximum(np.minimum(tall, wide), 1)
    kept &= stats[:, cv2.CC_STAT_AREA] <= MOST_INK * tall * wide
    kept[0] = False
    if count < 2 or not kept.any():
        return []
    boxes = _together(kept[labels].astype(np.uint8), usual)
    return [_scaled(box, 1 / scale) for box in boxes] if len(boxes) <= MOST_BOXES else []


def _together(mask: np.ndarray, usual: float) -> list[Box]:
    reach = max(3, round(TOGETHER * usual)) | 1
    near = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach)))
    count, labels, _, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    boxes = []
    for number in range(1, count):
        rows, columns = np.nonzero((labels == number) & (mask > 0))
        left, top, right, bottom = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
        if len(rows) >= LEAST_INK * (right - left) * (bottom - top) and bottom - top >= LEAST_HEIGHT * usual:
            boxes.append((left, top, right, bottom))
    return boxes


def _scaled(box: Box, by: float) -> Box:
    left, top, right, bottom = box
    return int(left * by), int(top * by), int(np.ceil(right * by)), int(np.ceil(bottom * by))
