"""Scores whole sequences of a line as the search would score them, which may have lost them at an unlikely step."""

from collections.abc import Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

from hwr_core.decoding.ctc import CTCPrefixScorer
from hwr_core.decoding.network import Lookahead, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis, best_of, hypothesis, joint, log_softmax

MARGINS = 0.5  # share of the margins that edits cost at least: one edit makes the next ones likelier


class SequenceScorer:
    """Scores whole sequences of one line."""

    def __init__(self, network: Network, line: Lookahead, settings: DecodingSettings):
        assert line.ctc_logits is not None and line.mask is not None  # `decode` asks only networks with CTC
        self.network, self.line, self.settings = network, line, settings
        self.inputs: list[int] = []  # tokens that the decoder has read; `logits` are its answers
        self.logits = np.zeros((0, network.vocabulary), np.float32)
        logits = log_softmax(line.ctc_logits.astype(np.float64))
        self.start = CTCPrefixScorer(logits, line.mask, network.pad, network.end)

    def may_win(self, now: Hypothesis, start: int, stop: int, form: Sequence[int], gain: float) -> bool:
        """Whether other tokens may outweigh those from `start` to `stop`, as far as the runners-up tell.

        Each edit costs about the margin of a token over its runner-up. Most words of a line are sure, and are not tried.

        Args:
            now: a hypothesis.
            start: the first token to replace.
            stop: the token after the last.
            form: the tokens in their place.
            gain: what speaks for them beside the network.
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
        return MARGINS * least < gain

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
