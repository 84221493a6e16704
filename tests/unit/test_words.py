"""Words of a reading with their other readings, marks of missing letters, and pages in an unknown language."""

import pytest
from PIL import Image

from hwr_core.reading import Alternative, Line, Page, Reading
from pages.drawing.words import changed, other_words, words_of
from pages.shared.doubt import seems_unknown
from pages.shared.reading_view import GAP, missing_letters, shaded


def reading(text: str, *others: tuple[str, float], sure: float = 0.95, letters: float = 0.95) -> Reading:
    alternatives = tuple(Alternative(other, score) for other, score in others)
    return Reading(text, sure, (letters,) * len(text), alternatives)


@pytest.mark.parametrize(
    ("other", "start", "end", "text"),
    [
        ("call mo back", 1, 2, "mo"),
        ("callme back", 0, 2, "callme"),
        ("call me right back", 1, 2, "me right"),
        ("please call me back", 0, 1, "please call"),
        ("call back", 1, 2, ""),
    ],
)
def test_another_reading_belongs_to_the_words_that_differ(other, start, end, text):
    assert other_words(reading("call me back", (other, 0.1)), "call me back") == [
        {"start": start, "end": end, "text": text}
    ]


def test_a_corrected_word_offers_what_was_read():
    words = words_of(reading("call me bach"), "call me back")
    assert words[2]["others"] == [{"start": 2, "end": 3, "text": "bach"}] and words[2]["about"] == "Edited"


def test_the_markup_is_escaped_and_shaded_word_by_word():
    words = words_of(reading("a<b you", letters=0.5), "a<b you")
    assert "&lt;" in words[0]["markup"] and "doubtful" in words[1]["markup"] and "<b" not in words[0]["markup"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"line": 0, "start": 1, "end": 2, "text": " two  words "}, (0, "call two words back")),
        ({"line": 0, "start": 1, "end": 2, "text": ""}, (0, "call back")),
        ({"line": 5, "start": 0, "end": 1, "text": "x"}, None),
        ({"line": -1, "start": 0, "end": 1, "text": "x"}, None),
        ({"line": 0, "start": 2, "end": 9, "text": "x"}, None),
        ({"line": 0, "start": 0, "end": 1, "text": 5}, None),
        ("nonsense", None),
    ],
)
def test_what_the_browser_chose_is_checked(told, expected):
    assert changed([(reading("call me back"), "call me back")], told) == expected


def test_a_letter_that_other_readings_have_is_marked_as_missing():
    assert missing_letters(reading("helo", ("hello", 0.2))) == {3}
    assert shaded(reading("helo", ("hello", 0.2))) == f"hel{GAP}o" and GAP not in shaded(
        reading("helo", ("hello", 0.05))
    )
    assert shaded(reading("hell", ("hello", 0.2))) == f"hell{GAP}"


def test_a_page_of_uncertain_letters_may_be_in_another_language():
    def page(text: str, sure: float, letters: float, formula: bool = False) -> Page:
        line = Line((0, 0, 9, 9), Image.new("L", (9, 9)), reading(text, sure=sure, letters=letters), formula=formula)
        return Page((line,), (9, 9))

    assert seems_unknown(page("npuBet Kak gena", 0.05, 0.4))
    assert not seems_unknown(page("hello how are you", 0.6, 0.55)), "a line that is probably right"
    assert not seems_unknown(page("npu", 0.05, 0.4)), "too short to tell"
    assert seems_unknown(page("jeduer does tri alzin pet rest sector our dever", 0.6, 0.7)), "most words are marked"
    assert not seems_unknown(page("we are here for long enough to be read", 0.01, 0.9))
    assert not seems_unknown(page("a=b+c+d+e+f+g", 0.05, 0.4, formula=True))
