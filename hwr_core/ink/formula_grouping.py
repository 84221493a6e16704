"""Which pieces of ink make up a formula, where several stand one below the other.

White that runs between two rows parts them, unless they belong together: a fraction's parts above and below its bar, limits above and below
a large sign, an accent, a dot. Roots, brackets and braces need no rule: their strokes reach over the white.
"""

from dataclasses import dataclass

import numpy as np

from hwr_core.ink.formula import typical_size
from hwr_core.ink.strokes import Strokes, as_points

TOUCHING = 0.3  # of a symbol's height: white that parts only whole rows
ROW_LENGTH = 2.5  # of a symbol's height: the length of a whole row at least
BAR_ASPECT = 4.0  # width by height of a fraction's bar at least
BAR_LENGTH = 0.5  # of a symbol's height: shorter bars are minus signs
BAR_WHITE = 1.2  # of a symbol's height: white between a bar's row and what stands above or below it at most
BAR_REACH = 1.8  # of a symbol's height: white between a bar and each piece above or below it at most
BAR_COVER = 0.6  # share of what stands above or below bars that they must cover
DOT_WHITE = 0.9  # of a symbol's height: white between a dot and its symbol at most
LIMIT_WHITE = 0.62  # of a symbol's height: white between a sign and its limits or scripts at most
SCRIPT_HEIGHT = 1.25  # of a symbol's height: the height of limits at most
LOW_ROW = 0.45  # of the height of a row: a row of limits and scripts beside it may be so high, and of any width
SCRIPT_WIDTH = 5.0  # of a symbol's height: the width of limits at most


@dataclass(frozen=True)
class _Ink:
    """Boxes (n, 4) float: left, top, right, bottom of each stroke or connected piece; `size` is a symbol's height."""

    boxes: np.ndarray
    size: float

    def extent(self, group: np.ndarray) -> np.ndarray:
        return np.concatenate([self.boxes[group, :2].min(0), self.boxes[group, 2:].max(0)])


def group_into_formulas(strokes: Strokes) -> list[list[int]]:
    """Groups strokes into formulas.

    Args:
        strokes: Each (n, 2) float, x and y, y downwards, in any unit.

    Returns:
        For each formula, top to bottom, the numbers of its strokes in the order in which they were written.
    """
    if not strokes:
        return []
    points = [as_points(stroke) for stroke in strokes]
    return group_boxes(np.array([np.concatenate([stroke.min(0), stroke.max(0)]) for stroke in points], float))


def group_boxes(boxes: np.ndarray) -> list[list[int]]:
    """Groups pieces of ink into formulas, top to bottom.

    Args:
        boxes: (n, 4) float: left, top, right and bottom of each stroke, or of each connected piece of ink.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    ink = _Ink(boxes, typical_size(sides[:, 0], sides[:, 1]) or 1.0)
    groups = _bands(ink)
    while len(groups) > 1:
        joined = next((place for place in range(len(groups) - 1) if _together(ink, groups, place)), None)
        if joined is None:
            break
        groups[joined : joined + 2] = [np.concatenate(groups[joined : joined + 2])]
    return [sorted(group.tolist()) for group in groups]


def _bands(ink: _Ink) -> list[np.ndarray]:
    """Groups with white between them, from the top."""
    bands: list[list[int]] = []
    reach = -np.inf
    for piece in np.argsort(ink.boxes[:, 1], kind="stable").tolist():
        if not bands or ink.boxes[piece, 1] > reach:
            bands.append([])
        bands[-1].append(piece)
        reach = max(reach, float(ink.boxes[piece, 3]))
    return [np.array(band) for band in bands]


def _together(ink: _Ink, groups: list[np.ndarray], place: int) -> bool:
    """Whether a group and the one below it are parts of one formula."""
    upper, lower = groups[place], groups[place + 1]
    white = _white(ink, upper, lower)
    if (
        place + 2 < len(groups)
        and _is_dot(ink, lower, groups[place + 2])
        and _white(ink, lower, groups[place + 2]) < white
    ):
        return False  # the dot of a letter in the next row
    if white < TOUCHING and not (_is_row(ink, upper) and _is_row(ink, lower) and white > 0.1):
        return True
    if white < BAR_WHITE and (_at_bars(ink, upper, lower, above=True) or _at_bars(ink, lower, upper, above=False)):
        return True
    if white < DOT_WHITE and (_is_dot(ink, upper, lower) or _is_dot(ink, lower, upper)):
        return True
    return white < LIMIT_WHITE and (_is_script(ink, upper, lower) or _is_script(ink, lower, upper))


def _white(ink: _Ink, upper: np.ndarray, lower: np.ndarray) -> float:
    """The white between two groups, in symbols' heights."""
    return float(ink.boxes[lower, 1].min() - ink.boxes[upper, 3].max()) / ink.size


