"""From an image to token sequences: beam search over TrOCR's decoder, of which greedy is the width of one.

Where the encoder has a CTC head, its prefix scores are added to the decoder's at every step (Watanabe, Hori, Kim,
Hershey and Hayashi 2017, "Hybrid CTC/Attention Architecture"): the decoder brings the language, CTC the place in the
line, without which small decoders skip or repeat words. Where a language model lies beside the checkpoint, its scores are
added too ("shallow fusion", Gulcehre et al. 2015). Written out rather than left to `generate`, which has no such step, stops
at 20 tokens by default and cannot mask the padding of lines of different widths.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import EncoderDecoderCache, VisionEncoderDecoderModel

from hwr_core.language_model import LanguageModel
from hwr_core.latex_grammar import Grammar

CANDIDATES = 12  # the decoder's best tokens of a step that CTC also scores
ENCODED_AT_ONCE = 4  # images, on a CPU: their features still fit its cache, which makes a page a third quicker than all at once
IMPOSSIBLE = -1e9


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


class CTCPrefixScorer:
    """Log probability that CTC's output starts with a prefix, for prefixes that grow by one token a step.

    `log_probabilities` (batch, columns, vocabulary) float32, `mask` (batch, columns); each item has `beams` prefixes, one
    after the other: the rows. The recursion over the columns is a linear recurrence, done for all columns at once with
    cumulative log-sum-exp, in float64.
    """

    def __init__(self, log_probabilities: Tensor, mask: Tensor, blank: int, end: int, beams: int = 1):
        log_probabilities = log_probabilities.double().clamp(min=-60)
        self.blank, self.end = blank, end
        log_probabilities[~mask] = IMPOSSIBLE / 1e3
        log_probabilities[..., blank][~mask] = 0.0  # after the line only blanks: the prefix just stays
        self.log_probabilities = log_probabilities
        self.blanks = log_probabilities[..., blank].repeat_interleave(beams, 0)  # (rows, columns)
        # Probabilities of the empty prefix, ending in a token (none) and in blank (only blanks so far).
        self.by_token = torch.full_like(self.blanks, IMPOSSIBLE)
        self.by_blank = self.blanks.cumsum(1)
        self.prefix_score = torch.zeros(len(self.blanks), dtype=torch.float64, device=mask.device)
        self.last = torch.full((len(self.blanks),), -1, device=mask.device)

    def score(self, tokens: Tensor) -> Tensor:
        """Log probabilities, given the prefix so far, of going on with each of `tokens` (rows, candidates)."""
        scores = (self._arrive(tokens) + self._emitted(tokens)).logsumexp(2)
        ending = torch.logaddexp(self.by_token[:, -1], self.by_blank[:, -1])[:, None]
        scores = torch.where(tokens == self.end, ending, scores)
        scores = torch.where(tokens == self.blank, IMPOSSIBLE, scores)
        return (scores - self.prefix_score[:, None]).float()

    def _emitted(self, tokens: Tensor) -> Tensor:
        """Of each column, the log probabilities of `tokens` (rows, candidates): (rows, candidates, columns)."""
        batch, columns, _ = self.log_probabilities.shape
        found = self.log_probabilities.gather(2, tokens.view(batch, 1, -1).expand(-1, columns, -1))
        return found.transpose(1, 2).reshape(*tokens.shape, columns)

    def _arrive(self, tokens: Tensor) -> Tensor:
        """Of the prefix so far, standing just before each column; a repeated token must come after a blank."""
        both = torch.logaddexp(self.by_token, self.by_blank)
        same = (tokens == self.last[:, None])[..., None]
        arriving = torch.where(same, self.by_blank[:, None], both[:, None])  # (rows, candidates, columns)
        start = torch.zeros_like(arriving[..., :1]) if int(self.last[0]) < 0 else torch.full_like(arriving[..., :1], IMPOSSIBLE)
        return torch.cat([start, arriving[..., :-1]], 2)

    def advance(self, rows: Tensor, tokens: Tensor) -> None:
        """Goes on with `tokens` (rows,), each from the prefix of the row that `rows` names, which is one of the same item."""
        for name in ("by_token", "by_blank", "last"):
            setattr(self, name, getattr(self, name)[rows])
        arriving = self._arrive(tokens[:, None])[:, 0]  # (rows, columns)
        emitted = self._emitted(tokens[:, None])[:, 0]
        self.by_token = _recur(arriving, emitted)
        start = torch.full_like(arriving[:, :1], IMPOSSIBLE)
        self.by_blank = _recur(torch.cat([start, self.by_token[:, :-1]], 1), self.blanks)
        self.prefix_score = (arriving + emitted).logsumexp(1)
        self.last = tokens


def _recur(arriving: Tensor, emitted: Tensor) -> Tensor:
    """r(t) = (r(t−1) + arriving(t)) · emitted(t) for all columns t, in log space."""
    sums = emitted.cumsum(-1)
    before = sums - emitted
    return sums + torch.logcumsumexp(arriving - before, -1)


@torch.inference_mode()
def decode(model: VisionEncoderDecoderModel, pixel_values: Tensor, settings: DecodingSettings) -> list[list[Hypothesis]]:
    """For each image of the batch its hypotheses, best first; `settings.beams` of them, where there are so many sequences."""
    states, mask, ctc_logits = _encode(model, pixel_values)
    if hasattr(model, "enc_to_dec_proj"):
        states = model.enc_to_dec_proj(states)
    beams, batch = settings.beams, states.shape[0]
    rows = torch.arange(batch, device=states.device).repeat_interleave(beams)
    start, end, pad = special_tokens(model)
    scorer = None
    if settings.ctc_weight and ctc_logits is not None:
        scorer = CTCPrefixScorer(ctc_logits.float().log_softmax(-1), mask, pad, end, beams)
    states, mask = states[rows], mask[rows] if mask is not None else None

    language_model = settings.language_model
    contexts = language_model.start(batch * beams) if language_model is not None else None
    grammar = settings.grammar
    parsed = grammar.start(batch * beams) if grammar is not None else None
    search = _Search(batch, beams, settings, end, states.device)
    tokens = torch.full((batch * beams, 1), start, device=states.device)
    cache: EncoderDecoderCache | None = None
    for step in range(settings.max_length - 1):
        output = model.decoder(
            input_ids=tokens, encoder_hidden_states=states, encoder_attention_mask=mask, past_key_values=cache, use_cache=True
        )
        cache = output.past_key_values
        logits = output.logits[:, -1].float()
        if pad != end:
            logits[:, pad] = float("-inf")
        if grammar is not None:
            logits = logits.masked_fill(~grammar.allowed(parsed, settings.max_length - 1 - step).to(logits.device), float("-inf"))
        origin, chosen = search.step(*_joint(logits.log_softmax(-1), scorer, contexts, settings, end))
        if search.finished:
            break
        if beams > 1:
            # An item's beams look at the same image: what the decoder keeps of it need not move.
            getattr(cache, "self_attention_cache", cache).reorder_cache(origin)
        if scorer is not None:
            scorer.advance(origin, chosen)
        if language_model is not None:
            contexts = language_model.advance(contexts[origin], chosen)
        if grammar is not None:
            parsed = grammar.advance([parsed[row] for row in origin.tolist()], chosen.tolist())
        tokens = chosen[:, None]
    return search.results()


def _encode(model: VisionEncoderDecoderModel, pixel_values: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """The encoder's states, its mask of real columns and its CTC logits, where it has these; all (batch, columns, …)."""
    at_once = ENCODED_AT_ONCE if pixel_values.device.type == "cpu" else len(pixel_values)
    parts = [model.encoder(images) for images in pixel_values.split(at_once)]
    names = ("last_hidden_state", "attention_mask", "ctc_logits")
    columns = [[getattr(part, name, None) for part in parts] for name in names]
    return tuple(torch.cat(column) if column[0] is not None else None for column in columns)


