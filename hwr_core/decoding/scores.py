"""What the decoding goes by at each step: the decoder's scores, CTC's, and a language model's.

Where the encoder has a CTC head, its prefix scores are added to the decoder's at every step (Watanabe, Hori, Kim,
Hershey and Hayashi 2017, "Hybrid CTC/Attention Architecture"): the decoder brings the language, CTC the place in the
line, without which small decoders skip or repeat words. Where a language model lies beside the checkpoint, its scores are
added too ("shallow fusion", Gulcehre et al. 2015).
"""

from dataclasses import dataclass

import numpy as np

from hwr_core.decoding.ctc import IMPOSSIBLE, CTCPrefixScorer
from hwr_core.decoding.language_model import LanguageModel
from hwr_core.decoding.latex_grammar import Grammar

CANDIDATES = 12  # the decoder's best tokens of a step that CTC and the language model also score


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


def hypothesis(path: list[tuple], total: float, complete: bool, settings: DecodingSettings) -> Hypothesis:
    """`path` has of each step its token, its log probability, the best other token and that one's."""
    tokens = [token for token, *_ in path]
    return Hypothesis(
        tokens=tokens[:-1] if complete else tokens,
        log_probabilities=[value for _, value, *_ in path],
        runners_up=[(token, value) for _, _, token, value in path],
        total=total,
        score=total / max(1, len(path)) ** settings.length_penalty,
        complete=complete,
    )


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def values_at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Each row's values at its own places; as `take_along_axis`, in a third of the time for the few that a step has."""
    return values[np.arange(len(values))[:, None], index]


def best_of(values: np.ndarray, count: int) -> np.ndarray:
    """The indices of each row's `count` highest values, the highest first."""
    count = min(count, values.shape[1])
    if count == 1:
        return values.argmax(1)[:, None]
    if count == values.shape[1]:
        return np.argsort(-values, 1, kind="stable")
    index = np.argpartition(values, values.shape[1] - count, 1)[:, -count:]
    return values_at(index, np.argsort(-values_at(values, index), 1, kind="stable"))


def joint(
    attention: np.ndarray,
    scorer: CTCPrefixScorer | None,
    contexts: np.ndarray | None,
    settings: DecodingSettings,
    end: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tokens that may be next, what to go by in the search, and log probabilities: all (rows, candidates).

    What a language model adds is not shared out among a step's tokens in the first: a beam whose every way on is unlikely text
    must fall behind the others.
    """
    if scorer is None and contexts is None:
        candidates = best_of(attention, max(2, 2 * settings.beams))
        probable = attention if settings.temperature == 1 else log_softmax(attention / settings.temperature)
        return candidates, values_at(attention, candidates), values_at(probable, candidates)
    candidates = best_of(attention, CANDIDATES)
    there = (candidates == end).any(1)
    candidates = np.concatenate([candidates, np.full_like(candidates[:, :1], end)], 1)
    best = values_at(attention, candidates)
    if scorer is not None:
        best = (1 - settings.ctc_weight) * best + settings.ctc_weight * scorer.score(candidates)
    best[there, -1] = IMPOSSIBLE  # it is among the best already
    scores = log_softmax(np.maximum(best, IMPOSSIBLE))
    if contexts is not None:
        scores = scores + settings.language_model_weight * settings.language_model.score(contexts, candidates)
    return candidates, scores, log_softmax(scores / settings.temperature)
