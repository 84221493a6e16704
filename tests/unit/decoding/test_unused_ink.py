"""What CTC sees and a text lacks is told; texts that run in circles are cut."""

import numpy as np
import pytest

from hwr_core.decoding.decode import by_ink
from hwr_core.decoding.scores import Hypothesis
from hwr_core.decoding.unused_ink import ctc_path, repeats_of, unread_spans

BLANK = 0


def output(tokens, stride=4, sure=0.9):
    """CTC's output for a line that has each of these tokens in `stride` columns, blanks around it."""
    probabilities = np.full((stride * len(tokens), 30), 0.1 / 29)
    probabilities[:, BLANK] = sure
    for place, token in enumerate(tokens):
        row = probabilities[stride * place + 1]
        row[:] = (1 - sure) / 29
        row[token] = sure
    return np.log(probabilities)


def test_the_path_has_no_blanks_and_no_repeats():
    path = ctc_path(output([5, 5, 7]), BLANK)
    assert path.tokens.tolist() == [5, 5, 7]
    assert path.first.tolist() == [1, 5, 9] and path.columns == 12


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ([3, 4, 5, 6, 7, 8, 9, 10], []),
        ([3, 4, 5, 6, 7, 8], []),  # two characters less: misread letters
        ([3, 4, 5], [(0.4, 0.95)]),
        ([8, 9, 10], [(0.0, 0.6)]),
        ([3, 4, 11, 12, 13, 8, 9, 10], []),  # other characters in their places are read, rightly or not
    ],
)
def test_a_stretch_that_the_text_lacks_is_told(text, spans):
    found = unread_spans(ctc_path(output([3, 4, 5, 6, 7, 8, 9, 10]), BLANK), text)
    assert len(found) == len(spans)
    for (left, right), (start, end) in zip(found, spans, strict=True):
        assert abs(left - start) < 0.1 and abs(right - end) < 0.1


@pytest.mark.parametrize(("text", "missed"), [([3, 4, 5, 6], 1), ([3, 4, 5, 6, 7], 0), ([3, 4, 6, 7], 0)])
def test_a_single_character_that_stands_apart_is_missed(text, missed):
    frames = output([3, 4, 5, 6])
    white = np.repeat(frames[:1], 6, 0)
    path = ctc_path(np.concatenate([frames, white, output([7])]), BLANK)
    assert len(unread_spans(path, text, space=29)) == missed
    assert unread_spans(path, text) == ()


def test_a_reading_that_leaves_no_ink_out_comes_first():
    frames = output([3, 4, 5, 6])
    path = ctc_path(np.concatenate([frames, np.repeat(frames[:1], 6, 0), output([7])]), BLANK)
    short, whole, other = (
        Hypothesis(tokens, [-0.1], [], score, score, True)
        for tokens, score in (([3, 4, 5, 6], -0.2), ([3, 4, 5, 6, 29, 7], -0.9), ([3, 9, 5, 6], -1.0))
    )
    assert by_ink(path, [short, other, whole], 29) == [whole, short, other]
    (best, _) = by_ink(path, [short, other], 29)
    assert best.tokens == short.tokens and len(best.unread) == 1
    assert by_ink(path, [whole, short], 29)[0] is not short


def test_what_ctc_is_not_sure_of_is_not_missed():
    assert unread_spans(ctc_path(output([3, 4, 5, 6, 7, 8], sure=0.45), BLANK), [3]) == ()


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [
        ([1, 2, 3] + [7] * 60, [1, 2, 3, 7]),
        ([9] + [4, 5, 6] * 20, [9, 4, 5, 6]),
        ([9] + [4, 5, 6] * 20 + [4, 5, 8], [9, 4, 5, 6, 4, 5, 8]),  # the grammar closes what is open
        ([1, 2, 3, 4] * 3, None),
        ([7] * 12, None),  # a number with many zeros
        (list(range(40)), None),
        ([], None),
    ],
)
def test_of_a_text_that_runs_in_circles_one_round_is_kept(tokens, kept):
    repeats = repeats_of(tokens)
    assert (None if repeats is None else tokens[: repeats.start] + tokens[repeats.stop :]) == kept
