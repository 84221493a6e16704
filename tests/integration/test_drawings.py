"""What people write first, drawn by script in five hands (training/evaluation/drawn), is read by the shipped checkpoint."""

import numpy as np
import pytest

from hwr_core import read_ink
from hwr_core.ink.strokes import level, render_line
from hwr_core.metrics import cer
from training.evaluation.drawn import STYLES, drawings, write


@pytest.fixture(scope="module")
def texts(recognizer):
    """Every drawing and its reading."""
    images = [
        render_line(level(drawing.strokes), recognizer.ink_height, recognizer.ink_stroke_width)
        for drawing in drawings()
    ]
    return list(zip(drawings(), [reading.text for reading in recognizer.read(images)], strict=True))


def test_the_drawings_are_always_the_same_and_of_every_kind_and_hand():
    first, second = drawings(), drawings()
    assert len(first) == 318
    assert {drawing.style for drawing in first} == set(STYLES)
    assert all(
        np.array_equal(a, b)
        for one, two in zip(first, second, strict=True)
        for a, b in zip(one.strokes, two.strokes, strict=True)
    )


def test_they_are_whole_pixels_as_a_browser_reports_a_mouse():
    strokes = write("see you at 7:30", "italic", seed=3)
    points = np.concatenate(strokes)
    assert (points == points.round()).all()
    assert max(np.hypot(*np.diff(stroke, axis=0).T).max() for stroke in strokes if len(stroke) > 1) < 14


@pytest.mark.parametrize("kind", ["words", "capitals", "digits", "dates", "times", "phones"])
def test_most_of_each_kind_is_read_without_an_error(texts, kind):
    right = [drawing.text == text for drawing, text in texts if drawing.kind == kind]
    assert np.mean(right) >= 0.8


def test_few_characters_of_all_are_wrong(texts):
    assert cer([drawing.text for drawing, _ in texts], [text for _, text in texts]) < 0.03


def test_two_words_one_below_the_other_are_two_lines(recognizer):
    below = [stroke + (0, 150) for stroke in write("Monday", "italic", seed=2)]
    assert read_ink(write("hello", "sans", seed=1) + below, recognizer).text == "hello\nMonday"


@pytest.mark.parametrize(
    ("style", "item", "price"), [("italic", "Total", "48.20"), ("script", "Milk", "48.20"), ("sans", "Name", "12")]
)
def test_a_wide_sheet_has_white_between_an_item_and_its_price_and_nothing_else(recognizer, style, item, price):
    """The decoder wrote `Total Total Total 18.20`, `Milk Milk 48.20` and `Name a 12`."""
    for heights in (3, 15):
        left, right = write(item, style, 3), write(price, style, 3)
        height = np.ptp(np.concatenate(write("H", style, 3))[:, 1])
        moved = (
            max(stroke[:, 0].max() for stroke in left) + heights * height - min(stroke[:, 0].min() for stroke in right)
        )
        page = read_ink([*left, *(stroke + (moved, 0) for stroke in right)], recognizer)
        assert page.text == f"{item} {price}"
        assert page.unread == ()
