"""Words that were inserted between two lines."""

import numpy as np
import pytest

from hwr_core.layout.reading_order import reading_order


def box(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


LINES = [box(50, 80 * row, 900 - 20 * (row % 2), 80 * row + 56) for row in range(6)]


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (box(500, 202, 640, 240), 4),  # over the fourth line
        (box(500, 480, 640, 536), 6),  # a line of its own below the others
    ],
)
def test_inserted_words_are_read_after_the_line_below_them(words, place):
    outlines = [*LINES, words]
    order = [piece for line in reading_order(outlines) for piece in line.pieces]
    assert order == [*range(place), 6, *range(place, 6)]


def test_a_short_line_between_two_long_ones_stays_in_its_place():
    lines = [*LINES[:3], box(50, 240, 200, 296), *(line + (0, 80) for line in LINES[3:])]
    assert [line.pieces for line in reading_order(lines)] == [(number,) for number in range(7)]
