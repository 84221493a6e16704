"""A word with a stroke through its letters is told as struck out; an underlined one is not."""

import numpy as np
import pytest
from PIL import Image

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.struck_words import with_struck_words
from hwr_core.reading import Line, Reading

WORDS = ("window", "yellow", "garden", "meadow")


def strokes_of(word: str) -> list[np.ndarray]:
    return list(write(word, slant=0.1))


def line(marked: int | None, at: float, words=WORDS, **others) -> Line:
    """A line of words; one has a level stroke at a share of the height of an x above the baseline."""
    strokes, left = [], 0.0
    letters = np.concatenate(strokes_of("x"))
    base, height = letters[:, 1].max(), np.ptp(letters[:, 1])
    for place, word in enumerate(words):
        drawn = [stroke + (left, 0) for stroke in strokes_of(word)]
        xs = np.concatenate(drawn)[:, 0]
        if place == marked:
            y = base - at * height
            drawn.append(np.array([(xs.min() - 2, y), (xs.mean(), y + 0.03 * height), (xs.max() + 2, y)]))
        strokes += drawn
        left = xs.max() + 1.2 * height
    image = render_line(strokes, 64, 3)
    return Line((0, 0, *image.size), image, Reading(" ".join(words), 0.9), **others)


@pytest.mark.parametrize("place", range(4))
def test_a_struck_out_word_is_told_with_its_place_in_the_text(place):
    struck = with_struck_words(line(place, 0.5)).reading.struck
    start = len(" ".join(WORDS[:place])) + (place > 0)
    assert struck == ((start, start + len(WORDS[place])),)


@pytest.mark.parametrize("at", [-0.3, -0.12])
@pytest.mark.parametrize("place", range(4))
def test_an_underlined_word_is_not(place, at):
    assert with_struck_words(line(place, at)).reading.struck == ()


def test_a_line_without_such_a_stroke_stays_as_it_is():
    plain = line(None, 0)
    assert with_struck_words(plain) is plain
    dashes = line(None, 0, ("to", "-", "ff", "little", "tt"))
    assert with_struck_words(dashes).reading.struck == ()


def test_what_the_reading_tells_stays(monkeypatch):
    struck = line(1, 0.5)
    told = Line(struck.box, struck.image, Reading(struck.reading.text, 0.9, struck=((0, 6),)))
    assert with_struck_words(told).reading.struck == ((0, 6), (7, 13))


def test_formulas_and_corrections_and_empty_pictures_are_left_alone():
    for other in (line(0, 0.5, formula=True), line(0, 0.5, corrected=True)):
        assert with_struck_words(other) is other
    empty = Line((0, 0, 50, 20), Image.new("L", (50, 20), 255), Reading("word", 0.5))
    assert with_struck_words(empty) is empty