def special_tokens(model: VisionEncoderDecoderModel) -> tuple[int, int, int]:
    """The tokens that start, end and pad a line, found where `generate` finds them; ValueError where none ends it."""

    def named(*names: str) -> int | None:
        for name in names:
            for config in (model.generation_config, model.config, model.config.decoder):
                if (value := getattr(config, name, None)) is not None:
                    return value[0] if isinstance(value, list) else value
        return None

    start, end = named("decoder_start_token_id", "bos_token_id"), named("eos_token_id")
    if start is None or end is None:
        raise ValueError("It names no token that starts or ends a line (decoder_start_token_id, eos_token_id).")
    pad = named("pad_token_id")
    return start, end, end if pad is None else pad


def _joint(
    attention: Tensor, scorer: CTCPrefixScorer | None, contexts: Tensor | None, settings: DecodingSettings, end: int
) -> tuple[Tensor, Tensor]:
    """What to go by in the search, and log probabilities, of the next token: both (rows, vocabulary).

    With CTC or a language model, of the decoder's best candidates only. What a language model adds is not shared out
    among a step's tokens in the first: a beam whose every way on is unlikely text must fall behind the others.
    """
    if scorer is None and contexts is None:
        return attention, (attention / settings.temperature).log_softmax(-1)
    best, candidates = attention.topk(min(CANDIDATES, attention.shape[1]))
    candidates = torch.cat([candidates, torch.full_like(candidates[:, :1], end)], 1)
    best = torch.cat([best, attention[:, end : end + 1]], 1)
    if scorer is not None:
        best = (1 - settings.ctc_weight) * best + settings.ctc_weight * scorer.score(candidates)
    impossible = torch.full_like(attention, IMPOSSIBLE)
    scores = impossible.scatter(1, candidates, best).log_softmax(-1)
    if contexts is not None:
        added = torch.zeros_like(attention).scatter(1, candidates, settings.language_model.score(contexts, candidates))
        scores = scores + settings.language_model_weight * added
    return scores, (scores / settings.temperature).log_softmax(-1)


