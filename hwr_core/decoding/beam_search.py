"""Beam search over token sequences. With one beam it is greedy decoding."""

import math

import numpy as np

from hwr_core.decoding.ctc import IMPOSSIBLE, CTCPrefixScorer
from hwr_core.decoding.network import Encoded, Network
from hwr_core.decoding.scores import (
    DecodingSettings,
    Hypothesis,
    Step,
    best_of,
    hypothesis,
    joint,
    log_softmax,
    values_at,
)

# Share of a batch's items that are unfinished. At or below it, the finished ones are removed, which costs a copy.
COMPACT = 0.7


def beam_search(network: Network, encoded: Encoded, batch: int, settings: DecodingSettings) -> list[list[Hypothesis]]:
    """Searches for the best token sequences of a batch.

    Args:
        network: the checkpoint's network.
        encoded: the encoded batch, with `settings.beams` rows for each item.
        batch: number of items.
        settings: the settings of the search.

    Returns:
        For each item its hypotheses, best first, at most `settings.beams`.
    """
    beams, end = settings.beams, network.end
    scorer = None
    if settings.ctc_weight and encoded.ctc_logits is not None and encoded.mask is not None:
        scorer = CTCPrefixScorer(
            log_softmax(encoded.ctc_logits.astype(np.float64)), encoded.mask, network.pad, end, beams
        )
    language_model = settings.language_model if settings.language_model_weight else None
    contexts = language_model.start(batch * beams) if language_model is not None else None
    word_list = settings.word_list
    states = word_list.start(batch * beams) if word_list is not None else None
    grammar = settings.grammar
    parsed = grammar.start(batch * beams) if grammar is not None else None
    search = _Search(batch, settings, end)
    tokens, origin = np.full(batch * beams, network.start), np.arange(batch * beams)
    for step in range(settings.max_length - 1):
        logits = encoded.step(tokens, origin)
        if network.pad != end:
            logits[:, network.pad] = -np.inf
        if grammar is not None and parsed is not None:
            logits[~grammar.allowed(parsed, settings.max_length - 1 - step)] = -np.inf
        origin, tokens = search.step(*joint(log_softmax(logits), scorer, contexts, states, settings, end))
        if search.finished:
            break
        if (kept := search.compacted()) is not None:
            rows = (kept[:, None] * beams + np.arange(beams)).ravel()
            origin, tokens = origin[rows], tokens[rows]
            encoded.keep(kept)
            if scorer is not None:
                scorer.keep(kept)
        if scorer is not None:
            scorer.advance(origin, tokens)
        if language_model is not None and contexts is not None:
            contexts = language_model.advance(contexts[origin], tokens)
        if word_list is not None and states is not None:
            states = word_list.advance(states[origin], tokens)
        if grammar is not None and parsed is not None:
            parsed = grammar.advance([parsed[row] for row in origin.tolist()], tokens.tolist())
    return search.results()


