"""Lines that are in capitals throughout, whose letters alone may each be small ones."""

from dataclasses import replace

import pytest

from hwr_core.decoding import small_capitals
from hwr_core.decoding.letters import Letters
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.decoding.small_capitals import NEARLY, in_capitals
from hwr_core.ink.strokes import level, render_line
from training.evaluation.drawn import drawings, write

NAMES = [None, None, None, None, *"abcABC 1ß"]
SETTINGS = DecodingSettings(letters=Letters(NAMES), beams=4)


def tokens_of(text: str) -> list[int]:
    return [NAMES.index(character) for character in text]


def hypothesis(text: str, total: float, sure: float = -0.5) -> Hypothesis:
    tokens = tokens_of(text)
    values = [sure] * (len(tokens) + 1)
    return Hypothesis(tokens, values, [(0, -9.0)] * len(values), total, total, True, unread=((0.0, 0.1),))


@pytest.fixture
def costs(monkeypatch):
    """What the capitals of a line cost in all, in nats."""
    given = {"cost": 0.0}

    class Scorer:
        def __init__(self, network, line, settings):
            assert settings.language_model is None

        def scored(self, tokens):
            large = not any(str(NAMES[token]).islower() for token in tokens if NAMES[token] != "ß")
            return hypothesis("".join(str(NAMES[token]) for token in tokens), -given["cost"] if large else 0.0)

    monkeypatch.setattr(small_capitals, "SequenceScorer", Scorer)
    return given


def test_others_stay_behind_the_capitals(costs):
    others = [hypothesis("ABca b1", -3.0), hypothesis("ABca bb", -4.0)]
    found = in_capitals(None, None, others, SETTINGS)  # type: ignore[arg-type]
    assert [one.tokens for one in found] == [tokens_of("ABCA B1"), *(other.tokens for other in others)]


@pytest.mark.parametrize(("cost", "text"), [(3 * NEARLY - 0.1, "ABCA B"), (3 * NEARLY + 0.1, "ABca b")])
def test_the_limit_is_a_mean_over_the_small_letters(costs, cost, text):
    costs["cost"] = cost
    first = hypothesis("ABca b", -3.0)
    found = in_capitals(None, None, [first], SETTINGS)  # type: ignore[arg-type]
    assert found[0].tokens == tokens_of(text)
    assert found[0].unread == first.unread and found[0].total == first.total
    assert found[-1] is first  # the reading in small letters stays on offer


@pytest.mark.parametrize(
    "first",
    [
        hypothesis("ABC b1", -3.0),  # too few small letters
        hypothesis("ABca b", -3.0, sure=-0.01),  # a sure reading
        replace(hypothesis("ABca b", -3.0), complete=False),
    ],
)
def test_other_lines_are_not_tried(costs, first):
    assert in_capitals(None, None, [first], SETTINGS) == [first]  # type: ignore[arg-type]


def test_drawn_lines_keep_their_letters(recognizer):
    """Of what is drawn by script nothing changes: small letters that look like capitals stay small."""
    given = [drawing for drawing in drawings() if drawing.kind in ("words", "names", "sentences", "capitals")]
    images = [render_line(level(d.strokes), recognizer.ink_height, recognizer.ink_stroke_width) for d in given]
    images.append(
        render_line(level(write("wow soon", "print", seed=4)), recognizer.ink_height, recognizer.ink_stroke_width)
    )
    usual = [reading.text for reading in recognizer.read(images)]
    without = [reading.text for reading in recognizer.with_decoding(letters=None).read(images)]
    assert usual == without
