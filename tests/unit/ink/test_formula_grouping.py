"""Formulas one below the other are parted; what belongs to one formula stays together."""

import numpy as np
import pytest

from hwr_core.ink.formula_grouping import group_boxes, group_into_formulas
from hwr_core.ink.handprint import write, write_formula


def boxes(*sides):
    return np.array(sides, float)


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("fraction", [(40, 0, 60, 60), (0, 80, 100, 83), (40, 100, 60, 160)]),
        ("fraction with a far numerator", [(40, 0, 60, 60), (0, 120, 100, 123), (40, 180, 60, 240)]),
        (
            "sum with limits",
            [(45, 0, 70, 30), (20, 50, 90, 190), (30, 215, 50, 245), (60, 225, 85, 235), (130, 90, 170, 150)],
        ),
        ("dot of an i", [(10, 0, 14, 4), (8, 40, 16, 100), (40, 40, 80, 100)]),
    ],
)
def test_parts_of_one_formula_stay_together(name, pieces):
    assert len(group_boxes(boxes(*pieces))) == 1


def test_a_minus_sign_is_no_bar_and_an_equals_sign_is_none():
    upper = [(0, 0, 30, 60), (50, 25, 80, 28), (50, 35, 80, 38), (100, 0, 130, 60)]
    lower = [(left, top + 140, right, bottom + 140) for left, top, right, bottom in upper]
    assert group_boxes(boxes(*upper, *lower)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("count", [2, 4, 6])
def test_formulas_below_one_another_are_lines_from_top_to_bottom(count):
    formula = write_formula(60)
    height = np.concatenate(formula)[:, 1].max() - np.concatenate(formula)[:, 1].min()
    strokes = [stroke + (0, number * (height + 70)) for number in reversed(range(count)) for stroke in formula]
    found = group_into_formulas(strokes)
    each = len(formula)
    assert found == [list(range(number * each, (number + 1) * each)) for number in reversed(range(count))]


def test_equations_of_one_line_each():
    strokes = write("x=2", 50) + [stroke + (0, 120) for stroke in write("y=5", 50)]
    assert len(group_into_formulas(strokes)) == 2


def test_no_strokes():
    assert group_into_formulas([]) == []
