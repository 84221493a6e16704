"""From an encoded image to token sequences: beam search over TrOCR's decoder, of which greedy is the width of one.

Where the encoder has a CTC head, its prefix scores are added to the decoder's at every step (Watanabe, Hori, Kim,
Hershey and Hayashi 2017, "Hybrid CTC/Attention Architecture"): the decoder brings the language, CTC the place in the
line, without which small decoders skip or repeat words. Where a language model lies beside the checkpoint, its scores are
added too ("shallow fusion", Gulcehre et al. 2015). Written out rather than left to `generate`, which has no such step, stops
at 20 tokens by default and cannot mask the padding of lines of different widths. In NumPy, so that it is one search for
every `Network`, and none needs another's library.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hwr_core.ctc import CTCPrefixScorer
from hwr_core.language_model import LanguageModel
from hwr_core.latex_grammar import Grammar

CANDIDATES = 12  # the decoder's best tokens of a step that CTC and the language model also score
IMPOSSIBLE = -1e9
COMPACT = 0.7  # share of a batch's items still being read under which the others leave it: moving what is kept costs some


class Encoded(Protocol):
    """The images of a batch, encoded, and the state of decoding them: `beams` rows for each item, one after the other.

    `mask` (batch, columns) bool tells which columns are no padding, `ctc_logits` (batch, columns, vocabulary) float32 what CTC sees;
    both None where the encoder has no such output.
    """

    mask: np.ndarray | None
    ctc_logits: np.ndarray | None

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Logits (rows, vocabulary) float32 of what follows `tokens` (rows,), each of which goes on from the row `origin` of the step before."""

    def keep(self, items: np.ndarray) -> None:
        """Leaves only these items; the next step's `origin` names rows of before."""


class Network(Protocol):
    """A checkpoint's encoder and decoder. `start`, `end` and `pad` are token ids; `vocabulary` counts the tokens, `positions` the longest sequence."""

    start: int
    end: int
    pad: int
    vocabulary: int
    positions: int

    def encode(self, pixel_values: np.ndarray, beams: int) -> Encoded:
        """`pixel_values` (batch, channels, height, width) float32."""


@dataclass(frozen=True)
class Hypothesis:
    """A decoded sequence without start and end tokens.

    `log_probabilities` has the chosen token's log probability at each step, the end token's last; `runners_up` the best
    other token at each step with its log probability. `total` is the sum of what the search went by, which are these
    unless a language model adds to them, and `score` the same by length. `complete` is false where no end token was reached.
    """

    tokens: list[int]
    log_probabilities: list[float]
    runners_up: list[tuple[int, float]]
    total: float
    score: float
    complete: bool


@dataclass(frozen=True)
class DecodingSettings:
    """`ctc_weight` 0–1 is CTC's share of a step's score; `temperature` divides the step's scores before they become
    probabilities (below 1 sharpens), and changes no reading; `length_penalty` is the exponent of the length that hypotheses are compared at;
    `language_model_weight` times the language model's log probability is added to each step's; `grammar` says what may follow."""

    beams: int = 1
    ctc_weight: float = 0.0
    language_model: LanguageModel | None = None
    language_model_weight: float = 0.0
    grammar: Grammar | None = None
    temperature: float = 1.0
    length_penalty: float = 1.0
    max_length: int = 256


def decode(network: Network, pixel_values: np.ndarray, settings: DecodingSettings) -> list[list[Hypothesis]]:
    """For each image of the batch its hypotheses, best first; `settings.beams` of them, where there are so many sequences."""
    beams, batch, end = settings.beams, len(pixel_values), network.end
    encoded = network.encode(pixel_values, beams)
    scorer = None
    if settings.ctc_weight and encoded.ctc_logits is not None:
        scorer = CTCPrefixScorer(log_softmax(encoded.ctc_logits.astype(np.float64)), encoded.mask, network.pad, end, beams)
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
        origin, tokens = search.step(*_joint(log_softmax(logits), scorer, contexts, settings, end))
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


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def _at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Each row's values at its own places; as `take_along_axis`, in a third of the time for the few that a step has."""
    return values[np.arange(len(values))[:, None], index]


def _best(values: np.ndarray, count: int) -> np.ndarray:
    """The indices of each row's `count` highest values, the highest first."""
    count = min(count, values.shape[1])
    if count == 1:
        return values.argmax(1)[:, None]
    if count == values.shape[1]:
        return np.argsort(-values, 1, kind="stable")
    index = np.argpartition(values, values.shape[1] - count, 1)[:, -count:]
    return _at(index, np.argsort(-_at(values, index), 1, kind="stable"))


