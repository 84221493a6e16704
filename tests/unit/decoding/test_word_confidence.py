"""How probable it is that a word is right: its features, the regression, and how readings carry it."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hwr_core.checkpoints.checkpoint_config import word_confidence_of
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.decoding.word_confidence import FEATURES, WordConfidence
from hwr_core.decoding.word_features import LEAST_RIVALS, features_of, with_word_confidences
from hwr_core.export.paragraphs import _with_next
from hwr_core.layout.words import NO_PICTURE, words_of
from hwr_core.reading import Line, Reading, join_readings

SPACE, END = 9, 2


class EachTokenIsItsNumber:
    """A language model in which token n has log probability −n, whatever is before it."""

    end = END

    def start(self, rows: int) -> np.ndarray:
        return np.zeros(rows, np.int64)

    def along(self, context: np.ndarray, tokens: list[int]) -> np.ndarray:
        return np.zeros(len(tokens) + 1, np.int64)

    def score(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        assert len(contexts) == len(tokens)
        return -tokens.astype(float)


def hypothesis(
    tokens: list[int], log_probabilities: list[float], total: float = 0.0, margin: float = 2.0
) -> Hypothesis:
    others = [(3, value - margin) for value in log_probabilities]
    return Hypothesis(tokens, log_probabilities, others, total, total, len(log_probabilities) > len(tokens))


BEST = hypothesis([5, 6, SPACE, 7], [-0.1, -0.2, -0.3, -0.4, -0.6])
REGRESSION = WordConfidence((0.0, 0.0, 0.0, 0.0, 0.0), math.log(3))
SETTINGS = DecodingSettings(language_model=EachTokenIsItsNumber(), space=SPACE, word_confidence=REGRESSION)  # type: ignore[arg-type]


def features(*hypotheses: Hypothesis) -> list[dict[str, float]]:
    spans = [(0, 2), (3, 4)]
    found = features_of(list(hypotheses), spans, SETTINGS)
    return [dict(zip(FEATURES, row, strict=True)) for row in found.tolist()]


def test_the_space_or_the_end_after_a_word_counts_with_it():
    first, second = features(BEST)
    assert first["language_model"] == -(5 + 6 + SPACE) and second["language_model"] == -(7 + END)
    assert first["doubt"] == pytest.approx(math.log(1 - math.exp(-0.2)))
    assert second["doubt"] == pytest.approx(math.log(1 - math.exp(-0.5)))
    assert first["margin"] == pytest.approx(2) and first["line"] == second["line"] == pytest.approx(-1.6)


def test_hypotheses_with_other_words_there_are_rivals():
    other = hypothesis([5, 6, SPACE, 8], [-0.1] * 5, total=math.log(0.5))
    first, second = features(BEST, other)
    assert first["rivals"] == pytest.approx(math.log(LEAST_RIVALS))
    assert second["rivals"] == pytest.approx(math.log(1 / 3 + LEAST_RIVALS))


def test_each_token_has_the_probability_of_its_word():
    best, other = with_word_confidences([BEST, BEST], SETTINGS)
    assert best.word_confidences == pytest.approx((0.75, 0.75, 1, 0.75)) and other.word_confidences == ()
    cut = hypothesis([5, 6], [-0.1, -0.2])  # without an end
    assert with_word_confidences([cut], SETTINGS)[0].word_confidences == pytest.approx((0.75, 0.75))
    assert with_word_confidences([hypothesis([], [-0.1])], SETTINGS)[0].word_confidences == ()


@pytest.mark.parametrize("lacking", ["word_confidence", "language_model", "space"])
def test_nothing_is_noted_without_a_regression_a_language_model_or_a_space(lacking):
    assert with_word_confidences([BEST], replace(SETTINGS, **{lacking: None})) == [BEST]


def test_the_regression_is_read_from_the_configuration_if_it_is_of_these_features():
    weights = dict.fromkeys(FEATURES, 0.5)
    expected = WordConfidence((0.5,) * len(FEATURES), 1.0)
    assert word_confidence_of(SimpleNamespace(word_confidence={"bias": 1, "weights": weights})) == expected
    nested = SimpleNamespace(bias=1, weights=SimpleNamespace(**weights))
    assert word_confidence_of(SimpleNamespace(word_confidence=nested)) == expected
    assert word_confidence_of(SimpleNamespace(word_confidence={"bias": 1, "weights": {"doubt": 1}})) is None
    assert word_confidence_of(SimpleNamespace()) is None


def estimated(text: str, *words: float, **options) -> Reading:
    values = tuple(1.0 if c == " " else words[text[:place].count(" ")] for place, c in enumerate(text))
    return Reading(text, 0.5, (0.9,) * len(text), word_confidences=values, **options)


def shares(reading: Reading) -> list[float]:
    return [word.confidence for word in words_of(Line((0, 0, 90, 20), NO_PICTURE, reading))]


def test_readings_keep_the_words_probabilities_when_they_are_changed():
    reading = estimated("ab cd ef", 0.2, 0.4, 0.6, struck=((3, 5),))
    assert shares(reading) == [0.2, 0.4, 0.6]
    assert shares(reading.without_struck()) == [0.2, 0.6]
    assert shares(reading.after("•")) == [1, 0.2, 0.4, 0.6]
    assert shares(join_readings([reading, estimated("gh", 0.8)], " ")) == [0.2, 0.4, 0.6, 0.8]
    assert shares(_with_next(estimated("a colu-", 0.9, 0.5), estimated("mn of", 0.7, 0.8))) == [0.9, 0.5, 0.8]


def test_parts_without_an_estimate_leave_the_whole_without():
    joined = join_readings([estimated("ab", 0.2), Reading("cd", 0.5, (0.5, 0.5))], " ")
    assert joined.word_confidences == () and shares(joined) == pytest.approx([0.81, 0.25])
