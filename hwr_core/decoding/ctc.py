"""What CTC's output says of a text that is written token by token."""

from copy import copy

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
        self.log_probabilities = log_probabilities
        self.probabilities = np.ascontiguousarray(
            np.exp(log_probabilities).transpose(0, 2, 1)
        )  # (batch, vocabulary, columns)
        # (rows, columns): log probabilities of the empty prefix, ending in a token (none), in blank (only blanks so far), and in either.
        self.by_blank = log_probabilities[..., blank].cumsum(1).repeat(beams, 0)
        self.by_token, self.either = np.full_like(self.by_blank, IMPOSSIBLE), self.by_blank
        self.prefix_score = np.zeros(len(self.by_blank))
        self.last = np.full(len(self.by_blank), -1)

    def score(self, tokens: np.ndarray) -> np.ndarray:
        """Log probabilities, given the prefix so far, of going on with each of `tokens` (rows, candidates), float32."""
        arriving, scale = _linear(self._shifted(self.either))
        # The sum over the columns of arriving there, then emitting the token there. Not as a product of matrices: NumPy's BLAS would share that out among
        # threads which then keep the cores busy, waiting for more, while the next line is encoded.
        emitted = self.probabilities[
            np.arange(len(tokens))[:, None] // self.beams, tokens
        ]  # (rows, candidates, columns)
        scores = _log(np.einsum("rct,rt->rc", emitted, arriving)) + scale[:, None]
        repeated = tokens == self.last[:, None]
        if repeated.any():  # which must come after a blank
            arriving, scale = _linear(self._shifted(self.by_blank))
            again = _log((arriving * np.exp(self._emitted(self.last))).sum(1)) + scale
            scores = np.where(repeated, again[:, None], scores)
        scores = np.where(tokens == self.end, self.either[:, -1:], scores)
        scores = np.where(tokens == self.blank, IMPOSSIBLE, scores)
        return (scores - self.prefix_score[:, None]).astype(np.float32)

    def _emitted(self, tokens: np.ndarray) -> np.ndarray:
        """Of each column, the log probability of `tokens` (rows,): (rows, columns)."""
        return self.log_probabilities[np.arange(len(tokens)) // self.beams, :, tokens]

    def _shifted(self, before: np.ndarray) -> np.ndarray:
        """Of the prefix so far, standing just before each column: the empty one may stand before the first."""
        shifted = np.empty_like(before)
        shifted[:, 0] = np.where(self.last < 0, 0.0, IMPOSSIBLE)
        shifted[:, 1:] = before[:, :-1]
        return shifted

    def keep(self, items: np.ndarray) -> None:
        """Leaves only these items; the prefixes follow at the next `advance`, whose `rows` are those of before."""
        self.log_probabilities, self.probabilities = self.log_probabilities[items], self.probabilities[items]

    def advance(self, rows: np.ndarray, tokens: np.ndarray) -> None:
        """Goes on with `tokens` (rows,), each from the prefix of the row that `rows` names, which is one of the same item."""
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
        """Of one prefix: a scorer whose rows are it, and it with one, two, … all of `tokens`. As `advance`, without its copies."""
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
        """Of one prefix: what is likeliest to follow, by the best token of each column after the one where it most probably ends."""
        best = self.log_probabilities[0].argmax(1)
        end = self.by_token[0].argmax() if self.last[0] >= 0 else -1
        following, before = best[end + 1 :], np.concatenate([[self.blank], best])[end + 1 : -1]
        return following[(following != self.blank) & (following != self.end) & (following != before)].tolist()


def _linear(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's values as shares of its highest, and the log of that."""
    highest = logs.max(1)
    return np.exp(logs - highest[:, None]), highest


def _total(logs: np.ndarray) -> np.ndarray:
    """The log of each row's sum."""
    shares, highest = _linear(logs)
    return np.log(shares.sum(1)) + highest


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(values, out=np.full_like(values, IMPOSSIBLE), where=values > 0)


def _recur(arriving: np.ndarray, emitted: np.ndarray) -> np.ndarray:
    """r(t) = (r(t−1) + arriving(t)) · emitted(t) for all columns t, in log space."""
    sums = emitted.cumsum(-1)
    return sums + np.logaddexp.accumulate(arriving - (sums - emitted), axis=-1)
