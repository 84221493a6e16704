"""Which words are marked: by the product of their letters' confidences and of the space after them."""

from PIL import Image

from hwr_core.reading import Line, Reading
from pages.shared.doubt import MARKED, unsure_words


def line(text: str, confidences: list[float], **options) -> Line:
    return Line((0, 0, 90, 9), Image.new("L", (1, 1)), Reading(text, 0.5, tuple(confidences)), **options)


def test_a_word_is_marked_if_its_letters_and_the_space_after_it_are_unsure_together():
    half = MARKED**0.5  # of two letters: together just at the limit
    assert unsure_words(line("ab cd", [half + 0.02, half, 1, half - 0.02, half])) == [False, True]
    assert unsure_words(line("ab cd", [1, 1, MARKED - 0.02, 1, 1])) == [True, False], (
        "a letter may be missing at its end"
    )
    assert unsure_words(line("ab cd", [0.1] * 5, corrected=True)) == [False, False]
    assert unsure_words(line("ab", [])) == [False] and unsure_words(line("", [])) == []
