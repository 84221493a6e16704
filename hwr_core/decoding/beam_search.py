"""Beam search, of which greedy decoding is the width of one."""

import numpy as np

from hwr_core.decoding.ctc import IMPOSSIBLE, CTCPrefixScorer
from hwr_core.decoding.network import Encoded, Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis, best_of, hypothesis, joint, log_softmax, values_at

COMPACT = (
    0.7  # share of a batch's items still being read under which the others leave it: moving what is kept costs some
)


def beam_search(network: Network, encoded: Encoded, batch: int, settings: DecodingSettings) -> list[list[Hypothesis]]:
    """For each of the `batch` items its hypotheses, best first; `settings.beams` of them, where there are so many sequences."""
    beams, end = settings.beams, network.end
    scorer = None
    if settings.ctc_weight and encoded.ctc_logits is not None:
        scorer = CTCPrefixScorer(
            log_softmax(encoded.ctc_logits.astype(np.float64)), encoded.mask, network.pad, end, beams
        )
    language_model = settings.language_model if settings.language_model_weight else None
    contexts = language_model.start(batch * beams) if language_model is not None else None
    grammar = settings.grammar
    parsed = grammar.start(batch * beams) if grammar is not None else None
    search = _Search(batch, settings, end)
    tokens, origin = np.full(batch * beams, network.start), np.arange(batch * beams)
    for step in range(settings.max_length - 1):
        logits = encoded.step(tokens, origin)
        if network.pad != end:
            logits[:, network.pad] = -np.inf
        if grammar is not None:
            logits[~grammar.allowed(parsed, settings.max_length - 1 - step)] = -np.inf
        origin, tokens = search.step(*joint(log_softmax(logits), scorer, contexts, settings, end))
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
        if contexts is not None:
            contexts = language_model.advance(contexts[origin], tokens)
        if grammar is not None:
            parsed = grammar.advance([parsed[row] for row in origin.tolist()], tokens.tolist())
    return search.results()


class _Search:
    """The beams of a batch: their tokens, scores and finished hypotheses. `items` are those whose rows are still in the batch."""

    def __init__(self, batch: int, settings: DecodingSettings, end: int):
        self.settings, self.beams, self.end = settings, settings.beams, end
        self.items = list(range(batch))
        self.total = np.full((batch, self.beams), IMPOSSIBLE)
        self.total[:, 0] = 0.0
        self.open: list[list[tuple]] = [
            [] for _ in range(batch * self.beams)
        ]  # per step (token, log p, runner-up, its log p)
        self.closed: list[list[Hypothesis]] = [[] for _ in range(batch)]
        self.done = [False] * batch
        self.steps = 0

    @property
    def finished(self) -> bool:
        return all(self.done)

    def step(
        self, candidates: np.ndarray, scores: np.ndarray, log_probabilities: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Extends every beam by `scores`; returns for each new beam the row that it came from and its token."""
        self.steps += 1
        count, batch = scores.shape[1], len(self.items)
        totals = (self.total.reshape(-1, 1) + scores).reshape(batch, -1)
        index = best_of(totals, 2 * self.beams)  # twice the beams, so that enough stay open when half of them end
        best = values_at(totals, index)
        rows = index // count + np.arange(batch)[:, None] * self.beams
        columns = index % count
        top = best_of(log_probabilities, 2)
        top_tokens = values_at(candidates, top).tolist()
        top_values = values_at(log_probabilities, top).tolist()
        tokens, chosen_log_p = candidates[rows, columns].tolist(), log_probabilities[rows, columns].tolist()
        origin, chosen, total, paths = [], [], [], []
        for place, (item_rows, item_totals) in enumerate(zip(rows.tolist(), best.tolist(), strict=True)):
            item, kept = self.items[place], 0
            for rank, (row, token, value) in enumerate(zip(item_rows, tokens[place], item_totals, strict=True)):
                if not value > IMPOSSIBLE / 2:  # a dead beam, or a token that the grammar does not allow
                    continue
                second = 1 if top_tokens[row][0] == token else 0
                step = (token, chosen_log_p[place][rank], top_tokens[row][second], top_values[row][second])
                if token == self.end:
                    if not self.done[item] and rank < self.beams:
                        self.closed[item].append(hypothesis([*self.open[row], step], value, True, self.settings))
                    continue
                if kept < self.beams:
                    origin.append(row), chosen.append(token), total.append(value), paths.append([*self.open[row], step])
                    kept += 1
            while kept < self.beams:  # no other way on: the beam goes on as a dead one
                (
                    origin.append(item_rows[0]),
                    chosen.append(self.end),
                    total.append(IMPOSSIBLE),
                    paths.append(self.open[item_rows[0]]),
                )
                kept += 1
            self.done[item] = self.done[item] or self._is_done(item, total[-self.beams])
        self.open = paths
        self.total = np.array(total).reshape(batch, self.beams)
        return np.array(origin), np.array(chosen)

    def compacted(self) -> np.ndarray | None:
        """Once enough items are done, lets them go; returns where those that stay were among the items, or None where all stay."""
        kept = [place for place, item in enumerate(self.items) if not self.done[item]]
        if len(kept) > COMPACT * len(self.items):
            return None
        self.items = [self.items[place] for place in kept]
        self.total = self.total[kept]
        self.open = [self.open[place * self.beams + beam] for place in kept for beam in range(self.beams)]
        return np.array(kept)

    def _is_done(self, item: int, best_open: float) -> bool:
        closed = self.closed[item]
        if not closed:
            return False
        if self.beams == 1:
            return True
        worst = min(sorted((hypothesis.score for hypothesis in closed), reverse=True)[: self.beams])
        return len(closed) >= self.beams and worst >= best_open / self.steps**self.settings.length_penalty

    def results(self) -> list[list[Hypothesis]]:
        for place, item in enumerate(self.items):
            if not self.done[item]:
                # The positions ran out: an unfinished hypothesis may still be far better than those that ended early.
                for beam, total in enumerate(self.total[place].tolist()):
                    if total > IMPOSSIBLE / 2:
                        self.closed[item].append(
                            hypothesis(self.open[place * self.beams + beam], total, False, self.settings)
                        )
        for closed in self.closed:
            closed.sort(key=lambda hypothesis: -hypothesis.score)
        return [closed[: self.beams] for closed in self.closed]
