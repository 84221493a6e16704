"""Regions of a page: joined, added in reading order, taken to another view and back, and corrections that stay."""

import numpy as np
import pytest
from PIL import Image

from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.regions import (
    Region,
    box_on,
    corrected,
    joined,
    region_at,
    regions_of,
    with_added,
    with_drawn,
)
from hwr_core.reading import Line, Page, Reading
from tests.support.pictures import box_outline as box

UPRIGHT = np.eye(3)
ON_ITS_SIDE = np.array([[0, -1, 1000], [1, 0, 0], [0, 0, 1]], float)  # a view whose x runs down the photo


def row(number, left=100, right=900):
    return region_at((left, 100 * number, right, 100 * number + 60), UPRIGHT)


def line(region, text, confidence=0.5):
    return Line(
        (0, 0, 1, 1), Image.new("L", (4, 4)), Reading(text, confidence, (confidence,) * len(text)), region.outline
    )


@pytest.mark.parametrize("view", [UPRIGHT, ON_ITS_SIDE, np.diag([2.0, 2.0, 1.0])])
def test_a_box_is_taken_to_the_photo_and_back(view):
    assert box_on(region_at((30, 40, 330, 90), view), view) == (30, 40, 330, 90)


def test_found_lines_become_regions_of_the_photo():
    found = [FoundLine(box(10, 20, 110, 50), np.zeros((30, 100), np.uint8))]
    assert regions_of(found, np.diag([3.0, 3.0, 1.0])) == (Region(((30, 60), (330, 60), (330, 150), (30, 150))),)


def test_two_pieces_are_joined_in_the_direction_of_the_wider():
    first, second = region_at((100, 100, 500, 160), UPRIGHT), region_at((520, 105, 700, 150), UPRIGHT, formula=True)
    assert joined([second, first]) == Region(((100, 100), (700, 100), (700, 160), (100, 160)))
    up = region_at((100, 100, 500, 160), ON_ITS_SIDE)
    assert box_on(joined([up, region_at((520, 105, 700, 150), ON_ITS_SIDE)]), ON_ITS_SIDE) == (100, 100, 700, 160)


def test_a_drawn_box_comes_where_it_is_read():
    regions = (row(0), row(2), row(3))
    assert with_added(regions, row(1), UPRIGHT) == (row(0), row(1), row(2), row(3))
    assert with_added(regions, row(4), UPRIGHT)[-1] == row(4)
    assert with_added((), row(4), UPRIGHT) == (row(4),)
    changed = (row(3), row(0))  # as a person put them
    assert with_added(changed, row(4), UPRIGHT) == (row(3), row(4), row(0)), "the order that a person chose stays"


def test_a_drawn_region_replaces_those_that_it_encloses():
    start = (row(0, 0, 400), row(1, 0, 400), row(2, 0, 400))
    around = region_at((0, -5, 900, 95), UPRIGHT, formula=True)
    assert with_drawn(start, around, UPRIGHT) == (around, *start[1:])
    beside = region_at((300, 105, 800, 155), UPRIGHT)
    assert set(start) < set(with_drawn(start, beside, UPRIGHT))
    assert with_drawn(start, around, np.diag([0.5, 0.5, 1.0])) == (around, *start[1:])


def test_a_correction_stays_where_the_line_is_found_a_little_aside():
    page = Page((line(row(0), "helo"), line(row(1), "world")), (1000, 400))
    aside = region_at((104, 3, 905, 62), UPRIGHT).outline
    shown = corrected(page, {aside: "hello"})
    assert shown.text == "hello\nworld" and shown.lines[0].corrected and not shown.lines[1].corrected
    assert corrected(page, {region_at((0, 900, 50, 950), UPRIGHT).outline: "nowhere"}) == page


def test_of_two_corrections_each_goes_to_its_own_line():
    page = Page(tuple(line(row(number), str(number)) for number in range(300)), (1000, 40_000))
    shown = corrected(page, {row(number).outline: f"line {number}" for number in range(0, 300, 2)})
    assert [one.corrected for one in shown.lines] == [number % 2 == 0 for number in range(300)]
