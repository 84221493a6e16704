"""Printed lines go, and what was written on them stays."""

import cv2
import numpy as np
import pytest

from hwr_core.imaging.ink_mask import without_rim
from hwr_core.imaging.ruling import without_faint_rules, without_ruling
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw


def writing() -> np.ndarray:
    strokes = [
        stroke + (60, 90 + 110 * row) for row in range(9) for stroke in write("some words here", height=46, seed=row)
    ]
    return draw(strokes, (1200, 850), 5)


@pytest.mark.parametrize(("level", "squared"), [(200, False), (150, False), (190, True)])
def test_ruled_lines_go_and_strokes_stay(level, squared):
    plain = writing()
    ruled = plain.copy()
    for y in range(40, 1200, 55):
        ruled[y : y + 3] = np.minimum(ruled[y : y + 3], level)
    for x in range(30, 850, 55) if squared else ():
        ruled[:, x : x + 2] = np.minimum(ruled[:, x : x + 2], level)
    cleaned = without_ruling(ruled)
    ink, paper = plain < 100, cv2.erode(plain, np.ones((9, 9), np.uint8)) == 255
    assert (ruled[paper] < 230).mean() > 0.03 and (cleaned[paper] < 230).mean() < 0.002
    assert (cleaned[ink] < 140).mean() > 0.99


def test_without_lines_a_page_is_left_as_it_is():
    plain = writing()
    assert np.array_equal(without_ruling(plain), plain)
    assert np.array_equal(without_ruling(plain[:6, :6]), plain[:6, :6])


def ruled(level: int) -> np.ndarray:
    """Writing on lines from edge to edge, which many letters touch."""
    page = writing()
    for y in range(40, 1200, 35):
        page[y : y + 2] = np.minimum(page[y : y + 2], level)
    return page


@pytest.mark.parametrize("level", [215, 190, 60])
def test_letters_that_touch_a_ruled_line_are_no_rim(level):
    ink = writing() < 100
    assert (without_rim(ruled(level))[ink] < 140).mean() > (
        0.97 if level > 100 else 0.8
    )  # as dark as ink, it takes where it runs


def test_a_bar_as_dark_as_the_ink_is_no_ruled_line():
    page = np.full((300, 600), 245, np.uint8)
    page[148:152, 40:560] = 30  # of a fraction that fills its photo
    page[40:90:49, 200:400] = 30
    assert np.array_equal(without_faint_rules(page), page)
    page[148:152, 40:560] = 200  # printed
    assert (without_faint_rules(page)[148:152] > 230).all()


def test_what_is_written_on_a_shadow_at_the_edge_stays():
    page = writing()
    light = 0.7 + 0.3 / (1 + np.exp(-(np.arange(850) - 200) / 15))  # from the left edge, as a fold's shadow is
    shadowed = (page * light).astype(np.uint8)
    seen = without_rim(shadowed)
    ink = page[:, :180] < 60
    assert ink.sum() > 1000
    assert (seen[:, :180][ink] < 140).mean() > 0.9
    assert np.median(shadowed[:, :180]) < 200 and np.median(seen[:, :180]) > 240
