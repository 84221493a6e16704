"""Readings: struck-out words, and readings that are put together."""

import pytest

from hwr_core.decoding.struck import STRUCK, without_marks
from hwr_core.layout.words import NO_PICTURE, words_of
from hwr_core.reading import Alternative, Line, Page, Reading, join_readings


def read(written: str) -> Reading:
    """The reading of what a checkpoint writes; the confidences count from 0."""
    text, confidences, struck = without_marks(
        written.replace("~", STRUCK), [place / 100 for place in range(len(written))]
    )
    return Reading(text, 0.9, confidences, (Alternative("other", 0.1),), struck=struck)


def test_the_signs_of_struck_out_words_are_no_part_of_the_text():
    reading = read("one two~ three~ 4")
    assert reading.text == "one two three 4"
    assert [reading.text[start:end] for start, end in reading.struck] == ["two", "three"]
    assert reading.character_confidences == tuple(place / 100 for place in range(17) if place not in (7, 14))
    assert reading.stretches == (("one ", False), ("two", True), (" ", False), ("three", True), (" 4", False))
    assert read("~ a~~").struck == ((1, 2),), "a sign without a word stands for nothing"


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("one two~ 3", "one 3"),
        ("one~ two", "two"),
        ("one two~", "one"),
        ("a b~ c~", "a"),
        ("a~ b~ c", "c"),
        ("one~", ""),
    ],
)
def test_struck_out_words_can_be_left_out(written, left):
    reading = read(written).without_struck()
    assert reading.text == left and reading.struck == () and reading.alternatives == ()
    assert len(reading.character_confidences) == len(left)
    if left == "one 3":
        assert reading.character_confidences == (0.0, 0.01, 0.02, 0.03, 0.09)


def test_parts_that_are_put_together_keep_their_struck_out_words():
    joined = join_readings([read("a b~"), read("c~ d")], " ")
    assert joined.text == "a b c d" and [joined.text[slice(*span)] for span in joined.struck] == ["b", "c"]
    marked = joined.after("•")
    assert marked.text == "• a b c d" and [marked.text[slice(*span)] for span in marked.struck] == ["b", "c"]


def test_a_page_leaves_out_its_struck_out_words_and_a_correction_has_none():
    lines = Line((0, 0, 90, 20), NO_PICTURE, read("ab~ cd")), Line((0, 30, 90, 50), NO_PICTURE, read("ef"))
    page = Page(lines, (100, 60))
    assert page.has_struck and page.without_struck().text == "cd\nef" and page.text == "ab cd\nef"
    assert [word.struck for word in words_of(lines[0])] == [True, False]
    assert page.to_dict()["lines"][0]["struck"] == [[0, 2]]
    assert lines[0].with_text("abc").reading.struck == ()


def test_parts_of_other_lengths_tell_their_unread_ink_in_shares_of_the_whole():
    parts = [Reading("a", 0.9, (0.9,), unread=((0.5, 1.0),), formula=True), Reading("b", 0.5, (0.5,), formula=True)]
    joined = join_readings(parts, r"\quad ", [(0.0, 0.2), (0.2, 1.0)])
    assert joined.unread == ((0.1, 0.2),) and joined.formula and joined.confidence == pytest.approx(0.45)
    assert join_readings(parts, " ").unread == ((0.25, 0.5),)
