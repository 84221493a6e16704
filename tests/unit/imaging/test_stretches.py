"""White parts formulas that stand side by side, and an exercise's number from its formula; single signs stay with their neighbours."""

import numpy as np
import pytest

from hwr_core.imaging.line_image import clean_line_and_mask
from hwr_core.imaging.stretches import side_by_side
from hwr_core.ink.formula import mask_size, render_formula
from hwr_core.ink.handprint import write

HEIGHT = 60.0


def ways(*texts, white=2.5):
    """The ways to part texts with so much white between them, in their height."""
    strokes, end = [], 0.0
    for text in texts:
        ink = write(text, HEIGHT)
        left = min(stroke[:, 0].min() for stroke in ink)
        strokes += [stroke + (end - left, 0) for stroke in ink]
        end = max(stroke[:, 0].max() for stroke in strokes) + white * HEIGHT
    line, mask = clean_line_and_mask(render_formula(strokes))
    return side_by_side(line, mask, mask_size(mask))


def test_equations_with_wide_white_between_them_are_two_and_nothing_is_lost():
    ((left, right),) = ways("2x+3=7", "x=2")
    assert left.span[0] == 0 and left.span[1] == right.span[0] and right.span[1] == 1
    assert left.white == 0 and right.white > 2
    assert left.picture.shape[1] > right.picture.shape[1]
    assert all((part.picture < 128).any() for part in (left, right))
    assert len(ways("2x+3=7", "x=2", "y=4+3")[0]) == 3


@pytest.mark.parametrize("texts", [("2x+3=7",), ("x", "=", "3"), ("y", "=2x"), ("f", "(x)"), ("a+x", "c")])
def test_one_formula_and_single_signs_with_white_around_them_are_not_parted(texts):
    assert ways(*texts, white=1.8) == []


def test_equations_near_each_other_are_not_parted():
    assert ways("2x+3=7", "x=2", white=0.8) == []


@pytest.mark.parametrize("number", ["1)", "a)", "(2)", "3."])
def test_what_looks_like_an_exercises_number_is_tried_by_itself_even_with_little_white(number):
    first = ways(number, "x+2=7", white=0.9)[0]
    assert len(first) == 2 and first[0].pieces == len(number)
    assert first[0].picture.shape[1] < first[1].picture.shape[1]


def test_behind_a_number_formulas_are_tried_apart_and_together():
    tried = ways("1)", "x+2=7", "y=3+4")
    assert [len(way) for way in tried] == [3, 2, 2]


@pytest.mark.parametrize("text", ["1x", "x(", "l1"])
def test_what_no_closing_bracket_or_dot_ends_is_no_number(text):
    assert ways(text, "x+2=7", white=0.9) == []


def test_a_blank_or_tiny_picture_is_not_parted():
    assert side_by_side(np.full((40, 90), 255, np.uint8), np.zeros((40, 90), bool), 20.0) == []
    assert ways("1") == []
