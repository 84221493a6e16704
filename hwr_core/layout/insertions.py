"""Words that were inserted between two lines: they are read after the lower one, over which they are written."""

from collections.abc import Sequence

import numpy as np

LEAST_LINES = 5  # of a page, so that their usual distance is known
LONGER = 2.5  # how many times longer than inserted words the lines around them are
NEAR = 1.4  # of the usual distance of two lines: how far those around inserted words are apart at most
BEYOND = 0.25  # of the inserted words' length: how far they may reach beyond the end of the line below


def with_insertions(outlines: Sequence[np.ndarray], cells: Sequence[bool]) -> list[int]:
    """The numbers of a page's lines in reading order, inserted words after the line below them.

    Args:
        outlines: Corners (4, 2) of the lines in pixels, clockwise from the top left, from the top of the page.
        cells: Which of them are cells of a table; these stay where they are.
    """
    order = list(range(len(outlines)))
    if len(order) < LEAST_LINES:
        return order
    middles = np.array([outline[:, 1].mean() for outline in outlines])
    pitch = float(np.median(np.abs(np.diff(middles))))
    place = 1
    while place < len(order) - 1:
        above, words, below = outlines[place - 1 : place + 2]
        if not any(cells[place - 1 : place + 2]) and _is_inserted(above, words, below, pitch):
            order[place : place + 2] = [place + 1, place]
            place += 1
        place += 1
    return order


def _is_inserted(above: np.ndarray, words: np.ndarray, below: np.ndarray, pitch: float) -> bool:
    """Whether words stand between two lines that are as near to one another as lines usually are."""
    left, right = words[:, 0].min(), words[:, 0].max()
    if min(np.ptp(line[:, 0]) for line in (above, below)) < LONGER * (right - left):
        return False
    if left < below[:, 0].min() or right > below[:, 0].max() + BEYOND * (right - left):
        return False
    upper, lower = (_middle_at(line, (left + right) / 2) for line in (above, below))
    return bool(upper < words[:, 1].mean() < lower <= upper + NEAR * pitch)


def _middle_at(outline: np.ndarray, x: float) -> float:
    """The height in pixels of a line's middle at `x`, beyond its ends too."""
    start, end = (outline[0] + outline[3]) / 2, (outline[1] + outline[2]) / 2
    return float(start[1] + (x - start[0]) / max(end[0] - start[0], 1e-6) * (end[1] - start[1]))
