"""Lines that the detector missed are found in a second search; what is no word is not searched for."""

import cv2
import numpy as np
import pytest

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout import line_detection
from hwr_core.layout.line_detection import detect
from hwr_core.layout.missed_lines import missed_outlines
from hwr_core.layout.outlines import overlap
from tests.support.pictures import box_outline as box

TEXTS = ("good morning martha", "see you in the evening", "we are on the way")


@pytest.fixture
def page():
    grey = np.full((560, 900), 245, np.uint8)
    for row, text in enumerate(TEXTS):
        line = np.asarray(render_line(write(text, seed=row), 64, 4).convert("L"))
        part = grey[60 + 110 * row :, 60:][: line.shape[0], : line.shape[1]]
        np.minimum(part, line[: part.shape[0], : part.shape[1]], out=part)
    return grey


@pytest.fixture
def seen():
    """The pictures that the detector is shown in the second search."""
    return []


def outlines(page: np.ndarray) -> list[np.ndarray]:
    found = line_detection._detected(page)
    assert len(found) >= len(TEXTS)
    return sorted(found, key=lambda outline: outline[:, 1].mean())


@pytest.mark.parametrize("missed", range(3))
def test_what_a_first_search_misses_a_second_one_finds(page, monkeypatch, missed):
    usual, calls = line_detection._detected, []
    middle = 60 + 110 * missed + 35

    def first_misses_a_line(small):
        calls.append(small)
        found = usual(small)
        return found if len(calls) > 1 else [one for one in found if abs(one[:, 1].mean() - middle) > 50]

    whole = outlines(page)
    monkeypatch.setattr(line_detection, "_detected", first_misses_a_line)
    found = detect(page)
    assert len(calls) == 2
    assert all(any(overlap(one, other) > 0.5 for other in found) for one in whole)


def test_a_page_whose_lines_are_all_found_is_seen_once(page, seen):
    cv2.line(page, (40, 420), (860, 424), 60, 3)  # a rule
    cv2.circle(page, (700, 480), 4, 40, -1)  # a dot
    assert missed_outlines(page, outlines(page), seen.append) == [] and not seen
    assert missed_outlines(page, [], seen.append) == [] and not seen


def test_the_second_search_sees_none_of_the_lines_that_were_found(page, seen):
    first, second, third = outlines(page)[:3]

    def see(picture):
        seen.append(picture)
        wide = second + np.array([(-10, -50), (10, -50), (10, 50), (-10, 50)])  # reaches into its neighbours
        return [wide, first, box(20, 450, 400, 520)]

    [found] = missed_outlines(page, [first, third], see)
    assert overlap(found, second) > 0.6, "it is trimmed to the ink that was left"
    left, top, right, bottom = 80, int(second[:, 1].min()), 500, int(second[:, 1].max())
    assert seen[0][top:bottom, left:right].min() < 100 < 200 < seen[0][60:110, left:right].min()


def test_a_missed_line_on_a_fold_is_found_and_the_fold_alone_is_not(page, seen):
    first, second, third = outlines(page)[:3]
    y = int(second[:, 1].mean())
    folded = page.copy()
    cv2.line(folded, (0, y), (899, y + 2), 120, 8)
    [found] = missed_outlines(folded, [first, third], lambda picture: [second])
    assert overlap(found, second) > 0.6
    assert missed_outlines(folded, [first, second, third], seen.append) == [] and not seen
