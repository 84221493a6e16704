"""The dots of dotted paper go; the points of writing, and all other paper, stay."""

import cv2
import numpy as np
import pytest

from hwr_core.imaging.dot_grid import without_dots
from hwr_core.imaging.preprocess import preprocess
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line

PITCH = 31


@pytest.fixture
def page():
    grey = np.full((1000, 800), 240, np.uint8)
    for row in range(6):
        word = np.asarray(render_line(write("milk is on it.", seed=row), 48, 4).convert("L"))
        part = grey[80 + 150 * row :, 100:][: word.shape[0], : word.shape[1]]
        np.minimum(part, word[: part.shape[0], : part.shape[1]], out=part)
    return grey


def dotted(grey: np.ndarray, tilt: float = 0.0) -> np.ndarray:
    """The page on dotted paper; `tilt` in pixels to the right for each pixel down."""
    paper = np.full_like(grey, 240)
    for y in range(10, grey.shape[0], PITCH):
        for x in range(8, grey.shape[1], PITCH):
            cv2.circle(paper, (round(x + tilt * y), y), 2, 150, -1, cv2.LINE_AA)
    noise = np.random.default_rng(1).normal(0, 2, grey.shape)
    return np.clip(np.minimum(grey, cv2.GaussianBlur(paper, (0, 0), 0.8)) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("tilt", [0.0, 0.03])
@pytest.mark.parametrize("scale", [1, 2])
def test_dots_of_the_paper_go_and_writing_stays(page, tilt, scale):
    size = (800 * scale, 1000 * scale)
    given = cv2.resize(dotted(page, tilt), size, interpolation=cv2.INTER_CUBIC)
    plain = without_dots(given)
    assert plain is not None
    wanted = cv2.resize(page, size, interpolation=cv2.INTER_CUBIC)
    free = cv2.erode(wanted, np.ones((25, 25), np.uint8)) > 235  # far from writing
    assert np.mean(plain[free] < 215) < 0.02 * np.mean(given[free] < 215), "but for single ones at the edge"
    ink = wanted < 100
    assert np.mean(plain[ink] < 160) > 0.97, "points of the writing stay, but for some that stand where a dot does"


def test_the_step_is_shown_and_can_be_left_out(page):
    assert "Printed dots removed" in [step.name for step in preprocess(dotted(page)).steps]
    assert "Printed dots removed" not in [step.name for step in preprocess(page).steps]


def test_other_paper_has_no_dots(page):
    assert without_dots(page) is None
    squared = page.copy()
    squared[::PITCH] = squared[:, ::PITCH] = 180
    assert without_dots(squared) is None
    grain = np.random.default_rng(2).normal(0, 12, page.shape)
    assert without_dots(np.clip(page + grain, 0, 255).astype(np.uint8)) is None


def test_points_that_someone_wrote_are_no_grid(page):
    rng = np.random.default_rng(4)
    for x, y in zip(rng.integers(20, 780, 300), rng.integers(20, 980, 300), strict=True):
        cv2.circle(page, (int(x), int(y)), 2, 60, -1, cv2.LINE_AA)
    for place in range(24):  # dots to be filled in, in a row
        cv2.circle(page, (100 + 20 * place, 40), 2, 60, -1, cv2.LINE_AA)
    assert without_dots(page) is None


def test_dotted_lines_to_write_on_stay(page):
    for y in range(60, 1000, 75):
        for x in range(300, 780, 12):
            cv2.circle(page, (x, y), 2, 120, -1, cv2.LINE_AA)
    assert without_dots(page) is None
