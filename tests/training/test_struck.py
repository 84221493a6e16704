"""Struck-out words in the stream: strokes run through them, and their text says so."""

import random

import numpy as np

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from training.data.charset import STRUCK, build_tokenizer
from training.fit.count_ngrams import with_struck_word
from training.synthesis.struck import struck_picture, struck_strokes


def test_strokes_run_through_a_word_from_end_to_end():
    strokes = write("station")
    struck = struck_strokes(strokes, random.Random(2))
    word, line = np.concatenate(strokes), struck[len(strokes)]
    low, high = word.min(0), word.max(0)
    assert len(struck) > len(strokes)
    assert np.ptp(line[:, 0]) > 0.85 * (high[0] - low[0])
    assert low[1] < line[:, 1].mean() < high[1]


def test_a_picture_gets_strokes_of_its_own_ink():
    word = np.asarray(render_line(write("station"), 64, 4))
    struck = struck_picture(word, random.Random(0))
    assert (
        struck.shape == word.shape
        and (struck <= word).mean() > 0.99
        and (struck < 128).sum() > 1.1 * (word < 128).sum()
    )
    blank = np.full((40, 90), 255, np.uint8)
    assert (struck_picture(blank, random.Random(0)) == blank).all()


def test_the_text_says_which_word_is_struck_out():
    text = with_struck_word("call Anna back", random.Random(1))
    assert text.replace(STRUCK, "") == "call Anna back" and text.count(STRUCK) == 1
    assert text[text.index(STRUCK) - 1] in "lak"
    tokenizer = build_tokenizer()
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text