def _is_row(ink: _Ink, group: np.ndarray) -> bool:
    """Whether a group can be a formula by itself: several symbols side by side."""
    left, top, right, bottom = ink.extent(group)
    return len(group) >= 3 and right - left > ROW_LENGTH * ink.size and bottom - top > 0.5 * ink.size


def _at_bars(ink: _Ink, part: np.ndarray, other: np.ndarray, above: bool) -> bool:
    """Whether most of `part` stands right above, or below, bars of fractions in `other`."""
    covered = 0.0
    bars = [box for box in ink.boxes[other] if _is_bar(ink, other, box)]
    for left, top, right, bottom in ink.boxes[part]:
        for bar in bars:
            if (bar[1] - bottom if above else top - bar[3]) > BAR_REACH * ink.size:
                continue
            if min(right, bar[2]) - max(left, bar[0]) < BAR_COVER * (right - left):
                continue
            boxes = ink.boxes[other]
            over = np.minimum(boxes[:, 2], right) - np.maximum(boxes[:, 0], left) > 0.3 * (right - left)
            beyond = boxes[:, 3] < bar[1] if above else boxes[:, 1] > bar[3]
            if not (over & beyond).any():
                covered += right - left
                break
    return covered >= BAR_COVER * float((ink.boxes[part, 2] - ink.boxes[part, 0]).sum())


def _is_bar(ink: _Ink, group: np.ndarray, box: np.ndarray) -> bool:
    wide, tall = box[2] - box[0], box[3] - box[1]
    return wide >= BAR_ASPECT * tall and wide >= BAR_LENGTH * ink.size and not _has_twin(ink, group, box)


def _is_dot(ink: _Ink, part: np.ndarray, other: np.ndarray) -> bool:
    """Whether `part` is a dot, a prime or an accent above or below a symbol of `other`."""
    left, top, right, bottom = ink.extent(part)
    if len(part) > 2 or max(bottom - top, right - left) > 0.6 * ink.size or bottom - top > 0.4 * ink.size:
        return False
    boxes = ink.boxes[other]
    return bool((np.minimum(boxes[:, 2], right) - np.maximum(boxes[:, 0], left) > -0.5 * ink.size).any())


def _is_script(ink: _Ink, part: np.ndarray, other: np.ndarray) -> bool:
    """Whether `part` is a limit or a script of `other`: lower than it, narrower, and at its symbols."""
    left, top, right, bottom = ink.extent(part)
    left2, top2, right2, bottom2 = ink.extent(other)
    if bottom - top > SCRIPT_HEIGHT * min(ink.size, bottom2 - top2) and len(part) > 2:
        return False
    low = bottom - top < LOW_ROW * (bottom2 - top2)  # limits and subscripts of one row, side by side
    if (right - left > SCRIPT_WIDTH * ink.size and not low) or (
        len(part) >= len(other) and bottom - top > 0.8 * (bottom2 - top2)
    ):
        return False
    if bottom - top > bottom2 - top2:
        return False
    return bool(left > left2 - 1.5 * ink.size and right < right2 + 1.5 * ink.size)


def _has_twin(ink: _Ink, group: np.ndarray, bar: np.ndarray) -> bool:
    """Whether a second flat stroke of the same length lies next to it: an equals sign."""
    left, top, right, bottom = bar
    for left2, top2, right2, bottom2 in ink.boxes[group]:
        wide = right2 - left2
        apart = abs((top + bottom) - (top2 + bottom2)) / 2
        alike = 0.6 < wide / max(right - left, 1e-9) < 1.7 and wide >= BAR_ASPECT * (bottom2 - top2)
        shared = min(right, right2) - max(left, left2) > 0.5 * wide
        if alike and shared and 1e-6 < apart < 0.8 * ink.size:
            return True
    return False
