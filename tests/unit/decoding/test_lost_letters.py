"""A word or a lone letter that the language model took away is put back."""

from types import SimpleNamespace

import numpy as np
import pytest

from hwr_core import read_ink
from hwr_core.decoding import lost_letters
from hwr_core.decoding.lost_letters import with_lost_letters
from hwr_core.decoding.scores import DecodingSettings, hypothesis
from hwr_core.decoding.unused_ink import CtcPath
from training.evaluation.drawn import write

SPACE = 4
SETTINGS = DecodingSettings(language_model_weight=0.5, space=SPACE)


def of(tokens):
    return hypothesis([(token, 0.0, 0, -9.0) for token in (*tokens, 2)], 0.0, True, SETTINGS)


def path_of(tokens, probability=0.95):
    places = np.arange(len(tokens))
    return CtcPath(np.array(tokens), 4 * places, 4 * places + 1, np.full(len(tokens), probability), 4 * len(tokens))


def first(monkeypatch, texts, scores, path, settings=SETTINGS):
    """The tokens of the best hypothesis, where the network alone gives these scores."""
    totals = {tuple(text): score for text, score in zip(texts, scores, strict=True)}
    scorer = SimpleNamespace(scored=lambda tokens: SimpleNamespace(total=totals[tuple(tokens)]))
    monkeypatch.setattr(lost_letters, "SequenceScorer", lambda *_: scorer)
    found = with_lost_letters(None, None, [of(text) for text in texts], settings, path)
    assert sorted(one.tokens for one in found) == sorted(texts)
    return found[0].tokens


TWO, DOT, C, D = 5, 6, 7, 8
SHORT, FULL = [TWO, DOT], [TWO, DOT, SPACE, C]


def test_the_network_alone_chooses_a_text_with_one_word_more(monkeypatch):
    assert first(monkeypatch, [SHORT, FULL], [-4.0, -1.0], path_of(FULL)) == FULL
    assert first(monkeypatch, [SHORT, FULL], [-1.0, -1.5], path_of(FULL)) == SHORT


def test_ctc_must_be_sure_of_the_word(monkeypatch):
    assert first(monkeypatch, [SHORT, FULL], [-4.0, -1.0], path_of(FULL, 0.5)) == SHORT
    assert first(monkeypatch, [SHORT, FULL], [-4.0, -1.0], path_of(SHORT)) == SHORT


def test_letters_within_a_word_and_other_words_are_not_put_back(monkeypatch):
    within = [TWO, DOT, C]
    assert first(monkeypatch, [SHORT, within], [-4.0, -1.0], path_of(within)) == SHORT
    other = [TWO, D, SPACE, C]
    assert first(monkeypatch, [SHORT, other], [-4.0, -1.0], path_of(other)) == SHORT


def test_without_a_language_model_nothing_changes(monkeypatch):
    plain = DecodingSettings(space=SPACE)
    assert first(monkeypatch, [SHORT, FULL], [-4.0, -1.0], path_of(FULL), plain) == SHORT


@pytest.mark.parametrize("style", ["print", "sans"])
def test_the_letter_of_a_list_is_read(recognizer, style):
    page = read_ink(write("2. c", style, 109), recognizer)
    assert [line.reading.text for line in page.lines] == ["2. c"]
