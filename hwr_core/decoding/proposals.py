"""Listed words in place of words that resemble them: each is scored as the search would score it.

Beams may lose a listed word at a letter that the network finds unlikely, before the word's bonus outweighs it. Here the
whole sequence is scored at once.
"""

import numpy as np
from rapidfuzz.distance import Levenshtein

from hwr_core.decoding.ctc import CTCPrefixScorer
from hwr_core.decoding.network import Lookahead, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis, best_of, hypothesis, joint, log_softmax

MOST = 16  # sequences that are scored for a line
MARGINS = 0.5  # share of the margins that edits cost at least: one edit makes the next ones likelier


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
    scorer = _Scorer(network, line, settings)
    if not any(scorer.may_win(found[0], place.start, place.stop, form) for place in places for form in place.forms):
        return found
    first = best = scorer.scored(found[0].tokens)
    shift, left = 0, MOST  # tokens by which accepted words are longer than those that they replace
    changed = 0
    for place in sorted(places, key=lambda place: (place.start, -place.stop)):
        if place.start + shift < changed:  # overlaps a word that was replaced
            continue
        start, stop = place.start + shift, place.stop + shift
        possible = [form for form in place.forms if scorer.may_win(best, start, stop, form)]
        tried = [scorer.scored([*best.tokens[:start], *form, *best.tokens[stop:]]) for form in possible[:left]]
        left -= len(tried)
        better = max(tried, key=lambda other: other.score, default=best)
        if better.score > best.score:
            shift += len(better.tokens) - len(best.tokens)
            changed = stop + len(better.tokens) - len(best.tokens)
            best = better
    if best is first:
        return found
    others = [other for other in found[1:] if other.tokens != best.tokens]
    return [best, first, *others][: max(2, settings.beams)]


class _Scorer:
    """Scores whole sequences of one line."""

    def __init__(self, network: Network, line: Lookahead, settings: DecodingSettings):
        assert line.ctc_logits is not None and line.mask is not None  # `decode` asks only networks with CTC
        self.network, self.line, self.settings = network, line, settings
        self.inputs: list[int] = []  # tokens that the decoder has read; `logits` are its answers
        self.logits = np.zeros((0, network.vocabulary), np.float32)
        logits = log_softmax(line.ctc_logits.astype(np.float64))
        self.start = CTCPrefixScorer(logits, line.mask, network.pad, network.end)

    def may_win(self, now: Hypothesis, start: int, stop: int, form: tuple[int, ...]) -> bool:
        """Whether a listed word may outweigh the tokens from `start` to `stop`, as far as the runners-up tell.

        Each edit costs about the margin of a token over its runner-up. Most words of a line are sure, and are not tried.
        """
        if len(now.tokens) + len(form) - (stop - start) >= self.settings.max_length - 1:
            return False
        edits = Levenshtein.distance(now.tokens[start:stop], form)
        margins = sorted(
            value - other
            for value, (_, other) in zip(
                now.log_probabilities[start : stop + 1], now.runners_up[start : stop + 1], strict=True
            )
        )
        least = self.settings.temperature * sum(margins[:edits])
        bonus = self.settings.word_list.bonus if self.settings.word_list is not None else 0.0
        return MARGINS * least < bonus * len(form)

    def scored(self, tokens: list[int]) -> Hypothesis:
        """The hypothesis of a sequence, which ends after these tokens."""
        network, settings = self.network, self.settings
        self._read([network.start, *tokens])
        language_model, word_list = settings.language_model, settings.word_list
        contexts = states = None
        if language_model is not None and settings.language_model_weight:
            contexts = language_model.along(language_model.start(1), tokens)
        if word_list is not None:
            states = word_list.along(word_list.start(1), tokens)
        forced = np.array([*tokens, network.end])
        candidates, scores, log_probabilities = joint(
            log_softmax(self.logits), self.start.along(tokens), contexts, states, settings, network.end, forced
        )
        each = np.arange(len(forced))
        column = (candidates == forced[:, None]).argmax(1)
        top = best_of(log_probabilities, 2)
        second = top[each, (candidates[each, top[:, 0]] == forced).astype(np.intp)]
        steps = (forced, log_probabilities[each, column], candidates[each, second], log_probabilities[each, second])
        path = list(zip(*(values.tolist() for values in steps), strict=True))
        return hypothesis(path, float(scores[each, column].sum()), True, settings)

    def _read(self, inputs: list[int]) -> None:
        """Has the decoder read these tokens; it goes on from what it has read before as far as that is the same."""
        same = 0
        while same < min(len(inputs), len(self.inputs)) and inputs[same] == self.inputs[same]:
            same += 1
        if same < len(self.inputs):
            self.line.back(len(self.inputs) - same)
        if same < len(inputs):
            logits = self.line.ahead(np.array(inputs[same:]))
            if self.network.pad != self.network.end:
                logits[:, self.network.pad] = -np.inf
            self.logits = np.concatenate([self.logits[:same], logits])
        self.logits, self.inputs = self.logits[: len(inputs)], inputs
