"""Formulas that stand side by side in one picture, and the number of an exercise before a formula."""

from dataclasses import dataclass, field, replace

import numpy as np

from hwr_core.imaging.ink_mask import pieces
from hwr_core.imaging.line_image import crop_to_ink
from hwr_core.reading import Span

WHITE = 1.5  # of a symbol's height: white from top to bottom between two formulas at least
LEAST_PIECES = 3  # pieces of ink of each: single signs with white around them belong to their neighbours …
LEAST_TOUCHING = 2  # … unless pieces touch: then there are so many, …
LEAST_SIDE = 0.7  # … and all together are so wide and high, in a symbol's height
MOST_WAYS = 4  # to part a picture
SPECK = 0.05  # of a symbol's height: the longer side of a dot at least
NUMBER_WHITE = 0.25  # of a symbol's height: white after the number of an exercise at least
NUMBER_WIDTH = 2.8  # of a symbol's height: the width of such a number at most
NUMBER_PIECES = (2, 5)  # of ink: `a)` to `ii)`
DOT = 0.4  # of a symbol's height: the longer side of a dot at most
BRACKET_HEIGHT = 0.8  # of a symbol's height: the height of a bracket at least
BRACKET_WIDTH = 0.65  # of its height: the width of a bracket at most
BULGE = 0.05  # of a symbol's height: how far the middle of a closing bracket stands to the right of its ends at least


Gap = tuple[int, int]  # the first column of white, and that after the last


@dataclass(frozen=True)
class Stretch:
    """A part of a picture that is read by itself.

    Attributes:
        picture: Cropped to its ink, (height, width) uint8.
        span: From where to where it goes, 0 to 1 of the whole picture's width.
        white: The white before it, in heights of a symbol; 0 for the first.
        pieces: How many connected pieces its ink has, without specks.
        end: The shape that an exercise's number ends with: `)`, `.` or `:`. Empty where it may be none.
    """

    picture: np.ndarray = field(repr=False)
    span: Span
    white: float = 0.0
    pieces: int = 0
    end: str = ""


def side_by_side(grey: np.ndarray, mask: np.ndarray, size: float) -> list[list[Stretch]]:
    """The ways in which a picture may be of several formulas from the left, the one of most parts first.

    Args:
        grey: Dark writing on light paper, cropped to the ink, (height, width) uint8.
        mask: Where its ink is, (height, width) bool.
        size: The height of a symbol in pixels.

    Returns:
        For each way two stretches or more. The first stretch of the first way may be the number of an exercise. None
        where no white is wide enough.
    """
    inked = np.flatnonzero(mask.any(0))
    if len(inked) < 2 or inked[-1] - inked[0] < (WHITE + 1) * size:
        return []
    ends = np.flatnonzero(np.diff(inked) > NUMBER_WHITE * size)
    gaps = [(int(inked[end]) + 1, int(inked[end + 1])) for end in ends]
    if not gaps:
        return []
    _, stats = pieces(mask.view(np.uint8))
    boxes = stats[1:, :4].astype(float)
    boxes = boxes[boxes[:, 2:].max(1) >= SPECK * size]
    ways = _ways(_wide(boxes, gaps, size))
    for number, gap in enumerate(gaps[:2]):  # a number's dot may stand apart from its digit
        if end := _end_of_number(mask, boxes, int(inked[0]), gap[0], size):
            rest = _ways(_wide(boxes[boxes[:, 0] >= gap[1]], gaps[number + 1 :], size))
            numbered = [*([gap, *way] for way in rest), [gap]]
            others = [_cut(grey, mask, way, boxes, size) for way in ways if way not in numbered]
            first = [_cut(grey, mask, way, boxes, size) for way in numbered]
            return [*([replace(way[0], end=end), *way[1:]] for way in first), *others][:MOST_WAYS]
    return [_cut(grey, mask, way, boxes, size) for way in ways[:MOST_WAYS]]


def _ways(gaps: list[Gap]) -> list[list[Gap]]:
    """All gaps, then without the narrowest, and so on."""
    ways = []
    while gaps:
        ways.append(gaps)
        narrowest = min(gaps, key=lambda gap: gap[1] - gap[0])
        gaps = [gap for gap in gaps if gap is not narrowest]
    return ways


def _wide(boxes: np.ndarray, gaps: list[Gap], size: float) -> list[Gap]:
    """The gaps between formulas: each is wide, and there are several pieces of ink before and after it."""
    found: list[Gap] = []
    start = 0
    for gap in gaps:
        before = (boxes[:, 0] >= start) & (boxes[:, 0] < gap[0])
        if gap[1] - gap[0] >= WHITE * size and _are_several(boxes[before], size):
            found.append(gap)
            start = gap[1]
    while found and not _are_several(boxes[boxes[:, 0] >= found[-1][1]], size):
        found.pop()
    return found


def _are_several(boxes: np.ndarray, size: float) -> bool:
    """Whether pieces of ink may be a formula, not a single sign."""
    if len(boxes) < LEAST_TOUCHING:
        return False
    sides = (boxes[:, :2] + boxes[:, 2:]).max(0) - boxes[:, :2].min(0)
    return len(boxes) >= LEAST_PIECES or bool(sides.min() >= LEAST_SIDE * size)


def _end_of_number(mask: np.ndarray, boxes: np.ndarray, start: int, end: int, size: float) -> str:
    """The shape that ends the ink up to `end`, if it is as short as an exercise's number: `)`, `.` or `:`; else empty."""
    first = boxes[boxes[:, 0] < end]
    if not NUMBER_PIECES[0] <= len(first) <= NUMBER_PIECES[1] or len(first) == len(boxes):
        return ""
    if end - start > NUMBER_WIDTH * size:
        return ""
    dots = first[first[:, 2:].max(1) <= DOT * size]
    last = first[np.argmax(first[:, 0] + first[:, 2])]
    left, top, wide, tall = last.astype(int).tolist()
    if max(wide, tall) <= DOT * size:
        high = [box for box in dots if abs(box[0] - left) <= DOT * size]
        whole = first[:, 1].min(), (first[:, 1] + first[:, 3]).max()
        if len(high) > 1:
            return ":"
        return "." if top + tall / 2 > (whole[0] + 2 * whole[1]) / 3 else ""
    if tall < BRACKET_HEIGHT * size or wide > BRACKET_WIDTH * tall:
        return ""
    fifths = np.array_split(mask[top : top + tall, left : left + wide], 5)
    upper, middle, lower = (float(np.nonzero(fifths[place])[1].mean()) for place in (0, 2, 4) if fifths[place].any())
    return ")" if middle - (upper + lower) / 2 >= BULGE * size else ""


def _cut(grey: np.ndarray, mask: np.ndarray, gaps: list[Gap], boxes: np.ndarray, size: float) -> list[Stretch]:
    middles = [(start + end) // 2 for start, end in gaps]
    whites = [0.0, *((end - start) / size for start, end in gaps)]
    edges = [0, *middles, grey.shape[1]]
    found = []
    for left, right, white in zip(edges[:-1], edges[1:], whites, strict=True):
        cropped = crop_to_ink(grey[:, left:right], mask[:, left:right])
        assert cropped is not None  # there is ink on both sides of a gap
        inside = int(((boxes[:, 0] >= left) & (boxes[:, 0] < right)).sum())
        found.append(Stretch(cropped, (left / grey.shape[1], right / grey.shape[1]), white, inside))
    return found
