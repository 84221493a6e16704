"""Two lines in one picture are two; long lines are cut between words."""

from itertools import pairwise

import numpy as np
import pytest

from hwr_core.imaging.line_image import clean_line, clean_line_and_mask
from hwr_core.imaging.line_parts import split_long, split_rows, split_white
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw, render_line


def line(text):
    return clean_line(render_line(write(text), 96, 5.0))


def test_two_lines_in_one_picture_are_two():
    strokes = [s + (20, 20) for s in write("upper line", 50)] + [s + (20, 120) for s in write("lower line", 50)]
    picture = clean_line(draw(strokes, (220, 500), 4))
    upper, lower = split_rows(picture)
    assert abs(len(upper) - len(lower)) < 0.4 * len(upper)
    known = split_rows(*clean_line_and_mask(draw(strokes, (220, 500), 4)))
    assert [part.shape for part in known] == [upper.shape, lower.shape]


@pytest.mark.parametrize("text", ["hello", "iii", "fjord", "i", "=", ":", "it's: a-b", "!!!", "x = y"])
def test_one_line_stays_one(text):
    assert len(split_rows(line(text))) == 1


def test_a_short_line_stays_whole():
    picture = line("meet me at the station")
    assert len(split_long(picture, 22, 16)) == 1


def test_a_long_line_is_cut_between_words_and_nothing_is_lost():
    picture = line("a long line of many words that goes on and on and never seems to end at all, or so it seems")
    parts = split_long(picture, 22, 16)
    assert len(parts) > 1
    assert np.concatenate(parts, 1).shape == picture.shape and (np.concatenate(parts, 1) == picture).all()
    for left, right in pairwise(parts):
        assert left[:, -1].min() > 200 and right[:, 0].min() > 200  # paper on both sides of the cut


@pytest.mark.parametrize("count", [2, 3])
def test_very_wide_white_parts_a_line_and_nothing_is_lost(count):
    strokes = [stroke + (900 * place, 0) for place in range(count) for stroke in write("tea", 60)]
    grey, mask = clean_line_and_mask(render_line(strokes, 96, 5.0))
    parts = split_white(grey, mask)
    assert len(parts) == count and parts[0][1][0] == 0 and parts[-1][1][1] == 1
    assert all(first[1][1] < second[1][0] for first, second in pairwise(parts))
    assert sum((part < 128).sum() for part, _ in parts) == (grey < 128).sum()
    assert all(part.shape[1] < 4 * part.shape[0] for part, _ in parts)


def test_white_between_words_and_columns_near_each_other_parts_nothing():
    strokes = [*write("tea", 60), *(stroke + (450, 0) for stroke in write("2.50", 60))]
    grey, mask = clean_line_and_mask(render_line(strokes, 96, 5.0))
    assert [span for _, span in split_white(grey, mask)] == [(0.0, 1.0)]
