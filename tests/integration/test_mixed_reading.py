"""Text and formulas mixed: `load_recognizer("auto")` tells them apart, drawn and photographed."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from hwr_core import load_recognizer, read_ink, read_page
from hwr_core.ink.formula import ink_size
from hwr_core.ink.formula_grouping import group_into_formulas
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import draw
from hwr_core.pipeline import read_picture
from training.evaluation.cases import FOLDER as CASES
from training.evaluation.drawn.formulas import formulas

TWO_LINES = [("12+7=19", True), (r"\sqrt{x+1}", True)]


@pytest.fixture(scope="module")
def auto():
    return load_recognizer("auto")


def strokes_of(name):
    return [np.array(stroke) for stroke in json.loads((CASES / name).read_text(encoding="utf-8"))]


def found(page):
    return [(line.reading.text, line.formula) for line in page.lines]


def below(upper, lower, white):
    low = np.concatenate(upper)[:, 1].max() + white - np.concatenate(lower)[:, 1].min()
    return [*upper, *(np.asarray(stroke) + (0, low) for stroke in lower)]


def photo_of(strokes):
    points = np.concatenate(strokes)
    width, height = (int(side) + 120 for side in points.max(0) - points.min(0))
    moved = [stroke - points.min(0) + 60 for stroke in strokes]
    return Image.fromarray((draw(moved, (height, width), 4.0) * 0.7 + 60).astype(np.uint8))


@pytest.mark.parametrize("name", ["auto", "math"])
def test_two_formulas_are_two_lines_drawn_and_photographed(name):
    recognizer = load_recognizer(name)
    assert found(read_ink(strokes_of("two_lines.json"), recognizer)) == TWO_LINES
    assert found(read_page(Image.open(CASES / "two_lines.png"), recognizer)) == TWO_LINES


@pytest.mark.parametrize("name", ["auto", "math"])
@pytest.mark.parametrize("away", [0.8, 1.2, 1.6])  # of a symbol's height
def test_a_fraction_whose_parts_stand_far_apart_is_one_formula_drawn_and_photographed(name, away):
    fraction = next(formula for formula in formulas() if formula.tokens[:4] == [r"\frac", "{", "-", "b"])
    size = ink_size(fraction.strokes)
    bar = next(
        stroke for stroke in fraction.strokes if np.ptp(stroke[:, 1]) < 0.2 * size < 2 * size < np.ptp(stroke[:, 0])
    )
    lower = bar[:, 1].mean() + 0.1 * size
    strokes = [stroke + (0, away * size * (stroke[:, 1].min() > lower)) for stroke in fraction.strokes]
    assert len(group_into_formulas(strokes)) == 2
    recognizer = load_recognizer(name)
    whole = [(r"\frac{-b\pm\sqrt{b^{2}-4ac}}{2a}", True)]
    assert found(read_ink(strokes, recognizer)) == whole
    assert found(read_page(photo_of(strokes), recognizer)) == whole


def fraction(upper, lower, white, seed=1):
    """Two texts with a bar between them, `white` pixels from each; letters are 60 high."""
    parts = [[np.asarray(stroke) for stroke in write(text, height=60, seed=seed)] for text in (upper, lower)]
    widths = [np.concatenate(part)[:, 0].max() for part in parts]
    bar = np.array([[x, 0.0] for x in np.linspace(0, max(widths) + 20, 20)])
    middle = [[stroke + (10 + (max(widths) - width) / 2, 0) for stroke in part] for part, width in zip(parts, widths, strict=True)]  # fmt: skip
    return below(below(middle[0], [bar], white), middle[1], white)


@pytest.mark.parametrize(
    ("upper", "lower", "white"), [("dy", "dx", 60), ("n", "2", 60), ("3", "4", 45), ("x", "y", 60)]
)
def test_a_fraction_whose_parts_look_like_text_is_known_by_its_bar_drawn_and_photographed(auto, upper, lower, white):
    strokes = fraction(upper, lower, white)  # on a photo it is higher than wide, and not turned
    for page in (read_ink(strokes, auto), read_page(photo_of(strokes), auto)):
        assert found(page) == [(rf"\frac{{{upper}}}{{{lower}}}", True)]


@pytest.mark.parametrize(("upper", "lower"), [("dy", "dx"), ("n", "2")])
def test_a_photo_of_a_fraction_that_lies_upside_down_is_turned(auto, upper, lower):
    page = read_page(photo_of(fraction(upper, lower, 60)).rotate(180), auto)
    assert found(page) == [(rf"\frac{{{upper}}}{{{lower}}}", True)]


@pytest.mark.parametrize("rows", [("12", "34", "46"), ("125", "+34", "159")])
def test_numbers_added_up_are_no_fraction_drawn_and_photographed(auto, rows):
    line = np.array([[x, 0.0] for x in np.linspace(0, 160, 30)])
    first, second, result = (write(row, height=60) for row in rows)
    strokes = below(below(below(first, second, 30), [line], 25), result, 30)
    for page in (read_ink(strokes, auto), read_page(photo_of(strokes), auto)):
        assert found(page) == [(row, False) for row in rows]


@pytest.mark.parametrize(("heading", "other"), [("Monday", "7"), ("Anna", "12"), ("mass", "volume")])
def test_an_underlined_heading_above_a_number_or_a_word_is_no_fraction(auto, heading, other):
    line = np.array([[x, 0.0] for x in np.linspace(0, 160, 30)])
    strokes = below(below(write(heading, height=60), [line], 15), write(other, height=60), 40)
    assert found(read_ink(strokes, auto)) == [(heading, False), (other, False)]


def test_a_picture_of_two_formulas_read_as_formulas_gives_two_lines():
    page = read_picture(lambda: Image.open(CASES / "two_lines.png"), load_recognizer("math"), "formula")
    assert found(page) == TWO_LINES


def test_a_sentence_above_a_fraction_stays_text_drawn_and_photographed(auto):
    sentence = write("solve the equation", height=50)
    strokes = below(sentence, write_formula(50), 70)
    for page in (read_ink(strokes, auto), read_page(photo_of(strokes), auto)):
        (text, is_formula), *others = found(page)
        assert (text, is_formula) == ("solve the equation", False)
        assert [kind for _, kind in others] == [True]
        assert r"\frac" in others[0][0]


@pytest.mark.parametrize("text", ["meet me at 10:30", "3.50", "12/05/2024", "thanks"])
def test_words_numbers_and_dates_stay_text(auto, text):
    assert found(read_ink(write(text, height=60), auto)) == [(text, False)]


def test_the_kind_is_told_in_json(auto):
    page = read_ink(strokes_of("two_lines.json"), auto)
    assert [line["kind"] for line in page.to_dict()["lines"]] == ["formula", "formula"]


def test_it_is_pickled_by_name(auto):
    again = pickle.loads(pickle.dumps(auto.with_batch_size(2)))
    assert (again.name, again.batch_size, again.reads_formulas) == ("auto", 2, False)


def test_one_array_is_one_picture(auto):
    formula = np.asarray(Image.open(CASES / "two_lines.png").convert("L"))[:140]
    assert [(reading.text, reading.formula) for reading in auto.read(formula)] == [TWO_LINES[0]]