class _Search:
    """The beams of a batch: their paths, scores and finished hypotheses.

    Attributes:
        items: the items that are still in the batch.
        total: (items, beams) float64, the score of each beam so far.
        open: the steps of each beam.
        sums: the log probability of each beam so far.
        closed: the finished hypotheses of each item.
        done: whether each item is finished.
        steps: number of steps so far.
    """

    def __init__(self, batch: int, settings: DecodingSettings, end: int):
        self.settings, self.beams, self.end = settings, settings.beams, end
        self.items = list(range(batch))
        self.total = np.full((batch, self.beams), IMPOSSIBLE)
        self.total[:, 0] = 0.0
        self.open: list[list[Step]] = [[] for _ in range(batch * self.beams)]
        self.sums = [0.0] * (batch * self.beams)
        self.closed: list[list[Hypothesis]] = [[] for _ in range(batch)]
        self.done = [False] * batch
        self.steps = 0

    @property
    def finished(self) -> bool:
        """Whether all items are finished."""
        return all(self.done)

    def step(
        self, candidates: np.ndarray, scores: np.ndarray, log_probabilities: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Extends every beam by a token.

        Args:
            candidates: token ids that may come next, (rows, candidates).
            scores: their scores, of the same shape.
            log_probabilities: their log probabilities, of the same shape.

        Returns:
            For each new beam the row that it continues, and its new token: both (rows,) int.
        """
        self.steps += 1
        count, batch = scores.shape[1], len(self.items)
        totals = (self.total.reshape(-1, 1) + scores).reshape(batch, -1)
        index = best_of(totals, 2 * self.beams)  # enough for all beams even if as many end
        best = values_at(totals, index)
        rows = index // count + np.arange(batch)[:, None] * self.beams
        columns = index % count
        top = best_of(log_probabilities, 2)
        top_tokens = values_at(candidates, top).tolist()
        top_values = values_at(log_probabilities, top).tolist()
        tokens, chosen_log_p = candidates[rows, columns].tolist(), log_probabilities[rows, columns].tolist()
        origin: list[int] = []
        chosen: list[int] = []
        total: list[float] = []
        paths: list[list[Step]] = []
        sums: list[float] = []
        for place, (item_rows, item_totals) in enumerate(zip(rows.tolist(), best.tolist(), strict=True)):
            item, kept = self.items[place], 0
            for rank, (row, token, value) in enumerate(zip(item_rows, tokens[place], item_totals, strict=True)):
                if not value > IMPOSSIBLE / 2:  # a dead beam, or a token that the grammar forbids
                    continue
                second = 1 if top_tokens[row][0] == token else 0
                step = (token, chosen_log_p[place][rank], top_tokens[row][second], top_values[row][second])
                if token == self.end:
                    if not self.done[item] and rank < self.beams:
                        self.closed[item].append(hypothesis([*self.open[row], step], value, True, self.settings))
                    continue
                if kept < self.beams:
                    origin.append(row)
                    chosen.append(token)
                    total.append(value)
                    paths.append([*self.open[row], step])
                    sums.append(self.sums[row] + step[1])
                    kept += 1
            while kept < self.beams:  # without a continuation, the beam stays as a dead one
                origin.append(item_rows[0])
                chosen.append(self.end)
                total.append(IMPOSSIBLE)
                paths.append(self.open[item_rows[0]])
                sums.append(IMPOSSIBLE)
                kept += 1
            self.done[item] = (
                self.done[item]
                or self._is_done(item, total[-self.beams])
                or self._is_hopeless(item, paths[-self.beams :], total[-self.beams :], sums[-self.beams :])
            )
        self.open, self.sums = paths, sums
        self.total = np.array(total).reshape(batch, self.beams)
        return np.array(origin), np.array(chosen)

    def compacted(self) -> np.ndarray | None:
        """Removes finished items once there are enough of them.

        Returns:
            The positions that the remaining items had, (items,) int; None if none was removed.
        """
        kept = [place for place, item in enumerate(self.items) if not self.done[item]]
        if len(kept) > COMPACT * len(self.items):
            return None
        self.items = [self.items[place] for place in kept]
        self.total = self.total[kept]
        rows = [place * self.beams + beam for place in kept for beam in range(self.beams)]
        self.open, self.sums = [self.open[row] for row in rows], [self.sums[row] for row in rows]
        return np.array(kept)

    def _is_done(self, item: int, best_open: float) -> bool:
        closed = self.closed[item]
        if not closed:
            return False
        if self.beams == 1:
            return True
        worst = min(sorted((hypothesis.score for hypothesis in closed), reverse=True)[: self.beams])
        return len(closed) >= self.beams and worst >= best_open / self.steps**self.settings.length_penalty

    def _is_hopeless(self, item: int, paths: list[list[Step]], totals: list[float], sums: list[float]) -> bool:
        """Whether neither a finished nor an open sequence has the probability `give_up_below`, which only falls."""
        if not self.settings.give_up_below:
            return False
        alive = [value for value in sums if value > IMPOSSIBLE / 2]
        alive += [sum(found.log_probabilities) for found in self.closed[item]]
        if max(alive, default=0.0) >= math.log(self.settings.give_up_below):
            return False
        self.closed[item] += [
            hypothesis(path, total, False, self.settings)
            for path, total in zip(paths, totals, strict=True)
            if total > IMPOSSIBLE / 2
        ]
        return True

    def results(self) -> list[list[Hypothesis]]:
        """For each item its hypotheses, best first."""
        for place, item in enumerate(self.items):
            if not self.done[item]:
                # At the maximal length, unfinished hypotheses may still be far better than short finished ones.
                for beam, total in enumerate(self.total[place].tolist()):
                    if total > IMPOSSIBLE / 2:
                        self.closed[item].append(
                            hypothesis(self.open[place * self.beams + beam], total, False, self.settings)
                        )
        for closed in self.closed:
            closed.sort(key=lambda hypothesis: -hypothesis.score)
        return [closed[: self.beams] for closed in self.closed]
