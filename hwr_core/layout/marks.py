"""List marks before a line, told by their shape: bullets and boxes, which a reader of letters takes for letters."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import percentiles
from hwr_core.imaging.ink_mask import line_mask

BULLET, BOX, TICKED_BOX = "•", "☐", "☑"
LARGEST_BULLET = 0.45  # of the line's ink height
ROUND = (0.6, 1.7)  # width by height of a bullet
FILLED_BULLET = 0.6  # share of its box that the ink of a bullet fills; a ring or a letter fills less
SQUARE = (0.7, 1.4)  # width by height of a box
SQUARE_HULL = 0.9  # share of its bounding box that the hull of a box fills; a circle fills 0.79
SQUARE_HOLE = 0.85  # share of its own bounding box that the inside of a box fills
LEAST_BOX = 0.35  # of the line's ink height
MARK_GAP = 0.12  # of the line's ink height: white between a mark and the text
MOST_TICK = 0.45  # share of a box's inside that a tick covers at most
CORNER = 0.12  # share of a box's side that counts as its corner
TICK_INK = 0.04  # share of a box's inside that is ink from which it is ticked


BULLET_REACH = 0.9  # of a line's height: how far before the line its bullet may stand
BULLET_SIZE = 0.4  # of a line's height: the outline of its bullet at most; a small number beside a line is larger


@dataclass(frozen=True)
class Mark:
    """A list mark at the start of a line.

    Attributes:
        text: `•`, `☐` or `☑`.
        end: Column of the line's picture at which the mark ends, in pixels.
        alone: Whether the picture holds nothing else.
    """

    text: str
    end: int
    alone: bool


def leading_mark(grey: np.ndarray) -> Mark | None:
    """The list mark that a line starts with.

    Args:
        grey: The line, dark on light, (height, width) uint8.
    """
    mask = line_mask(grey)
    columns = np.flatnonzero(mask.any(0))
    if not len(columns):
        return None
    rows = np.flatnonzero(mask.any(1))
    height = int(rows[-1] - rows[0] + 1)
    gaps = np.flatnonzero(np.diff(columns) > max(2, MARK_GAP * height))
    end = int(columns[gaps[0]] + 1) if len(gaps) else int(columns[-1] + 1)
    piece = mask[:, columns[0] : end]
    across = np.flatnonzero(piece.any(1))
    piece = piece[across[0] : across[-1] + 1]
    middle = (across[0] + across[-1]) / 2
    text = _box(piece, height)
    if text is None and len(gaps) and _is_bullet(piece, height, (middle - rows[0]) / height):
        text = BULLET
    return None if text is None else Mark(text, end, not len(gaps))


def with_bullets(grey: np.ndarray, outlines: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The outlines of the pieces of writing, those of bullets joined to the lines that they stand before.

    Args:
        grey: The page, dark on light, (height, width) uint8.
        outlines: Corners (4, 2) of each piece in pixels, clockwise from the top left.
    """
    joined_to = {}
    for number, small in enumerate(outlines):
        (left, top), (right, bottom) = small.min(0), small.max(0)
        for place, line in enumerate(outlines):
            (start, upper), (_, lower) = line.min(0), line.max(0)
            tall = lower - upper
            near = -0.2 * tall < start - right < BULLET_REACH * tall
            small_enough = max(bottom - top, right - left) < BULLET_SIZE * tall
            beside = near and small_enough and upper < (top + bottom) / 2 < lower
            if beside and _starts(outlines, number, tall) and _is_mark(grey, small):
                joined_to[number] = place
    found = [outline.copy() for outline in outlines]
    for number, place in joined_to.items():
        left = outlines[number][:, 0].min()
        found[place][[0, 3], 0] = np.minimum(found[place][[0, 3], 0], left)
    return [outline for number, outline in enumerate(found) if number not in joined_to]


def _is_mark(grey: np.ndarray, outline: np.ndarray) -> bool:
    """Whether the ink in an outline has the shape of a bullet or a box. A page number at the end of an entry has not."""
    (left, top), (right, bottom) = outline.min(0).astype(int), np.ceil(outline.max(0)).astype(int)
    mask = line_mask(grey[max(0, top) : bottom, max(0, left) : right])
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return False
    piece = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tall, wide = piece.shape
    return (ROUND[0] <= wide / tall <= ROUND[1] and piece.mean() >= FILLED_BULLET) or _box(piece, tall) is not None


def _starts(outlines: Sequence[np.ndarray], number: int, tall: float) -> bool:
    """Whether no other piece stands close before a piece: small numbers at the end of an entry are no bullets."""
    (left, top), (_, bottom) = outlines[number].min(0), outlines[number].max(0)
    for place, other in enumerate(outlines):
        (start, upper), (end, lower) = other.min(0), other.max(0)
        if (
            place != number
            and upper < (top + bottom) / 2 < lower
            and start < left
            and left - end < tall
            and end < left + 2
        ):
            return False
    return True


def without_mark(grey: np.ndarray, mark: Mark) -> np.ndarray:
    """The line with paper in place of its mark, (height, width) uint8."""
    clean = grey.copy()
    clean[:, : mark.end + 1] = round(percentiles(grey, (75,))[0])
    return clean


def _is_bullet(piece: np.ndarray, height: int, middle: float) -> bool:
    tall, wide = piece.shape
    return (
        max(tall, wide) <= LARGEST_BULLET * height
        and ROUND[0] <= wide / tall <= ROUND[1]
        and piece.mean() >= FILLED_BULLET
        and 0.25 < middle < 0.8
    )


def _box(piece: np.ndarray, height: int) -> str | None:
    tall, wide = piece.shape
    if tall < LEAST_BOX * height or not SQUARE[0] <= wide / tall <= SQUARE[1] or min(tall, wide) < 8:
        return None
    contours, nesting = cv2.findContours(piece.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if nesting is None:
        return None
    outer = max((contour for contour, link in zip(contours, nesting[0], strict=True) if link[3] < 0), key=len)
    holes = [contour for contour, link in zip(contours, nesting[0], strict=True) if link[3] >= 0]
    if not holes or cv2.contourArea(cv2.convexHull(outer)) < SQUARE_HULL * (tall - 1) * (wide - 1):
        return None
    if not _has_corners(piece):
        return None
    left, top, across, down = cv2.boundingRect(np.concatenate(holes))
    left, top, across, down = left + 1, top + 1, across - 2, down - 2  # OpenCV's contour of a hole lies on the ink
    if min(across, down) < 4 or across * down < 0.3 * tall * wide:
        return None
    inside = piece[top : top + down, left : left + across]
    ink = float(inside.mean())
    hole = sum(map(cv2.contourArea, holes)) / ((across + 1) * (down + 1))
    if ink < TICK_INK:
        return BOX if hole >= SQUARE_HOLE else None
    # The corners of an empty or ticked box's inside are paper, those of a letter's are ink.
    high, low = max(1, down // 8), max(1, across // 8)
    corners = (inside[high, low], inside[high, -1 - low], inside[-1 - high, low], inside[-1 - high, -1 - low])
    return TICKED_BOX if ink < MOST_TICK and sum(map(bool, corners)) <= 1 else None


def _has_corners(piece: np.ndarray) -> bool:
    """Whether ink lies at all four corners of its bounding box, as of a box; letters round some of them off."""
    high, low = max(1, round(CORNER * piece.shape[0])), max(1, round(CORNER * piece.shape[1]))
    corners = (piece[:high, :low], piece[:high, -low:], piece[-high:, :low], piece[-high:, -low:])
    return all(corner.any() for corner in corners)
