"""Words lie where the ink of their line parts."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hwr_core import PreprocessSettings, load_recognizer, read_page, read_region
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.words import without_pictures, words_of
from hwr_core.pipeline import read_picture
from hwr_core.reading import Line, Page, Reading
from tests.support.pictures import LINES, barred_line


def test_words_lie_where_the_ink_parts():
    first, second = words_of(LINES[0])
    assert (first.text, second.text) == ("one", "twelve3")
    # The ink spans 440 pixels, from 40 to 140 and from 180 to 480. The line's box spans 600.
    assert first.box[0] == 100 and first.box[2] == pytest.approx(100 + 600 * 100 / 440, abs=4)
    assert second.box[0] == pytest.approx(100 + 600 * 140 / 440, abs=4) and second.box[2] == 700
    assert first.confidence == pytest.approx(0.98**3) and len(second.character_confidences) == 7


def test_words_lie_on_their_ink_where_the_outline_is_wider():
    picture = Image.new("L", (1000, 100), 255)
    for start, end in ((300, 400), (440, 500), (540, 700)):
        picture.paste(10, (start, 30, end, 70))
    for ground in (picture, picture.point(lambda value: 255 - value)):  # chalk too
        whole = Line((0, 0, 500, 50), ground, Reading("see you soon", 0.9), reach=(0.0, 1.0))
        for line in (whole, *without_pictures(Page((whole,), (500, 50))).lines):
            assert [word.box for word in words_of(line)] == [(150, 0, 200, 50), (220, 0, 250, 50), (270, 0, 350, 50)]
        # a picture that is a little wider than the outline
        inner = replace(whole, box=(100, 0, 400, 50), reach=(-1 / 3, 4 / 3))
        assert [word.box[::2] for word in words_of(inner)] == [(150, 200), (220, 250), (270, 350)]


@pytest.mark.parametrize("settings", [PreprocessSettings(), PreprocessSettings(crop=False)])
def test_words_of_a_photo_lie_on_their_ink(settings):
    drawn = render_line(write("see you soon", slant=0.1), 96, 5)
    photo = Image.new("L", (drawn.width + 1200, 700), 255)
    photo.paste(drawn, (800, 300))
    recognizer = load_recognizer()
    dark = np.flatnonzero((np.asarray(photo) < 128).any(0))
    ends = [
        dark[0],
        *(edge for place in np.flatnonzero(np.diff(dark) > 20) for edge in (dark[place], dark[place + 1])),
        dark[-1],
    ]
    assert len(ends) == 6  # three words
    region = read_region(photo, (100, 200, photo.width - 50, 500), recognizer, settings)
    for line in (
        read_page(photo, recognizer, settings).lines[0],
        read_picture(lambda: photo, recognizer, "line").lines[0],
        region,
    ):
        assert line.reading.text == "see you soon"
        assert [edge for word in words_of(line) for edge in word.box[::2]] == pytest.approx(ends, abs=12)
    rows = np.flatnonzero((np.asarray(photo) < 128).any(1))
    assert read_page(photo, recognizer, settings).lines[0].box[1::2] == pytest.approx((rows[0], rows[-1]), abs=12)


def test_a_page_without_its_pictures_has_its_words_where_they_were():
    page = Page(LINES, (1000, 600))
    kept = without_pictures(page)
    assert all(line.image.size == (1, 1) for line in kept.lines)
    assert [words_of(line) for line in kept.lines] == [words_of(line) for line in page.lines]
    changed = [line.with_text("an other text") for line in LINES]
    assert [words_of(line.with_text("an other text")) for line in kept.lines] == [words_of(line) for line in changed]


def test_words_of_a_tilted_line_follow_it_and_a_formula_is_one():
    first, second = words_of(LINES[3])[:2]
    assert first.corners[0] == (100, 410) and second.corners[0][1] < first.corners[0][1]
    assert [word.text for word in words_of(LINES[2])] == [r"\frac{a}{b}"]
    assert words_of(LINES[0].with_text("  ")) == []


@pytest.mark.parametrize(
    "text", ["a", "a b c d e f g h", "x  y", "one two three", "la la a la a la", "pas à manuti jejich ci"]
)
def test_words_are_in_order_whatever_the_ink(text):
    for widths in ([5], [300, 2, 2], [2, 2, 300], [100, 2, 300, 2, 50], [10] * 12):
        words = words_of(barred_line(text, (0, 0, 500, 50), widths))
        assert [word.text for word in words] == text.split()
        edges = [edge for word in words for edge in (word.box[0], word.box[2])]
        assert edges == sorted(edges) and edges[0] >= 0 and edges[-1] <= 500
        assert all(word.box[0] < word.box[2] for word in words), "a word without width is in no searchable PDF"
