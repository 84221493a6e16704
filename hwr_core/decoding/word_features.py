"""The features of words that tell how probable it is that they are right (`word_confidence.py`)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from rapidfuzz.distance import Levenshtein

from hwr_core.decoding.scores import DecodingSettings, Hypothesis

LEAST_DOUBT = 1e-6
MOST_MARGIN = 6.0  # larger ones say no more, and would outweigh the other features
LEAST_RIVALS = 0.01  # is added to the share, so that a line with one hypothesis has a logarithm


def with_word_confidences(hypotheses: list[Hypothesis], settings: DecodingSettings) -> list[Hypothesis]:
    """Notes for each token of the best hypothesis how probable it is that its word is right.

    Args:
        hypotheses: Of a line, best first.
        settings: Of the search. Nothing is noted if they have no regression, no language model or no space.
    """
    best, *others = hypotheses
    if settings.word_confidence is None or settings.language_model is None or settings.space is None:
        return hypotheses
    spans = _spans(best.tokens, settings.space)
    values = [1.0] * len(best.tokens)
    if spans:
        found = settings.word_confidence.of(features_of(hypotheses, spans, settings))
        for (start, end), value in zip(spans, found.tolist(), strict=True):
            values[start:end] = [value] * (end - start)
    return [replace(best, word_confidences=tuple(values)), *others]


def _spans(tokens: Sequence[int], space: int) -> list[tuple[int, int]]:
    """Where each word starts and ends in the tokens."""
    edges = [-1, *(place for place, token in enumerate(tokens) if token == space), len(tokens)]
    return [(before + 1, after) for before, after in pairwise(edges) if after > before + 1]


def features_of(hypotheses: list[Hypothesis], spans: list[tuple[int, int]], settings: DecodingSettings) -> np.ndarray:
    """The features of the best hypothesis's words, (words, features) float."""
    best, model = hypotheses[0], settings.language_model
    assert model is not None  # `with_word_confidences` asks only then
    own = np.array(best.log_probabilities)
    margins = own - [value for _, value in best.runners_up]
    contexts = model.along(model.start(1), best.tokens)[: len(own)]
    language = model.score(contexts, np.array([*best.tokens, model.end])[: len(own), None])[:, 0]
    rivals = np.log(_rivals(hypotheses, spans, settings) + LEAST_RIVALS)
    rows = []
    for (start, end), rival in zip(spans, rivals, strict=True):
        word = slice(start, end + 1)
        doubt = np.log(max(LEAST_DOUBT, -np.expm1(min(0.0, own[word].mean()))))
        rows.append([doubt, language[word].sum(), rival, min(MOST_MARGIN, margins[word].min()), own.sum()])
    return np.array(rows, float)


def _rivals(hypotheses: list[Hypothesis], spans: list[tuple[int, int]], settings: DecodingSettings) -> np.ndarray:
    """For each word of the best hypothesis the share of the hypotheses' probability that has others there, (words,) float."""
    totals = np.array([hypothesis.total for hypothesis in hypotheses])
    shares = np.exp(totals - totals.max())
    shares /= shares.sum()
    words = [tuple(hypotheses[0].tokens[start:end]) for start, end in spans]
    found = np.zeros(len(spans))
    for share, other in zip(shares[1:], hypotheses[1:], strict=True):
        theirs = [tuple(other.tokens[start:end]) for start, end in _spans(other.tokens, settings.space or 0)]
        same = np.zeros(len(spans), bool)
        for edit in Levenshtein.opcodes(words, theirs):
            if edit.tag == "equal":
                same[edit.src_start : edit.src_end] = True
        found += np.where(same, 0.0, share)
    return found
