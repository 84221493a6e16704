"""Pictures of more than a reader takes at once: two lines in one picture, lines with wide white, lines longer than it reads well."""

import math
from itertools import pairwise

import numpy as np

from hwr_core.imaging.ink_mask import line_mask
from hwr_core.reading import Span

WHITE = 6.0  # of a line's height: white in a row from which what stands on its sides is read by itself
PAPER = 0.1  # of a line's height: the white that stays beside it then
ROW_HEIGHT = 0.28  # of the picture's ink height: each of two lines is at least as high
ROW_INK = 0.15  # of the picture's ink: each of two lines has at least as much
ROW_LENGTH = 1.5  # width by height of a line at least: dots and accents are shorter
ROW_WHITE = 0.03  # of the picture's ink height: white between two lines
CUT_REACH = 0.35  # of a part's length: how far from its even place a cut may lie


def split_rows(grey: np.ndarray, mask: np.ndarray | None = None) -> list[np.ndarray]:
    """Splits a picture of two or more lines, one below the other, where white runs between them.

    Args:
        grey: Dark writing on light paper, cropped to the ink, (height, width) uint8.
        mask: `line_mask(grey)`, if known.

    Returns:
        The pictures of the lines from the top; the picture alone if it is of one line.
    """
    mask = line_mask(grey) if mask is None else mask
    rows = mask.sum(1)
    inked = np.flatnonzero(rows)
    if len(inked) < 8:
        return [grey]
    height = int(inked[-1] - inked[0] + 1)
    breaks = inked[np.flatnonzero(np.diff(inked) > max(2, ROW_WHITE * height))]
    for end in breaks.tolist():
        upper, lower = mask[: end + 1], mask[end + 1 :]
        if _is_line(upper, mask, height) and _is_line(lower, mask, height):
            start = int(np.flatnonzero(lower.any(1))[0]) + end + 1
            cut = (end + start + 1) // 2
            return [*split_rows(grey[:cut]), *split_rows(grey[cut:])]
    return [grey]


def _is_line(part: np.ndarray, whole: np.ndarray, height: int) -> bool:
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    if not len(rows):
        return False
    tall, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    return bool(tall >= ROW_HEIGHT * height and wide >= ROW_LENGTH * tall and part.sum() >= ROW_INK * whole.sum())


def split_white(grey: np.ndarray, mask: np.ndarray) -> list[tuple[np.ndarray, Span]]:
    """Splits a line at very wide white, in which a decoder would repeat itself: an item and its price.

    Args:
        grey: Dark writing on light paper, cropped to the ink, (height, width) uint8.
        mask: Where its ink is, (height, width) bool.

    Returns:
        The parts from the left, each with from where to where it goes, 0 to 1 of the width.
    """
    height, width = grey.shape
    inked = np.flatnonzero(mask.any(0))
    ends = np.flatnonzero(np.diff(inked) > WHITE * height)
    if not len(ends):
        return [(grey, (0.0, 1.0))]
    paper = round(PAPER * height)
    starts = [0, *(int(inked[end + 1]) - paper for end in ends)]
    stops = [*(int(inked[end]) + 1 + paper for end in ends), width]
    return [(grey[:, start:stop], (start / width, stop / width)) for start, stop in zip(starts, stops, strict=True)]


def split_long(grey: np.ndarray, longest: float, part: float) -> list[np.ndarray]:
    """Splits a long line at gaps between its words.

    Args:
        grey: Dark writing on light paper, cropped to the ink, (height, width) uint8.
        longest: Width by height up to which a line stays whole.
        part: Width by height of the parts of a longer one, about.

    Returns:
        The parts from the left.
    """
    height, width = grey.shape
    if width <= longest * height:
        return [grey]
    count = math.ceil(width / (part * height))
    ink = line_mask(grey).sum(0)
    cuts = [_cut_near(ink, round(width * number / count), CUT_REACH * width / count) for number in range(1, count)]
    edges = [0, *sorted(set(cuts)), width]
    return [grey[:, left:right] for left, right in pairwise(edges) if right - left > 2]


def _cut_near(ink: np.ndarray, place: int, reach: float) -> int:
    """The middle of the widest gap within `reach` columns of `place`; where there is none, the column with the least ink."""
    low, high = max(1, round(place - reach)), min(len(ink) - 1, round(place + reach))
    columns = np.arange(low, high)
    empty = columns[ink[low:high] == 0]
    if not len(empty):
        return int(columns[np.argmin(ink[low:high] * 1000 + np.abs(columns - place) / max(reach, 1))])
    runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
    # Wide gaps are spaces between words; of two alike, the nearer one.
    best = max(runs, key=lambda run: len(run) - 0.3 * len(ink[low:high]) * abs(run.mean() - place) / reach / 20)
    return int(best[len(best) // 2])
