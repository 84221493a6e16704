"""Puts back a word or a letter by itself that the language model took away.

A shorter text has fewer characters that the language model counts, so it may leave out a word: `2. c` became `2.`. Where
CTC is sure of a character of such a word, the network alone chooses between the best hypothesis and one with the word.
Letters within words are not put back: where CTC sees more of them than the search, the search is mostly right.
"""

from dataclasses import replace

import numpy as np

from hwr_core.decoding.network import Lookahead, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.decoding.sequence_scorer import SequenceScorer
from hwr_core.decoding.unused_ink import CtcPath, matched_in

SURE = 0.7  # probability that CTC must give the character
MARGIN = 1.0  # nats by which the network must prefer the text with it


def with_lost_letters(
    network: Network, line: Lookahead, found: list[Hypothesis], settings: DecodingSettings, path: CtcPath
) -> list[Hypothesis]:
    """Puts a hypothesis with more letters before the best one, if the network alone prefers it.

    Args:
        network: The checkpoint's network.
        line: The encoded line, with CTC's output, of which nothing is decoded yet.
        found: The line's hypotheses, best first.
        settings: Of the search, with the line's language.
        path: What CTC alone would write.

    Returns:
        The hypotheses, best first.
    """
    best = found[0]
    if not settings.language_model_weight or not best.complete or not (lost := _lost(path, best, settings.space)):
        return found
    words = _words(best.tokens, settings.space)
    fuller = [
        one
        for one in found[1:]
        if one.complete
        and len(_lost(path, one, settings.space)) < len(lost)
        and _has_all(_words(one.tokens, settings.space), words)
    ]
    if not fuller:
        return found
    scorer = SequenceScorer(network, line, replace(settings, language_model=None, language_model_weight=0.0))
    least = scorer.scored(best.tokens).total + MARGIN
    other = next((one for one in fuller if scorer.scored(one.tokens).total > least), None)
    return found if other is None else [other, *(one for one in found if one is not other)]


def _lost(path: CtcPath, hypothesis: Hypothesis, space: int | None) -> list[int]:
    """The places in CTC's path of sure characters that a hypothesis lacks."""
    lacking = ~matched_in(path.tokens.tolist(), hypothesis.tokens) & (path.probabilities >= SURE)
    return [int(place) for place in np.flatnonzero(lacking) if path.tokens[place] != space]


def _words(tokens: list[int], space: int | None) -> list[list[int]]:
    """The tokens of each word."""
    words: list[list[int]] = [[]]
    for token in tokens:
        if token == space:
            words.append([])
        else:
            words[-1].append(token)
    return [word for word in words if word]


def _has_all(words: list[list[int]], others: list[list[int]]) -> bool:
    """Whether the others are among these words, in their order."""
    left = iter(words)
    return len(words) > len(others) and all(other in left for other in others)