class _Search:
    """The beams of a batch: their tokens, scores and finished hypotheses."""

    def __init__(self, batch: int, beams: int, settings: DecodingSettings, end: int, device: torch.device):
        self.batch, self.beams, self.settings, self.end, self.device = batch, beams, settings, end, device
        self.total = torch.full((batch, beams), float(IMPOSSIBLE), device=device)
        self.total[:, 0] = 0.0
        self.open: list[list[tuple]] = [[] for _ in range(batch * beams)]  # per step (token, log p, runner-up, its log p)
        self.closed: list[list[Hypothesis]] = [[] for _ in range(batch)]
        self.done = [False] * batch
        self.steps = 0

    @property
    def finished(self) -> bool:
        return all(self.done)

    def step(self, scores: Tensor, log_probabilities: Tensor) -> tuple[Tensor, Tensor]:
        """Extends every beam by `scores`; returns for each new beam the row that it came from and its token."""
        self.steps += 1
        vocabulary = scores.shape[1]
        totals = (self.total.view(-1, 1) + scores).view(self.batch, -1)
        # Twice the beams, so that enough stay open when half of them end.
        best, index = totals.topk(min(2 * self.beams, totals.shape[1]), 1)
        top = log_probabilities.topk(min(2, vocabulary), 1)
        top_values, top_tokens, log_p = top.values.tolist(), top.indices.tolist(), log_probabilities.flatten()
        rows = index // vocabulary + torch.arange(self.batch, device=self.device)[:, None] * self.beams
        tokens = index % vocabulary
        chosen_log_p = log_p[rows * vocabulary + tokens].tolist()
        origin, chosen, total, paths = [], [], [], []
        for item, (item_rows, item_tokens, item_totals) in enumerate(zip(rows.tolist(), tokens.tolist(), best.tolist(), strict=True)):
            kept = 0
            for rank, (row, token, value) in enumerate(zip(item_rows, item_tokens, item_totals, strict=True)):
                if value <= IMPOSSIBLE / 2:  # a dead beam, or a token that the grammar does not allow
                    continue
                second = 1 if top_tokens[row][0] == token else 0
                runner = (top_tokens[row][second], top_values[row][second])
                path = [*self.open[row], (token, chosen_log_p[item][rank], *runner)]
                if token == self.end:
                    if not self.done[item] and rank < self.beams:
                        self.closed[item].append(self._close(path, value, True))
                    continue
                if kept < self.beams:
                    origin.append(row), chosen.append(token), total.append(value), paths.append(path)
                    kept += 1
            while kept < self.beams:  # no other way on: the beam goes on as a dead one
                origin.append(item_rows[0]), chosen.append(self.end), total.append(float(IMPOSSIBLE)), paths.append(self.open[item_rows[0]])
                kept += 1
            self.done[item] = self.done[item] or self._is_done(item, total[-self.beams])
        self.open = paths
        self.total = torch.tensor(total, device=self.device).view(self.batch, self.beams)
        return torch.tensor(origin, device=self.device), torch.tensor(chosen, device=self.device)

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
        for item in range(self.batch):
            if not self.done[item]:
                # The positions ran out: an unfinished hypothesis may still be far better than those that ended early.
                for beam, total in enumerate(self.total[item].tolist()):
                    if total > IMPOSSIBLE / 2:
                        self.closed[item].append(self._close(self.open[item * self.beams + beam], total, False))
            self.closed[item].sort(key=lambda hypothesis: -hypothesis.score)
        return [closed[: self.beams] for closed in self.closed]
