"""The scores of each decoding step: the decoder's, CTC's, a language model's, and a bonus for the user's words.

If the encoder has a CTC head, its prefix scores are added to the decoder's at every step ("Hybrid CTC/Attention
Architecture", Watanabe et al. 2017). The decoder knows the language, CTC the position in the line.
Without CTC, small decoders skip or repeat words. If the checkpoint has a language model, its scores are added too
("shallow fusion", Gulcehre et al. 2015).
"""

from dataclasses import dataclass

import numpy as np

from hwr_core.decoding.ctc import IMPOSSIBLE, CTCPrefixScorer
from hwr_core.decoding.language_model import LanguageModel
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.decoding.letters import Letters
from hwr_core.decoding.word_confidence import WordConfidence
from hwr_core.decoding.word_list import WordList

CANDIDATES = 12  # tokens per step and row, the decoder's best, that CTC and the language model also score

SORTED_WHOLE = 1000  # values: so few are sorted whole, which is faster than to part the highest first

Step = tuple[int, float, int, float]  # token, log p, best other token, its log p


@dataclass(frozen=True)
class Hypothesis:
    """A decoded sequence.

    Attributes:
        tokens: the token ids, without start and end.
        log_probabilities: the log probability of each token, then of the end token.
        runners_up: at each step, the best other token and its log probability.
        total: the sum of the scores of the search. Without language model, these are the log probabilities.
        score: `total` divided by a power of the length; hypotheses are compared by it.
        complete: whether the end token was reached.
        unread: stretches of the line whose characters, as CTC sees them, the sequence lacks: from and to, 0–1 of the
            line's width. Only the best hypothesis of a line has them.
        word_confidences: for each token the probability that its word is right, with the space after it; 1 for spaces.
            Only the best hypothesis of a line has them, if the settings have `word_confidence`.
    """

    tokens: list[int]
    log_probabilities: list[float]
    runners_up: list[tuple[int, float]]
    total: float
    score: float
    complete: bool
    unread: tuple[tuple[float, float], ...] = ()
    word_confidences: tuple[float, ...] = ()


@dataclass(frozen=True)
class DecodingSettings:
    """The settings of the search.

    Attributes:
        beams: hypotheses that are followed at once; 1 is greedy decoding.
        wide_beams: the same, at least, for a line whose draft by CTC is improbable; 0 for no such difference. Lines that are
            decoded greedily have none.
        ctc_weight: CTC's share of a step's score, 0–1.
        language_model: the language model; None for none.
        language: the one of the language model's languages that is read; None where each line tells its own.
        language_model_weight: factor of the language model's log probability, which is added to a step's score.
        word_list: the user's words, which get a bonus; None for none.
        letters: which tokens are letters with marks or capitals; None where no reading is changed for them.
        grammar: the grammar that decides which tokens may follow; None allows all.
        temperature: divisor of the scores before they become probabilities. It changes confidences, not readings;
            below 1 they become more extreme.
        length_penalty: exponent of the length by which a hypothesis's total is divided.
        max_length: tokens of a sequence, at most, start and end included.
        unreadable_below: the mean confidence of the characters, geometric, below which a line counts as unreadable; 0
            for none.
        space: the token of a space, by which words that stand apart are told; None where there is none.
        give_up_below: probability of the whole sequence below which the search of an image ends, with what it has, and
            is not tried again in another size; 0 follows every image to its end.
        word_confidence: tells how probable it is that a word is right; None where it was not fitted.
    """

    beams: int = 1
    wide_beams: int = 0
    ctc_weight: float = 0.0
    language_model: LanguageModel | None = None
    language: str | None = None
    language_model_weight: float = 0.0
    word_list: WordList | None = None
    letters: Letters | None = None
    grammar: Grammar | None = None
    temperature: float = 1.0
    length_penalty: float = 1.0
    max_length: int = 256
    unreadable_below: float = 0.0
    give_up_below: float = 0.0
    space: int | None = None
    word_confidence: WordConfidence | None = None


def hypothesis(path: list[Step], total: float, complete: bool, settings: DecodingSettings) -> Hypothesis:
    """The hypothesis of a path.

    Args:
        path: the steps.
        total: the sum of the steps' scores.
        complete: whether the last step's token is the end token.
        settings: the settings of the search.
    """
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
    """Log probabilities of logits, over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def values_at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Each row's values at the row's indices.

    Equals `np.take_along_axis(values, index, 1)`, in a third of the time for arrays as small as a step's.
    """
    return values[np.arange(len(values))[:, None], index]


def best_of(values: np.ndarray, count: int) -> np.ndarray:
    """The indices of each row's `count` highest values, highest first, (rows, count) int."""
    count = min(count, values.shape[1])
    if count == 1:
        return values.argmax(1)[:, None]
    if count == values.shape[1] or values.size <= SORTED_WHOLE:
        return np.argsort(-values, 1, kind="stable")[:, :count]
    index = np.argpartition(values, values.shape[1] - count, 1)[:, -count:]
    return values_at(index, np.argsort(-values_at(values, index), 1, kind="stable"))


def joint(
    attention: np.ndarray,
    scorer: CTCPrefixScorer | None,
    contexts: np.ndarray | None,
    states: np.ndarray | None,
    settings: DecodingSettings,
    end: int,
    forced: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores the tokens that may come next.

    Language model scores are added without normalisation. Beams with unlikely continuations only then lose rank.

    Args:
        attention: the decoder's log probabilities, (rows, vocabulary) float32.
        scorer: CTC's scorer of the rows' prefixes; None without CTC.
        contexts: the language model's context of each row, (rows,) int64; None without language model.
        states: the word list's state of each row, (rows,) int64; None without word list.
        settings: the settings of the search.
        end: id of the end token.
        forced: a token of each row that is scored even if it is none of the best, (rows,) int. It is ignored where
            only the decoder gives scores.

    Returns:
        The candidates' token ids, their scores for the search, and their log probabilities: all (rows, candidates).
    """
    if scorer is None and contexts is None and states is None:
        candidates = best_of(attention, max(2, 2 * settings.beams))
        probable = attention if settings.temperature == 1 else log_softmax(attention / settings.temperature)
        return candidates, values_at(attention, candidates), values_at(probable, candidates)
    candidates = best_of(attention, CANDIDATES)
    count, has_end = candidates.shape[1], (candidates == end).any(1)
    candidates = np.concatenate([candidates, np.full_like(candidates[:, :1], end)], 1)
    if forced is not None:
        has_forced = (candidates == forced[:, None]).any(1)
        candidates = np.concatenate([candidates, forced[:, None]], 1)
    best = values_at(attention, candidates)
    if scorer is not None:
        best = (1 - settings.ctc_weight) * best + settings.ctc_weight * scorer.score(candidates)
    best[has_end, count] = IMPOSSIBLE  # the end token is already among the candidates
    if forced is not None:
        best[has_forced, -1] = IMPOSSIBLE
    scores = log_softmax(np.maximum(best, IMPOSSIBLE))
    if contexts is not None and settings.language_model is not None:
        scores = scores + settings.language_model_weight * settings.language_model.score(contexts, candidates)
    if states is not None and settings.word_list is not None:
        scores = scores + settings.word_list.score(states, candidates)
    return candidates, scores, log_softmax(scores / settings.temperature)
