"""Lines are put in the order in which they are read."""

import numpy as np
import pytest

from hwr_core.layout.reading_order import reading_order
from tests.support.pictures import box_outline as box


def order(outlines, lean=0.0):
    """The names of boxes in reading order, the page leaning by `lean` pixels a pixel."""
    leaning = {
        name: outline + np.stack([lean * outline[:, 1], 0 * outline[:, 1]], 1) for name, outline in outlines.items()
    }
    found = reading_order(list(leaning.values()))
    return [next(name for name, outline in leaning.items() if outline is one) for one in found]


@pytest.mark.parametrize("lean", [0.0, -0.015, 0.02])
def test_columns_are_read_one_after_the_other_also_where_the_fold_leans(lean):
    left = {f"left {n}": box(50, 120 * n, 900, 120 * n + 90) for n in range(20)}
    right = {f"right {n}": box(930, 120 * n + 5, 1800, 120 * n + 95) for n in range(20)}
    assert order({**right, **left}, lean) == [*left, *right]


def test_pieces_of_a_few_rows_are_read_along_the_rows():
    form = {}
    for n, label in enumerate(("name", "street", "town", "date")):
        form[label] = box(50, 100 * n, 250, 100 * n + 60)
        form[f"{label} filled in"] = box(290, 100 * n, 700, 100 * n + 60)
    assert order(form) == list(form)


def test_a_page_number_between_two_columns_parts_nothing():
    left = {f"left {n}": box(50, 100 * n, 700, 100 * n + 60) for n in range(5)}
    right = {f"right {n}": box(1000, 100 * n, 1600, 100 * n + 60) for n in range(5)}
    found = order({**left, "12": box(830, 480, 870, 540), **right})
    assert [name for name in found if name != "12"] == [*left, *right]
