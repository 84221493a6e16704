"""A notebook's binding is cut off; writing at the side of a page is not."""

import cv2
import numpy as np
import pytest

from hwr_core.imaging.binding import without_binding
from hwr_core.imaging.preprocess import preprocess
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line

HOLES = 46  # pixels from the side to the middle of a hole


@pytest.fixture
def page():
    grey = np.full((1000, 800), 240, np.uint8)
    for row in range(9):
        put(grey, ("milk and bread", "see you", "on the way")[row % 3], 130, 60 + 100 * row)
        cv2.line(grey, (0, 118 + 100 * row), (799, 122 + 100 * row), 190, 2)
    return grey


def put(grey: np.ndarray, text: str, left: int, top: int) -> None:
    word = np.asarray(render_line(write(text), 48, 4).convert("L"))
    part = grey[top : top + word.shape[0], left : left + word.shape[1]]
    np.minimum(part, word[: part.shape[0], : part.shape[1]], out=part)


def bind(grey: np.ndarray, apart: int = 37) -> None:
    """Holes and a wire on the left side, some pixels off their places."""
    rng = np.random.default_rng(3)
    for y in range(14, len(grey), apart):
        x, y = HOLES + int(rng.integers(-2, 3)), y + int(rng.integers(-1, 2))
        cv2.circle(grey, (x, y), 10, 60, -1, cv2.LINE_AA)
        cv2.line(grey, (0, y - 6), (x, y), 130, 5, cv2.LINE_AA)


@pytest.mark.parametrize("apart", [23, 37, 60])
@pytest.mark.parametrize("turns", range(4))
def test_a_binding_at_any_side_is_cut_off_and_nothing_else(page, apart, turns):
    assert without_binding(np.rot90(page, turns)) is None
    bind(page, apart)
    inside = without_binding(np.ascontiguousarray(np.rot90(page, turns)))
    assert inside is not None
    left, top, right, bottom = inside
    kept = np.rot90(np.rot90(page, turns)[top:bottom, left:right], -turns)
    assert kept.shape[0] == 1000 and HOLES + 8 < 800 - kept.shape[1] < 135
    cleaned = preprocess(np.rot90(page, turns))
    assert "Binding cut off" in [step.name for step in cleaned.steps]


def test_the_page_in_the_photo_is_where_it_was(page):
    bind(page)
    cleaned = preprocess(page)
    corner = cleaned.to_photo @ (0, 0, 1)
    x, y = (corner[:2] / corner[2]).round().astype(int)
    assert x > HOLES + 8
    part = page[y + 40 : y + 90, x + 40 : x + 300].astype(float)
    assert np.corrcoef(part.ravel(), cleaned.image[40:90, 40:300].ravel())[0, 1] > 0.95


@pytest.mark.parametrize("mark", ["-", "1", "o"])
def test_a_column_of_marks_at_the_side_stays(page, mark):
    for row in range(9):
        put(page, mark, 40, 60 + 100 * row)
    assert without_binding(page) is None


def test_numbered_lines_at_the_side_stay():
    grey = np.full((1000, 800), 240, np.uint8)
    for row in range(20):
        put(grey, str(row + 1), 20, 10 + 49 * row)
        put(grey, "see you at the station", 150, 10 + 49 * row)
    assert without_binding(grey) is None


def test_a_dark_edge_and_a_blank_page_have_no_binding():
    grey = np.full((1000, 800), 240, np.uint8)
    assert without_binding(grey) is None and without_binding(grey[:20]) is None
    grey[:, :40] = np.linspace(60, 240, 40)
    assert without_binding(grey) is None


def test_ruled_lines_that_bend_at_the_spine_of_a_book_are_no_binding(page):
    bent = np.full_like(page, 240)
    for top in range(20, 1000, 64):
        points = [(x, round(top + 45 * np.exp(-x / 120))) for x in range(0, 800, 10)]
        cv2.polylines(bent, [np.array(points, np.int32)], False, 150, 2, cv2.LINE_AA)
    assert without_binding(bent) is None
    bent[:, 100:] = np.minimum(bent, page)[:, 100:]
    bent[:, 60:100] = 240  # where the lines are level they are taken off
    assert without_binding(bent) is None
