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
    names = list(leaning)
    return [names[piece] for line in reading_order(list(leaning.values())) for piece in line.pieces]


def rows(outlines):
    """The names of the lines, those of a table's row together."""
    names, found = list(outlines), []
    before = None
    for line in reading_order(list(outlines.values())):
        words = [names[piece] for piece in line.pieces]
        place = None if line.cell is None else (line.cell.table, line.cell.row)
        if place is not None and place == before:
            found[-1].append(words)
        else:
            found.append([words])
        before = place
    return found


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


def test_a_column_of_numbers_is_no_prose_however_long_they_are():
    widths = (320, 260, 120, 200, 110, 280)
    names = [box(100, 90 * n, 100 + width, 90 * n + 60) for n, width in enumerate(widths)]
    phones = [box(900, 90 * n, 1000 + width, 90 * n + 60) for n, width in enumerate(reversed(widths))]
    lines = reading_order([*names, *phones], range(6, 12))
    assert [line.pieces for line in lines] == [(n + side,) for n in range(6) for side in (0, 6)]
    assert [line.cell.column for line in lines] == [0, 1] * 6
    down = reading_order([*names, *phones])
    assert [line.pieces for line in down] == [(n,) for n in range(12)] and not any(line.cell for line in down)


def prose(left, top, count, pitch=90, width=700):
    return {
        f"{left}/{n}": box(left, top + pitch * n, left + width - 37 * (n % 4), top + pitch * n + 60)
        for n in range(count)
    }


def test_prose_in_two_columns_whose_lines_are_level_is_read_one_column_after_the_other():
    left, right = prose(50, 100, 6), prose(900, 103, 6)
    assert order({**right, **left}) == [*left, *right]


def test_a_heading_above_two_columns_does_not_hide_them():
    left, right = prose(50, 200, 6), prose(900, 205, 6)
    heading = {"heading": box(50, 40, 1500, 130)}
    assert order({**right, **left, **heading}) == ["heading", *left, *right]


def test_items_and_prices_stay_together_also_where_a_price_lacks():
    table = {}
    for n, item in enumerate(("bread", "milk", "two bottles of oil", "tea", "salt")):
        table[item] = box(50, 90 * n, 50 + 40 * len(item), 90 * n + 60)
        if item != "tea":
            table[f"{item}'s price"] = box(1100, 90 * n + 4, 1210, 90 * n + 58)
    found = rows(table)
    assert [["bread"], ["bread's price"]] in found
    assert [["tea"]] in found
    assert len(found) == 5


def test_a_note_in_the_margin_stands_apart():
    text = prose(50, 100, 6)
    note = {"see": box(1000, 285, 1150, 325), "page 12": box(1000, 345, 1140, 385)}
    assert order({**note, **text}) == [*text, *note]


def test_digits_in_a_grid_are_cells_of_rows():
    grid = {
        f"{row}{column}": box(90 + 120 * column, 100 * row, 160 + 120 * column, 100 * row + 80)
        for row in range(4)
        for column in range(5)
    }
    found = rows(grid)
    assert [[cell[0] for cell in row] for row in found] == [
        [f"{row}{column}" for column in range(5)] for row in range(4)
    ]


def test_a_line_that_was_found_in_two_parts_is_one_line():
    parts = {
        "first half": box(50, 100, 500, 160),
        "second half": box(480, 102, 900, 161),
        "next line": box(50, 200, 880, 260),
    }
    assert rows(parts) == [[["first half", "second half"]], [["next line"]]]


def test_columns_of_five_lines_are_told_apart_by_little_white():
    left, right = prose(50, 100, 5), prose(790, 103, 5)
    assert order({**right, **left}) == [*left, *right]
