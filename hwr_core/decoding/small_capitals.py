"""Reads a line that is written in capitals throughout in capitals, where each letter alone may be a small one.

Some people write small capitals: their E, N and R have the shape of capitals and the height of small letters. The search decides
letter by letter, and the language speaks for small letters each time. But a hand writes all of a line in capitals or
none: the reading in capitals is taken where it is nearly as probable. The limit was chosen on 400 lines of each validation set: 15
changed, all in small capitals, and two of them are transcribed in small letters. One hand of Copiste is nearly all of the gain.
"""

import math
from dataclasses import replace

from hwr_core.decoding.network import Lookahead, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.decoding.sequence_scorer import SequenceScorer

NEARLY = 0.75  # nats that a capital may cost, the mean over the line's small letters; mostly they cost 2 and more
FEWEST = 3  # small letters of a line
UNSURE = 0.3  # probability of the reading below which capitals are tried: small letters that are sure are small


def in_capitals(
    network: Network, line: Lookahead, found: list[Hypothesis], settings: DecodingSettings
) -> list[Hypothesis]:
    """Tries the best hypothesis in capitals.

    Args:
        network: The checkpoint's network.
        line: The encoded line, with CTC's output, of which nothing is decoded yet.
        found: The line's hypotheses, best first.
        settings: Of the search, with the line's language and without a word list.

    Returns:
        The hypotheses, best first: `found`, or the best one in capitals before them.
    """
    best = found[0]
    if settings.letters is None or not best.complete:
        return found
    capitals = settings.letters.capitals(best.tokens)
    small = [
        place for place, (token, capital) in enumerate(zip(best.tokens, capitals, strict=True)) if token != capital
    ]
    allowed = NEARLY * len(small)
    if len(small) < FEWEST or sum(best.log_probabilities) >= math.log(UNSURE):
        return found
    # Texts in capitals are rare, so the language model knows nothing of them.
    scorer = SequenceScorer(network, line, replace(settings, language_model=None))
    as_read, large = scorer.scored(best.tokens), scorer.scored(capitals)
    if as_read.total - large.total >= allowed:
        return found
    large = replace(large, unread=best.unread, total=best.total, score=best.score)
    return [large, *[other for other in found if other.tokens != capitals]][: max(2, settings.beams)]
