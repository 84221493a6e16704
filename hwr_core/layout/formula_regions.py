"""Where formulas stand on a page: its ink in connected pieces, grouped as drawn strokes are.

The text detector finds rows, and a fraction is two of them. Where lines are in doubt, the grouping goes by connected ink
instead. The picture of a formula holds only its own ink.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from hwr_core.imaging.ink_mask import INK_SIDE, without_rim, writing_mask
from hwr_core.imaging.resize import shrunk
from hwr_core.ink.formula import typical_size
from hwr_core.ink.formula_grouping import group_boxes
from hwr_core.layout.line_detection import FoundLine

SIDE_WHITE = 3.5  # of a symbol's height: white beside a formula from which the next one stands apart
LEAST_PIECE = 0.12  # of a symbol's height: the longer side of a dot at least; smaller pieces are specks
MOST_PIECE = 12.0  # of a symbol's height: higher pieces are frames, folds and edges
LEAST_FORMULA = 0.5  # of a symbol's height: the longer side of a formula at least
RULE_SHARE = 0.6  # of the page's width: longer flat pieces may be ruled lines
RULE_LENGTH = 10.0  # of a symbol's height: the length of a ruled line at least
RULE_ASPECT = 25.0  # width by height of such a line at least
BORDER = 0.15  # of a symbol's height: the paper around a formula in its picture
EDGE = 2  # pixels around a formula's ink that are its own: its soft edges
MOST_PIECES = 1500  # on a page: more are texture


@dataclass(frozen=True)
class FormulaRegion:
    """A formula that was found on a page.

    Attributes:
        line: Its outline, an upright box, and its picture without other ink.
        pieces: The middles (n, 2) of its pieces of ink, in pixels of the page.
    """

    line: FoundLine
    pieces: np.ndarray

    def share_in(self, outline: np.ndarray) -> float:
        """The share of its pieces that lie inside an outline (4, 2)."""
        return float(np.mean(_inside(self.pieces, outline)))


def find_formulas(grey: np.ndarray, others: Sequence[np.ndarray] = ()) -> list[FormulaRegion]:
    """Finds the formulas of a page.

    Args:
        grey: The cleaned page, dark on light, (height, width) uint8.
        others: Outlines (4, 2) of lines of text, in pixels of the page: their ink is in no formula.

    Returns:
        The formulas, top to bottom and those of one height from the left. None for a page whose ink looks like texture.
    """
    small = shrunk(grey, INK_SIDE)
    scale = small.shape[1] / grey.shape[1]
    _, labels, stats, middles = cv2.connectedComponentsWithStats(
        writing_mask(without_rim(small)).astype(np.uint8), connectivity=8
    )
    boxes = _boxes(stats)
    kept = _pieces(boxes, small.shape[1])
    for outline in others:
        kept = kept[~_inside(middles[kept] / scale, outline)]
    if not 0 < len(kept) <= MOST_PIECES:
        return []
    size = _size(boxes[kept])
    groups = [kept[group] for group in _apart(boxes[kept], SIDE_WHITE * size)]
    groups = [group for group in groups if _extent(boxes[group]).max() >= LEAST_FORMULA * size]
    groups.sort(key=lambda group: (boxes[group, 1].min(), boxes[group, 0].min()))
    return [_region(grey, labels, boxes, group, size, scale, middles[group] / scale) for group in groups]


def _boxes(stats: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom (n, 4) float of connected pieces."""
    left, top, wide, tall = stats[:, :4].astype(float).T
    return np.stack([left, top, left + wide, top + tall], 1)


def _extent(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, 2:].max(0) - boxes[:, :2].min(0)


def _size(boxes: np.ndarray) -> float:
    wide, tall = (boxes[:, 2:] - boxes[:, :2]).T
    return typical_size(wide, tall) or 1.0


def _pieces(boxes: np.ndarray, page_width: int) -> np.ndarray:
    """The numbers of the pieces that can be symbols; the first is the paper."""
    numbers = np.arange(1, len(boxes))
    if not len(numbers):
        return numbers
    wide, tall = (boxes[numbers, 2:] - boxes[numbers, :2]).T
    size = _size(boxes[numbers])
    rules = (wide > max(RULE_SHARE * page_width, RULE_LENGTH * size)) & (wide > RULE_ASPECT * tall)
    return numbers[(np.maximum(wide, tall) >= LEAST_PIECE * size) & (tall <= MOST_PIECE * size) & ~rules]


def _apart(boxes: np.ndarray, white: float) -> list[np.ndarray]:
    """The pieces of each formula: wide white parts those that stand side by side, then rows are told apart."""
    found = []
    for column in _columns(boxes, np.arange(len(boxes)), white):
        groups = [column[group] for group in group_boxes(boxes[column])]
        # Another row may hide the white between two columns, and a column the white between two rows.
        if len(groups) > 1:
            found += [group[inner] for group in groups for inner in _apart(boxes[group], white)]
        else:
            found.append(column)
    return found


def _columns(boxes: np.ndarray, numbers: np.ndarray, white: float) -> list[np.ndarray]:
    """The pieces between white that runs from top to bottom."""
    order = numbers[np.argsort(boxes[numbers, 0], kind="stable")]
    reach = np.maximum.accumulate(boxes[order, 2])
    return np.split(order, np.flatnonzero(boxes[order[1:], 0] - reach[:-1] > white) + 1)


def _region(
    grey: np.ndarray,
    labels: np.ndarray,
    boxes: np.ndarray,
    group: np.ndarray,
    size: float,
    scale: float,
    middles: np.ndarray,
) -> FormulaRegion:
    """A group of pieces as a region, with other ink painted out."""
    border = BORDER * size
    low, high = boxes[group, :2].min(0) - border, boxes[group, 2:].max(0) + border
    left, top = np.maximum(np.floor(low / scale), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(high / scale), grey.shape[::-1]).astype(int).tolist()
    part = grey[top:bottom, left:right]
    # Rows and columns of the small picture that each pixel of the part lies in.
    rows = np.minimum((np.arange(top, bottom) * scale).astype(int), labels.shape[0] - 1)
    columns = np.minimum((np.arange(left, right) * scale).astype(int), labels.shape[1] - 1)
    around = labels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    own = np.isin(around, group)
    # Specks stay: the point of a `!` and a small `·` are as small, and where they stand tells what they are.
    specks = np.flatnonzero((boxes[:, 2:] - boxes[:, :2]).max(1) < LEAST_PIECE * size)
    others = ((around > 0) & ~own & ~np.isin(around, specks)).astype(np.uint8)
    kernel = np.ones((2 * EDGE + 1,) * 2, np.uint8)
    foreign = (cv2.dilate(others, kernel) > 0) & (cv2.dilate(own.astype(np.uint8), kernel) == 0)
    painted = part.copy()
    painted[foreign[np.ix_(rows - rows[0], columns - columns[0])]] = int(np.median(part))
    outline = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)
    return FormulaRegion(FoundLine(outline, painted), middles)


def _inside(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Which points (n, 2) lie inside an outline (4, 2), as (n,) bool."""
    corners = np.asarray(outline, np.float32)
    return np.array([cv2.pointPolygonTest(corners, point, False) >= 0 for point in points.tolist()], bool)
