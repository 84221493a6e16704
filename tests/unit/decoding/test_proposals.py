"""Listed words in place of what was read: evidence in the ink outweighs a list where only the case differs."""

from hwr_core import load_recognizer
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import level, render_line


def read(text: str, words: str) -> str:
    recognizer = load_recognizer("text").with_words(words)
    image = render_line(level(write(text, height=50)), recognizer.ink_height, recognizer.ink_stroke_width)
    return recognizer.read([image])[0].text


def test_a_small_letter_that_is_seen_stays_small_where_the_list_has_a_capital():
    assert read("thank you", "Thank") == "thank you"
