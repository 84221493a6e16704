"""What CTC's output says of a text that is written token by token."""

import numpy as np

IMPOSSIBLE = -1e9


class CTCPrefixScorer:
    """Log probability that CTC's output starts with a prefix, for prefixes that grow by one token a step (Watanabe et al. 2017).

    `log_probabilities` (batch, columns, vocabulary) float, `mask` (batch, columns) bool; each item has `beams` prefixes, one
    after the other: the rows. The recursion over the columns is a linear recurrence, done for all columns at once with
    cumulative log-sum-exp, in float64.
    """

    def __init__(self, log_probabilities: np.ndarray, mask: np.ndarray, blank: int, end: int, beams: int = 1):
        self.blank, self.end, self.beams = blank, end, beams
        log_probabilities = np.maximum(log_probabilities.astype(np.float64), -60)
        log_probabilities[~mask] = IMPOSSIBLE / 1e3
        log_probabilities[..., blank][~mask] = 0.0  # after the line only blanks: the prefix just stays
        self.log_probabilities, self.probabilities = log_probabilities, np.exp(log_probabilities)
        blanks = log_probabilities[..., blank].repeat(beams, 0)  # (rows, columns)
        # Probabilities of the empty prefix, ending in a token (none) and in blank (only blanks so far).
        self.by_token = np.full_like(blanks, IMPOSSIBLE)
        self.by_blank = blanks.cumsum(1)
        self.prefix_score = np.zeros(len(blanks))
        self.last = np.full(len(blanks), -1)

    def score(self, tokens: np.ndarray) -> np.ndarray:
        """Log probabilities, given the prefix so far, of going on with each of `tokens` (rows, candidates), float32."""
        both = np.logaddexp(self.by_token, self.by_blank)
        arriving, scale = _linear(self._shifted(both))
        # The sum over the columns of arriving there, then emitting the token there: for all tokens at once a product of matrices.
        batch, columns, vocabulary = self.probabilities.shape
        sums = arriving.reshape(batch, -1, columns) @ self.probabilities
        scores = _log(sums).reshape(-1, vocabulary)[np.arange(len(tokens))[:, None], tokens] + scale[:, None]
        if self.last[0] >= 0:  # a repeated token must come after a blank
            arriving, scale = _linear(self._shifted(self.by_blank))
            again = _log((arriving * np.exp(self._emitted(self.last))).sum(1)) + scale
            scores = np.where(tokens == self.last[:, None], again[:, None], scores)
        scores = np.where(tokens == self.end, both[:, -1:], scores)
        scores = np.where(tokens == self.blank, IMPOSSIBLE, scores)
        return (scores - self.prefix_score[:, None]).astype(np.float32)

    def _emitted(self, tokens: np.ndarray) -> np.ndarray:
        """Of each column, the log probability of `tokens` (rows,): (rows, columns)."""
        return self.log_probabilities[np.arange(len(tokens)) // self.beams, :, tokens]

    def _shifted(self, before: np.ndarray) -> np.ndarray:
        """Of the prefix so far, standing just before each column: the empty one may stand before the first."""
        start = np.full_like(before[:, :1], 0.0 if self.last[0] < 0 else IMPOSSIBLE)
        return np.concatenate([start, before[:, :-1]], 1)

    def keep(self, items: np.ndarray) -> None:
        """Leaves only these items; the prefixes follow at the next `advance`, whose `rows` are those of before."""
        self.log_probabilities, self.probabilities = self.log_probabilities[items], self.probabilities[items]

    def advance(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Goes on with `tokens` (rows,), each from the prefix of the row that `rows` names, which is one of the same item."""
        self.by_token, self.by_blank, self.last = self.by_token[rows], self.by_blank[rows], self.last[rows]
        same = (tokens == self.last)[:, None]
        arriving = self._shifted(np.where(same, self.by_blank, np.logaddexp(self.by_token, self.by_blank)))
        emitted = self._emitted(tokens)
        self.by_token = _recur(arriving, emitted)
        self.prefix_score = np.logaddexp.reduce(arriving + emitted, 1)
        self.last = tokens
        self.by_blank = _recur(self._shifted(self.by_token), self._emitted(np.full_like(tokens, self.blank)))


def _linear(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's values as shares of its highest, and the log of that."""
    highest = logs.max(1)
    return np.exp(logs - highest[:, None]), highest


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(values, out=np.full_like(values, IMPOSSIBLE), where=values > 0)


def _recur(arriving: np.ndarray, emitted: np.ndarray) -> np.ndarray:
    """r(t) = (r(t−1) + arriving(t)) · emitted(t) for all columns t, in log space."""
    sums = emitted.cumsum(-1)
    return sums + np.logaddexp.accumulate(arriving - (sums - emitted), axis=-1)