def _joint(
    attention: np.ndarray, scorer: CTCPrefixScorer | None, contexts: np.ndarray | None, settings: DecodingSettings, end: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tokens that may be next, what to go by in the search, and log probabilities: all (rows, candidates).

    What a language model adds is not shared out among a step's tokens in the first: a beam whose every way on is unlikely text
    must fall behind the others.
    """
    if scorer is None and contexts is None:
        candidates = _best(attention, max(2, 2 * settings.beams))
        probable = attention if settings.temperature == 1 else log_softmax(attention / settings.temperature)
        return candidates, _at(attention, candidates), _at(probable, candidates)
    candidates = _best(attention, CANDIDATES)
    there = (candidates == end).any(1)
    candidates = np.concatenate([candidates, np.full_like(candidates[:, :1], end)], 1)
    best = _at(attention, candidates)
    if scorer is not None:
        best = (1 - settings.ctc_weight) * best + settings.ctc_weight * scorer.score(candidates)
    best[there, -1] = IMPOSSIBLE  # it is among the best already
    scores = log_softmax(np.maximum(best, IMPOSSIBLE))
    if contexts is not None:
        scores = scores + settings.language_model_weight * settings.language_model.score(contexts, candidates)
    return candidates, scores, log_softmax(scores / settings.temperature)


class _Search:
    """The beams of a batch: their tokens, scores and finished hypotheses. `items` are those whose rows are still in the batch."""

    def __init__(self, batch: int, settings: DecodingSettings, end: int):
        self.settings, self.beams, self.end = settings, settings.beams, end
        self.items = list(range(batch))
        self.total = np.full((batch, self.beams), IMPOSSIBLE)
        self.total[:, 0] = 0.0
        self.open: list[list[tuple]] = [[] for _ in range(batch * self.beams)]  # per step (token, log p, runner-up, its log p)
        self.closed: list[list[Hypothesis]] = [[] for _ in range(batch)]
        self.done = [False] * batch
        self.steps = 0

    @property
    def finished(self) -> bool:
        return all(self.done)

    def step(self, candidates: np.ndarray, scores: np.ndarray, log_probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Extends every beam by `scores`; returns for each new beam the row that it came from and its token."""
        self.steps += 1
        count, batch = scores.shape[1], len(self.items)
        totals = (self.total.reshape(-1, 1) + scores).reshape(batch, -1)
        index = _best(totals, 2 * self.beams)  # twice the beams, so that enough stay open when half of them end
        best = _at(totals, index)
        rows = index // count + np.arange(batch)[:, None] * self.beams
        columns = index % count
        top = _best(log_probabilities, 2)
        top_tokens = _at(candidates, top).tolist()
        top_values = _at(log_probabilities, top).tolist()
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
                        self.closed[item].append(self._close([*self.open[row], step], value, True))
                    continue
                if kept < self.beams:
                    origin.append(row), chosen.append(token), total.append(value), paths.append([*self.open[row], step])
                    kept += 1
            while kept < self.beams:  # no other way on: the beam goes on as a dead one
                origin.append(item_rows[0]), chosen.append(self.end), total.append(IMPOSSIBLE), paths.append(self.open[item_rows[0]])
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

    def _close(self, path: list[tuple], total: float, complete: bool) -> Hypothesis:
        tokens = [token for token, *_ in path]
        return Hypothesis(
            tokens=tokens[:-1] if complete else tokens,
            log_probabilities=[value for _, value, *_ in path],
            runners_up=[(token, value) for _, _, token, value in path],
            total=total,
            score=total / max(1, len(path)) ** self.settings.length_penalty,
            complete=complete,
        )

    def results(self) -> list[list[Hypothesis]]:
        for place, item in enumerate(self.items):
            if not self.done[item]:
                # The positions ran out: an unfinished hypothesis may still be far better than those that ended early.
                for beam, total in enumerate(self.total[place].tolist()):
                    if total > IMPOSSIBLE / 2:
                        self.closed[item].append(self._close(self.open[place * self.beams + beam], total, False))
        for closed in self.closed:
            closed.sort(key=lambda hypothesis: -hypothesis.score)
        return [closed[: self.beams] for closed in self.closed]
