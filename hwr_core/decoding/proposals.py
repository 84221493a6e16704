"""Listed words in place of words that resemble them: each is scored as the search would score it.

Beams may lose a listed word at a letter that the network finds unlikely, before the word's bonus outweighs it. Here the
whole sequence is scored at once.
"""

from collections.abc import Sequence

from hwr_core.decoding.network import Lookahead, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.decoding.sequence_scorer import SequenceScorer

MOST = 16  # sequences that are scored for a line
CASE = 2  # bonuses for each character whose case a listed word changes, where it changes nothing else


def with_listed_words(
    network: Network, line: Lookahead, found: list[Hypothesis], settings: DecodingSettings
) -> list[Hypothesis]:
    """Tries listed words in the best hypothesis.

    Args:
        network: the checkpoint's network.
        line: the encoded line, with CTC's output, of which nothing is decoded yet.
        found: the line's hypotheses, best first.
        settings: the settings of the search, with a word list.

    Returns:
        The hypotheses, best first: `found`, or a better one before them. The scores are those with the word list.
    """
    places = settings.word_list.proposals(found[0].tokens) if settings.word_list is not None else []
    if not places or not found[0].complete:
        return found
    scorer = SequenceScorer(network, line, settings)
    bonus = settings.word_list.bonus if settings.word_list is not None else 0.0

    def may_win(now: Hypothesis, start: int, stop: int, form: tuple[int, ...]) -> bool:
        return scorer.may_win(now, start, stop, form, bonus * len(form))

    if not any(may_win(found[0], place.start, place.stop, form) for place in places for form in place.forms):
        return found
    first = best = scorer.scored(found[0].tokens)
    shift, left = 0, MOST  # tokens by which accepted words are longer than those that they replace
    changed = 0
    for place in sorted(places, key=lambda place: (place.start, -place.stop)):
        if place.start + shift < changed:  # overlaps a word that was replaced
            continue
        start, stop = place.start + shift, place.stop + shift
        possible = [form for form in place.forms if may_win(best, start, stop, form)]
        tried = [scorer.scored([*best.tokens[:start], *form, *best.tokens[stop:]]) for form in possible[:left]]
        left -= len(tried)
        now = best.tokens[start:stop]
        sure = [
            other
            for other, form in zip(tried, possible, strict=False)
            if other.total - _same_but_for_case(settings, now, form) > best.total
        ]
        better = max(sure, key=lambda other: other.score, default=best)
        if better.score > best.score:
            shift += len(better.tokens) - len(best.tokens)
            changed = stop + len(better.tokens) - len(best.tokens)
            best = better
    if best is first:
        return found
    others = [other for other in found[1:] if other.tokens != best.tokens]
    return [best, first, *others][: max(2, settings.beams)]


def _same_but_for_case(settings: DecodingSettings, now: Sequence[int], form: Sequence[int]) -> float:
    """What a listed word is not credited with: letters that stand there already, in words that differ by case alone.

    Whether a letter is large is seen in the ink: `thank` is no `Thank` because a person once wrote that.
    """
    words = settings.word_list
    if words is None or not words.differ_by_case(now, form):
        return 0.0
    changed = sum(one != other for one, other in zip(now, form, strict=True))
    return words.bonus * max(0, len(form) - CASE * changed)
