"""CTC's scores for a text that is written token by token."""

from copy import copy

import numpy as np

IMPOSSIBLE = -1e9  # log probability that stands for minus infinity
LEAST_LOG_PROBABILITY = -60  # CTC's log probabilities are raised to this


class CTCPrefixScorer:
    """Log probability that CTC's output starts with a prefix, for prefixes that grow by one token a step.

    The algorithm is of Watanabe et al. 2017. Its recursion over the columns is a linear recurrence, which is computed
    for all columns at once by a cumulative log-sum-exp in float64.

    Args:
        log_probabilities: CTC's output, (batch, columns, vocabulary) float.
        mask: (batch, columns) bool, True for columns that are not padding.
        blank: id of CTC's blank.
        end: id of the end token.
        beams: prefixes of each item. The rows are all prefixes, item after item.
    """

    def __init__(self, log_probabilities: np.ndarray, mask: np.ndarray, blank: int, end: int, beams: int = 1):
        self.blank, self.end, self.beams = blank, end, beams
        log_probabilities = np.maximum(log_probabilities.astype(np.float64), LEAST_LOG_PROBABILITY)
        log_probabilities[~mask] = IMPOSSIBLE / 1e3
        log_probabilities[..., blank][~mask] = 0.0  # padding is blank, and leaves the prefix as it is
        self.log_probabilities = log_probabilities
        self.probabilities = np.ascontiguousarray(
            np.exp(log_probabilities).transpose(0, 2, 1)
        )  # (batch, vocabulary, columns)
        # (rows, columns): log probabilities of the prefix up to a column that ends in a blank, in a token, or in either.
        self.by_blank = log_probabilities[..., blank].cumsum(1).repeat(beams, 0)
        self.by_token, self.either = np.full_like(self.by_blank, IMPOSSIBLE), self.by_blank
        self.prefix_score = np.zeros(len(self.by_blank))
        self.last = np.full(len(self.by_blank), -1)

    def score(self, tokens: np.ndarray) -> np.ndarray:
        """Scores the next token of each prefix.

        Args:
            tokens: (rows, candidates) int.

        Returns:
            Log probabilities of the tokens, given the prefix, (rows, candidates) float32.
        """
        arriving, scale = _linear(self._shifted(self.either))
        # The sum over the columns of the probability to arrive there and emit the token there. It is no matrix product:
        # NumPy's BLAS would use threads, which keep the cores busy waiting while the next line is encoded.
        emitted = self.probabilities[
            np.arange(len(tokens))[:, None] // self.beams, tokens
        ]  # (rows, candidates, columns)
        scores = _log(np.einsum("rct,rt->rc", emitted, arriving)) + scale[:, None]
        repeated = tokens == self.last[:, None]
        if repeated.any():  # a repeated token must come after a blank
            arriving, scale = _linear(self._shifted(self.by_blank))
            again = _log((arriving * np.exp(self._emitted(self.last))).sum(1)) + scale
            scores = np.where(repeated, again[:, None], scores)
        scores = np.where(tokens == self.end, self.either[:, -1:], scores)
        scores = np.where(tokens == self.blank, IMPOSSIBLE, scores)
        return (scores - self.prefix_score[:, None]).astype(np.float32)

    def _emitted(self, tokens: np.ndarray) -> np.ndarray:
        """The log probabilities of `tokens` (rows,) in each column, (rows, columns)."""
        return self.log_probabilities[np.arange(len(tokens)) // self.beams, :, tokens]

    def _shifted(self, before: np.ndarray) -> np.ndarray:
        """The prefix's log probabilities just before each column. Before the first, only the empty prefix is possible."""
        shifted = np.empty_like(before)
        shifted[:, 0] = np.where(self.last < 0, 0.0, IMPOSSIBLE)
        shifted[:, 1:] = before[:, :-1]
        return shifted

    def keep(self, items: np.ndarray) -> None:
        """Removes all items but `items`. Their prefixes go at the next `advance`, which still takes the old row numbers."""
        self.log_probabilities, self.probabilities = self.log_probabilities[items], self.probabilities[items]

    def advance(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Extends the prefixes.

        Args:
            rows: (rows,) int, for each row the row of the prefix that it continues, of the same item.
            tokens: (rows,) int, the token that each row adds.
        """
        self.last, before = self.last[rows], self.either[rows]
        if (same := tokens == self.last).any():
            before[same] = self.by_blank[rows[same]]
        arriving, emitted = self._shifted(before), self._emitted(tokens)
        self.by_token = _recur(arriving, emitted)
        self.prefix_score = _total(arriving + emitted)
        self.last = tokens
        self.by_blank = _recur(
            self._shifted(self.by_token), self.log_probabilities[np.arange(len(tokens)) // self.beams, :, self.blank]
        )
        self.either = np.logaddexp(self.by_token, self.by_blank)

    def along(self, tokens: list[int]) -> "CTCPrefixScorer":
        """Extends a single prefix by several tokens at once, as `advance` does for one.

        Args:
            tokens: the tokens.

        Returns:
            A scorer with len(tokens) + 1 rows: the prefix itself, then with the first token, then with the first two, …
        """
        columns, rows = self.by_token.shape[1], len(tokens) + 1
        by_token, by_blank, either = (
            np.concatenate([value, np.empty((rows - 1, columns))])
            for value in (self.by_token, self.by_blank, self.either)
        )
        started, before = np.empty((rows - 1, columns)), np.empty(columns)
        blanks = self.log_probabilities[0, :, self.blank]
        blank_sums = blanks.cumsum()
        last = [int(self.last[0]), *tokens]
        for row, (token, emitted) in enumerate(
            zip(tokens, np.ascontiguousarray(self.log_probabilities[0, :, tokens]), strict=True)
        ):
            before[0] = 0.0 if last[row] < 0 else IMPOSSIBLE
            before[1:] = (by_blank if token == last[row] else either)[row, :-1]
            np.add(before, emitted, out=started[row])
            sums = emitted.cumsum()
            np.add(sums, np.logaddexp.accumulate(before - (sums - emitted)), out=by_token[row + 1])
            before[0], before[1:] = IMPOSSIBLE, by_token[row + 1, :-1]
            np.add(blank_sums, np.logaddexp.accumulate(before - (blank_sums - blanks)), out=by_blank[row + 1])
            np.logaddexp(by_token[row + 1], by_blank[row + 1], out=either[row + 1])
        places = copy(self)
        places.by_token, places.by_blank, places.either, places.beams = by_token, by_blank, either, rows
        places.last = np.array(last)
        places.prefix_score = np.concatenate([self.prefix_score, _total(started)])
        return places

    def rest(self) -> list[int]:
        """Guesses the tokens after a single prefix: the best token of each column after the prefix's likeliest end."""
        best = self.log_probabilities[0].argmax(1)
        end = self.by_token[0].argmax() if self.last[0] >= 0 else -1
        following, before = best[end + 1 :], np.concatenate([[self.blank], best])[end + 1 : -1]
        return following[(following != self.blank) & (following != self.end) & (following != before)].tolist()


def _linear(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's values divided by the row's highest, and the log of the highest."""
    highest = logs.max(1)
    return np.exp(logs - highest[:, None]), highest


def _total(logs: np.ndarray) -> np.ndarray:
    """The log of each row's sum, from logs."""
    shares, highest = _linear(logs)
    return np.log(shares.sum(1)) + highest


def _log(values: np.ndarray) -> np.ndarray:
    """The logarithm; `IMPOSSIBLE` for 0."""
    return np.log(values, out=np.full_like(values, IMPOSSIBLE), where=values > 0)


def _recur(arriving: np.ndarray, emitted: np.ndarray) -> np.ndarray:
    """The recurrence r(t) = (r(t−1) + arriving(t)) · emitted(t) for all columns t, in log space."""
    sums = emitted.cumsum(-1)
    return sums + np.logaddexp.accumulate(arriving - (sums - emitted), axis=-1)
