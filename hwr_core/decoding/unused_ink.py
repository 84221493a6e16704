"""What a reading left out: stretches of a line where CTC sees characters that the text does not have; and texts that run in circles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_RUN = 3  # characters in a row that CTC sees and the text lacks, from which their stretch counts as unread
APART = 1.5  # of the usual distance between two characters: how far fewer of them stand from all others to count too
LIKELY_CHARACTER = 0.5  # probability that CTC must give such a character
LONGEST_PERIOD = 16  # tokens of a repeated piece at most
LEAST_REPEATS = 4  # times that a piece stands in a row in a text that runs in circles
LEAST_LOOP = 24  # tokens of all repeats together at least


@dataclass(frozen=True)
class CtcPath:
    """What CTC alone would write: each character, and from which to which column of the features it stands.

    Attributes:
        tokens: (n,) int, the token ids.
        first: (n,) int, the first column of each.
        last: (n,) int, the last column of each.
        probabilities: (n,) float, the highest probability of each in its columns.
        columns: Columns of the line in all.
    """

    tokens: np.ndarray
    first: np.ndarray
    last: np.ndarray
    probabilities: np.ndarray
    columns: int


def ctc_path(log_probabilities: np.ndarray, blank: int) -> CtcPath:
    """The best path of CTC's output, without blanks and repeats.

    Args:
        log_probabilities: (columns, vocabulary) float.
        blank: The token id of blank.
    """
    best = log_probabilities.argmax(1)
    starts = np.flatnonzero(np.concatenate([[True], best[1:] != best[:-1]]))
    ends = np.concatenate([starts[1:], [len(best)]]) - 1
    kept = best[starts] != blank
    starts, ends = starts[kept], ends[kept]
    highest = log_probabilities[np.arange(len(best)), best]
    probable = [float(np.exp(highest[start : end + 1].max())) for start, end in zip(starts, ends, strict=True)]
    return CtcPath(best[starts], starts, ends, np.array(probable), len(best))


def unread_spans(path: CtcPath, tokens: Sequence[int], space: int | None = None) -> tuple[tuple[float, float], ...]:
    """The stretches of the line whose characters the text lacks, each from and to in 0–1 of the line's width.

    Args:
        path: What CTC alone would write.
        tokens: Those of the text.
        space: The token of a space. Short stretches count too where white parts them from all other characters; None
            leaves them out.
    """
    matched = matched_in(path.tokens.tolist(), list(tokens))
    lacking = ~matched & (path.probabilities >= LIKELY_CHARACTER)
    apart = [] if space is None else _apart(path, lacking, space)
    spans, start = [], None
    for place in range(len(lacking) + 1):
        inside = place < len(lacking) and lacking[place]
        if inside and start is None:
            start = place
        elif not inside and start is not None:
            if place - start >= LEAST_RUN or any(start <= lone < place for lone in apart):
                spans.append((path.first[start] / path.columns, (path.last[place - 1] + 1) / path.columns))
            start = None
    return tuple((float(left), float(right)) for left, right in spans)


def _apart(path: CtcPath, lacking: np.ndarray, space: int) -> list[int]:
    """The places in the path of the first characters of stretches that the text lacks and that stand apart."""
    written = np.flatnonzero(path.tokens != space)
    if len(written) < 3:
        return []
    steps = np.diff((path.first + path.last)[written] / 2)
    white = np.concatenate([[np.inf], steps, [np.inf]])  # before each character, and after the last
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lacking[written], [False]])))
    wide = APART * float(np.median(steps))
    return [
        int(written[start])
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if min(white[start], white[end]) >= wide
    ]


def matched_in(path: Sequence[int], tokens: Sequence[int]) -> np.ndarray:
    """Which of `path` have a token of the text in their place, the same or another: all but deletions of the least edits, (n,) bool."""
    rows, columns = len(path), len(tokens)
    cost = np.zeros((rows + 1, columns + 1), np.int32)
    cost[:, 0], cost[0] = np.arange(rows + 1), np.arange(columns + 1)
    given = np.array(tokens)
    for row in range(1, rows + 1):
        cost[row, 1:] = np.minimum(cost[row - 1, :-1] + (given != path[row - 1]), cost[row - 1, 1:] + 1)
        cost[row, 1:] = np.minimum.accumulate(cost[row, 1:] - np.arange(columns)) + np.arange(columns)
        cost[row, 1:] = np.minimum(cost[row, 1:], cost[row, 0] + np.arange(1, columns + 1))
    matched = np.ones(rows, bool)
    row, column = rows, columns
    while row:
        if column and cost[row, column] == cost[row - 1, column - 1] + (path[row - 1] != tokens[column - 1]):
            row, column = row - 1, column - 1
        elif cost[row, column] == cost[row - 1, column] + 1:
            row -= 1
            matched[row] = False
        else:
            column -= 1
    return matched


def repeats_of(tokens: Sequence[int]) -> slice | None:
    """Which tokens of a text that runs in circles only repeat what stands before them; None where it does not.

    A search that runs in circles goes to the length limit, but the end may be something else: its grammar closes brackets.

    Args:
        tokens: Those of the text.
    """
    given = np.asarray(tokens)
    found, longest = None, 0
    for period in range(1, min(LONGEST_PERIOD, len(given) // LEAST_REPEATS) + 1):
        changes = np.flatnonzero(given[period:] != given[:-period])
        starts, ends = np.append(-1, changes) + 1, np.append(changes, len(given) - period)
        best = int(np.argmax(ends - starts))
        start, again = int(starts[best]), int(ends[best] - starts[best])
        rounds = (again + period) // period
        if rounds >= LEAST_REPEATS and rounds * period >= LEAST_LOOP and again > longest:
            found, longest = slice(start + period, start + rounds * period), again
    return found
