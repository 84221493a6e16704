"""Writing in none of a page's lines is reported; shadows and the edges of the sheet are not."""

import cv2
import numpy as np
import pytest

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.unfound import unfound_ink

LINE = np.array([(100, 100), (700, 100), (700, 160), (100, 160)], float)  # the page's one line that was found


@pytest.fixture
def page():
    grey = np.full((900, 1000), 245, np.uint8)
    put(grey, "a line that was found", 100, 105)
    return grey


def put(grey: np.ndarray, text: str, left: int, top: int, height: int = 48, pen: float = 4) -> None:
    """Writes a text on the page; its strokes are `pen` pixels wide at a height of 48."""
    word = np.asarray(render_line(write(text), height, pen).convert("L"))
    part = grey[top : top + word.shape[0], left : left + word.shape[1]]
    np.minimum(part, word[: part.shape[0], : part.shape[1]], out=part)


def test_a_word_that_no_line_holds_is_reported(page):
    assert unfound_ink(page, [LINE]) == []
    put(page, "lost", 400, 500)
    boxes = np.array(unfound_ink(page, [LINE]))
    written = np.argwhere(page[450:] < 128) + (450, 0)
    assert boxes[:, :2].min(0) == pytest.approx(written.min(0)[::-1], abs=5)
    assert boxes[:, 2:].max(0) == pytest.approx(written.max(0)[::-1], abs=5)


def test_a_word_in_marker_beside_fine_writing_is_reported(page):
    put(page, "lost", 300, 450, height=150, pen=18)
    assert unfound_ink(page, [LINE])


def test_words_on_one_rule_are_reported_and_the_rule_is_not(page):
    for top in (520, 620):
        cv2.line(page, (150, top), (850, top + 4), 100, 3)
    assert unfound_ink(page, [LINE]) == []
    put(page, "lost on a rule", 200, 478)
    put(page, "and more", 560, 478)
    boxes = np.array(unfound_ink(page, [LINE]))
    assert boxes[:, 1].min() < 500 and boxes[:, 3].max() < 560
    assert boxes[:, 0].min() < 280 and boxes[:, 2].max() > 680


def test_what_the_cells_of_a_table_leave_of_its_rules_is_not(page):
    for top in (400, 500, 600):
        cv2.line(page, (150, top), (850, top + 3), 90, 3)
    for left in (150, 380, 610, 850):
        cv2.line(page, (left, 400), (left + 2, 602), 90, 3)
    cells = []
    for row in (412, 512):
        for left in (170, 400, 630):
            put(page, "12", left, row + 12)
            box = np.array(
                [(left - 8, row + 6), (left + 60, row + 6), (left + 60, row + 66), (left - 8, row + 66)], float
            )
            cells.append(box)
    assert unfound_ink(page, [LINE, *cells]) == []
    put(page, "lost", 700, 520)
    assert unfound_ink(page, [LINE, *cells])


@pytest.mark.parametrize("softness", [1, 12])
def test_a_shadow_or_a_thing_in_the_picture_is_not(page, softness):
    shade = np.zeros(page.shape, np.float32)
    cv2.fillConvexPoly(shade, np.array([(820, 500), (900, 520), (930, 690), (850, 640)]), 150.0)
    darker = page - cv2.GaussianBlur(shade, (0, 0), softness)
    assert unfound_ink(darker.clip(0, 255).astype(np.uint8), [LINE]) == []


def test_the_edge_of_the_sheet_is_not(page):
    cv2.line(page, (988, 300), (988, 380), 60, 12)
    cv2.line(page, (200, 889), (280, 889), 60, 12)
    assert unfound_ink(page, [LINE]) == []
