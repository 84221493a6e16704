"""List marks are told by their shape; letters and digits are none."""

import cv2
import numpy as np
import pytest

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.marks import leading_mark, with_bullets, without_mark


def marked(draw, text="milk and bread"):
    line = np.asarray(render_line(write(text), 96, 5.0))
    picture = np.full((96, 90 + line.shape[1]), 255, np.uint8)
    picture[:, 90:] = line
    draw(picture)
    return picture


def bullet(picture):
    cv2.circle(picture, (40, 55), 9, 0, -1)


def box(picture):
    cv2.rectangle(picture, (15, 25), (65, 75), 0, 4)


def ticked(picture):
    box(picture)
    cv2.polylines(picture, [np.array([[24, 50], [36, 66], [58, 34]])], False, 0, 4)


@pytest.mark.parametrize(("draw", "text"), [(bullet, "•"), (box, "☐"), (ticked, "☑")])
def test_a_mark_before_a_line_is_told_and_taken_out(draw, text):
    picture = marked(draw)
    mark = leading_mark(picture)
    assert mark.text == text and not mark.alone
    rest = without_mark(picture, mark)
    assert rest[:, : mark.end].min() == 255
    assert (rest[:, 90:] == picture[:, 90:]).all()


@pytest.mark.parametrize(
    "text", ["O no", "o yes", "D day", "0 and 1", "B B", "8 8", "i am", "a b", "6 of 7", ". dot", "- dash"]
)
def test_letters_and_digits_are_no_marks(text):
    assert leading_mark(np.asarray(render_line(write(text), 96, 5.0))) is None


def outline(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


@pytest.mark.parametrize(("draw", "joined"), [(bullet, True), ("1", False), ("7", False)])
def test_a_page_number_before_an_entry_of_the_next_column_is_no_bullet(draw, joined):
    picture = marked((lambda _: None) if isinstance(draw, str) else draw)
    if isinstance(draw, str):
        digit = np.asarray(render_line(write(draw), 30, 4.0))[:, :28]
        picture[40:70, 28 : 28 + digit.shape[1]] = digit
    pieces = [outline(27, 39, 57, 71), outline(88, 2, picture.shape[1] - 2, 94)]
    assert len(with_bullets(picture, pieces)) == (1 if joined else 2)


def test_blank_paper_has_no_mark():
    assert leading_mark(np.full((60, 200), 240, np.uint8)) is None
