"""Which way up a page lies."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hwr_core import PreprocessSettings, read_page
from hwr_core.ink.formula import render_formula
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line
from hwr_core.layout import line_detection, orientation
from hwr_core.layout.orientation import find_upright_lines, is_sideways
from hwr_core.runtime import scheduling


@pytest.fixture(scope="module")
def page() -> Image.Image:
    sheet = Image.new("L", (1100, 640), 235)
    for row, text in enumerate(
        ("good morning martha", "we are on the way home", "see you in the evening", "your friend edith")
    ):
        line = render_line(write(text, seed=row), 96, 5)
        line.thumbnail((900, 90))
        sheet.paste(line.convert("L"), (80, 40 + 145 * row))
    return sheet


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_page_is_read_whichever_way_it_lies(recognizer, page, turn):
    lying = page.rotate(turn, expand=True, fillcolor=235)
    read = read_page(lying, recognizer)
    assert read.text.splitlines() == [
        "good morning martha",
        "we are on the way home",
        "see you in the evening",
        "your friend edith",
    ]
    # The outlines start at the upper left of the writing, wherever that is on the photo.
    first = np.array(read.lines[0].corners, float)
    along = (first[1] - first[0]) / np.linalg.norm(first[1] - first[0])
    expected = {0: (1, 0), 90: (0, -1), 180: (-1, 0), 270: (0, 1)}[turn]  # turned counter-clockwise, with y downwards
    assert np.allclose(along, expected, atol=0.05)


def test_a_turn_that_was_chosen_is_kept(recognizer, page):
    settings = PreprocessSettings(turn="180")
    assert read_page(page.rotate(180), recognizer, settings).text.startswith("good morning")
    assert not read_page(page, recognizer, settings).text.startswith("good morning")


def test_a_formula_read_as_text_does_not_turn_its_page(recognizer):
    photo = Image.new("L", (1000, 800), 235)
    photo.paste(render_formula(write_formula(), 60, 5).convert("L"), (150, 300))
    cleaned, found = find_upright_lines(lambda: photo, PreprocessSettings(), recognizer)
    assert found and cleaned.turn == 0


def test_short_words_among_long_lines_do_not_turn_a_page():
    wide = np.array([[0, 0], [400, 0], [400, 50], [0, 50]], float)
    tall = np.array([[0, 0], [20, 0], [20, 50], [0, 50]], float)
    assert not is_sideways([wide, *[tall] * 5]) and is_sideways([tall, tall]) and not is_sideways([])


@pytest.mark.parametrize("short", ["0", "1"])
def test_where_memory_is_short_no_line_is_read_while_a_page_is_searched(short, recognizer, page, monkeypatch):
    monkeypatch.setenv("HWR_LOW_MEMORY", short)
    monkeypatch.setattr(scheduling, "SMALL", 10_000)
    read, during = threading.Event(), []

    def search(_):
        threading.Thread(target=lambda: recognizer.read([page.crop((0, 0, 1100, 150))]) and read.set()).start()
        during.append(read.wait(20 if short == "0" else 1))
        return []

    monkeypatch.setattr(line_detection, "detector", lambda: search)
    find_upright_lines(lambda: page, PreprocessSettings(), recognizer)
    assert during[0] == (short == "0")  # where nothing is found, the page is searched on its side too
    assert read.wait(20)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_few_short_words_on_their_side_are_read(recognizer, turn):
    sheet = Image.new("L", (900, 1000), 240)
    for row, text in enumerate(("Tom", "ok", "milk", "yes")):
        line = render_line(write(text, seed=row), 96, 5).convert("L")
        line.thumbnail((300, 56))
        sheet.paste(line, (110, 100 + 110 * row))
    read = read_page(sheet.rotate(turn, expand=True, fillcolor=240), recognizer)
    assert [line.reading.text.lower() for line in read.lines] == ["tom", "ok", "milk", "yes"]


def test_lines_on_their_side_that_are_found_as_one_piece_are_turned(recognizer, page, monkeypatch):
    real, pages = orientation.find_lines, []

    def as_one_piece(image):
        pages.append(image)
        if len(pages) > 1:
            return real(image)
        side = min(image.shape)
        outline = np.array([[0, 0], [side, 0], [side, side], [0, side]], float)
        piece = np.rot90(np.array(render_line(write("g"), 96, 5).convert("L")))  # is read as one unsure letter
        return [replace(real(image)[0], outline=outline, image=piece)]

    monkeypatch.setattr(orientation, "find_lines", as_one_piece)
    lying = page.rotate(90, expand=True, fillcolor=235)
    cleaned, found = find_upright_lines(lambda: lying, PreprocessSettings(), recognizer)
    assert cleaned.turn == 270 and len(found) == 4


def test_dense_lines_on_their_side_are_found(recognizer):
    sheet = Image.new("L", (900, 1100), 240)
    for row in range(18):
        line = render_line(write("we are on the way home to the sea", seed=row), 96, 5).convert("L")
        line.thumbnail((700, 44))
        sheet.paste(line, (60, 40 + 56 * row))
    cleaned, found = find_upright_lines(
        lambda: sheet.rotate(90, expand=True, fillcolor=240), PreprocessSettings(), recognizer
    )
    assert cleaned.turn == 270 and len(found) == 18
