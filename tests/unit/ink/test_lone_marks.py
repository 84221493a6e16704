"""Marks that stand alone are read by their shape, letters are not."""

from itertools import pairwise

import numpy as np
import pytest

from hwr_core.ink.handprint import write
from hwr_core.ink.lone_marks import lone_mark


def line(*points):
    """A stroke along these points, with a point every few units."""
    corners = np.array(points, float)
    return np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(corners)])


@pytest.mark.parametrize(
    ("strokes", "text"),
    [
        ([line((100, 100), (140, 101))], "-"),
        ([line((10, 50), (210, 44))], "-"),
        ([line((0, 0), (60, 2)), line((2, 20), (58, 22))], "="),
        ([np.array([[5.0, 5.0]])], "."),
        ([np.array([[x, 5.0]]) for x in (0.0, 30.0, 61.0)], "..."),
        ([np.array([[5.0, 0.0]]), np.array([[6.0, 40.0]])], ":"),
        ([line((0, 30), (15, 50), (60, 0))], "✓"),
    ],
)
def test_a_mark_alone_is_read_as_itself(strokes, text):
    assert lone_mark(strokes).text == text


@pytest.mark.parametrize(
    "text", ["a", "e", "l", "I", "v", "V", "7", "1", "L", "T", "o", "+", "x", "z", "u", "ii", "hello"]
)
def test_letters_are_no_marks(text):
    assert lone_mark(write(text)) is None


def test_a_small_blot_beside_writing_is_a_dot():
    blot = line((0, 0), (3, 2), (1, 4), (0, 0))
    assert lone_mark([blot], letter=60).text == "."
    assert lone_mark([10 * blot], letter=60) is None
