"""Which words are marked, and how that is shown."""

from PIL import Image

from hwr_core.reading import Line, Reading
from pages.shared.doubt import unsure_words
from pages.shared.marks import MARKED, MARKED_PRODUCT
from pages.shared.reading_view import shaded


def line(text: str, confidences: list[float], **options) -> Line:
    return Line((0, 0, 90, 9), Image.new("L", (1, 1)), Reading(text, 0.5, tuple(confidences)), **options)


def test_without_an_estimate_a_word_is_marked_if_its_letters_and_the_space_after_it_are_unsure_together():
    half = MARKED_PRODUCT**0.5  # of two letters: together just at the limit
    assert unsure_words(line("ab cd", [half + 0.02, half, 1, half - 0.02, half])) == [False, True]
    assert unsure_words(line("ab cd", [1, 1, MARKED_PRODUCT - 0.02, 1, 1])) == [True, False], (
        "a letter may be missing at its end"
    )
    assert unsure_words(line("ab cd", [0.1] * 5, corrected=True)) == [False, False]
    assert unsure_words(line("ab", [])) == [False] and unsure_words(line("", [])) == []


def estimated(text: str, letters: list[float], words: list[float]) -> Reading:
    return Reading(text, 0.5, tuple(letters), word_confidences=tuple(words))


def test_a_word_is_marked_by_its_estimate_where_the_checkpoint_has_one():
    sure, unsure = MARKED + 0.01, MARKED - 0.01
    reading = estimated("ab cd", [0.1] * 5, [sure, sure, 1, unsure, unsure])
    assert unsure_words(Line((0, 0, 90, 9), Image.new("L", (1, 1)), reading)) == [False, True]


def test_only_letters_of_marked_words_are_shaded_or_the_word_whole():
    low = MARKED - 0.01
    reading = estimated("ab cd ef", [0.7, 1, 1, 0.7, 1, 1, 1, 1], [0.9, 0.9, 1, low, low, 1, low, low])
    assert shaded(reading) == (
        'ab <span class="unsure" title="70\u00a0% sure">c</span>d '
        '<span class="unsure" title="Check this word">e</span><span class="unsure" title="Check this word">f</span>'
    )
