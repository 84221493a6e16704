"""How wrong a reading is: character and word error rates, and whether confidences keep their promise."""

import itertools
from collections.abc import Sequence


def edit_distance(a: Sequence, b: Sequence) -> int:
    """Levenshtein's distance: the fewest insertions, deletions and substitutions that turn `a` into `b`."""
    row = list(range(len(b) + 1))
    for i, item in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (item != other))
    return row[-1]


def cer(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Character error rate: edits over characters of the truth, summed over all lines; may exceed 1."""
    return sum(map(edit_distance, truths, readings)) / max(1, sum(map(len, truths)))


def wer(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Word error rate; words are what white space parts."""
    split = [truth.split() for truth in truths]
    return sum(map(edit_distance, split, (reading.split() for reading in readings))) / max(1, sum(map(len, split)))


def calibration(
    confidences: Sequence[float], right: Sequence[bool], edges: Sequence[float] = (0, 0.5, 0.7, 0.9, 1.0)
) -> list[tuple]:
    """Per bin of confidence: its lower and upper edge, how many readings are in it, and the share of them that are right."""
    table = []
    for low, high in itertools.pairwise(edges):
        inside = [
            ok
            for value, ok in zip(confidences, right, strict=True)
            if low <= value < high or (high == edges[-1] and value == high)
        ]
        table.append((low, high, len(inside), sum(inside) / len(inside) if inside else float("nan")))
    return table
