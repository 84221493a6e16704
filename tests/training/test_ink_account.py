"""What became of the writing of a composed page."""

import pytest
from PIL import Image

from training.evaluation.composed import Count, row, timed
from training.evaluation.composed_pages import ComposedPage, Piece, sentence
from training.evaluation.ink_account import ReadLine, account

BOXES = [(0, 0, 400, 40), (0, 80, 400, 120)]


def page(*texts):
    pieces = tuple(Piece(text, box, number) for number, (text, box) in enumerate(zip(texts, BOXES, strict=False)))
    return ComposedPage("columns", Image.new("L", (400, 120)), pieces)


def told(found):
    return found.words, found.lost, found.reported, found.invented


def test_all_that_is_read_is_lost_nowhere():
    found = account(page("see you at", "the lake"), [ReadLine("see you at", BOXES[0]), ReadLine("the lahe", BOXES[1])])
    assert told(found) == (5, 0, 0, 0) and found.edits == 1 and found.right_neighbours == found.neighbours == 1


def test_a_word_that_is_missing_is_lost_unless_its_place_is_told():
    written, read = page("see you at"), [ReadLine("see you", BOXES[0])]
    assert told(account(written, read)) == (3, 1, 0, 0)
    assert told(account(written, read, [(320, 0, 400, 40)])) == (3, 0, 1, 0)


def test_characters_without_ink_are_invented():
    assert account(page("see you"), [ReadLine("see you again", BOXES[0])]).invented == 5
    assert account(page("see you"), [ReadLine("see you", BOXES[0]), ReadLine("abc", (0, 200, 9, 209))]).invented == 3


@pytest.mark.parametrize(
    ("truth", "read"),
    [
        ("Y", r"\gamma"),  # a command of LaTeX is one sign
        ("trois : un", "trois. un"),  # a colon after a space is a part of its word
        ("D K P X A", r"DKP\times A"),
    ],
)
def test_a_misread_sign_is_neither_lost_nor_invented(truth, read):
    found = account(page(truth), [ReadLine(read, BOXES[0])])
    assert (found.lost, found.invented) == (0, 0) and found.edits == 1


def test_shares_are_of_words_and_characters():
    count = Count()
    count.add(account(page("see you at"), [ReadLine("see you", BOXES[0])]), 2.0)
    assert row("all", count)[:4] == ["all", 3, 33.3, 0.0] and row("all", count)[-1] == 2.0


def test_a_kept_reading_is_taken_for_the_same_picture_only(tmp_path):
    asked = []

    def read(page):
        asked.append(page)
        return [ReadLine("see you", BOXES[0])], [(0, 0, 9, 9)]

    first, other = page("see you"), ComposedPage("columns", Image.new("L", (400, 120), 255), ())
    kept = tmp_path / "reader" / "0.json"
    (lines, unread), seconds = timed(read, first, kept)
    assert seconds is not None and lines == [ReadLine("see you", BOXES[0])] and unread == [(0, 0, 9, 9)]
    (again, boxes), seconds = timed(read, first, kept)
    assert (again, [tuple(box) for box in boxes], seconds) == (lines, [(0, 0, 9, 9)], None) and len(asked) == 1
    timed(read, other, kept)
    assert len(asked) == 2
    count = Count()
    count.add(account(first, again), seconds)
    assert row("all", count)[-1] is None


def test_what_is_struck_out_is_not_in_the_truth(monkeypatch):
    import random

    import numpy as np

    from training.evaluation import composed_pages as pages

    class Line:
        text, strokes = ">al< de 1790 à >< 1795.", [np.array([[0.0, 0.0], [40.0, 10.0]])]

    monkeypatch.setattr(pages, "_ink_lines", lambda: [Line])
    monkeypatch.setattr(pages, "_scan_lines", lambda: [Line])
    monkeypatch.setattr(random.Random, "random", lambda self: 0.0)
    assert sentence(random.Random(1), 20, 1000)[1] == "de 1790 à 1795."
