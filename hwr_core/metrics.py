"""How wrong readings are: character and word error rates, and whether confidences are calibrated."""

import itertools
from collections.abc import Hashable, Sequence

from rapidfuzz.distance import Levenshtein


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Levenshtein distance: the fewest insertions, deletions and substitutions that turn `a` into `b`."""
    return Levenshtein.distance(a, b)


def cer(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Character error rate: all lines' edits, divided by all lines' true characters.

    Args:
        truths: the lines' true texts.
        readings: the readings of the same lines, in the same order.

    Returns:
        The rate; 0 is perfect, and it may exceed 1.

    Raises:
        ValueError: there are not as many readings as true texts.
    """
    return _edits(truths, readings) / max(1, sum(map(len, truths)))


def wer(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Word error rate: as `cer`, of words, which white space separates.

    Args:
        truths: the lines' true texts.
        readings: the readings of the same lines, in the same order.

    Raises:
        ValueError: there are not as many readings as true texts.
    """
    words = [truth.split() for truth in truths]
    return _edits(words, [reading.split() for reading in readings]) / max(1, sum(map(len, words)))


def calibration(
    confidences: Sequence[float], right: Sequence[bool], edges: Sequence[float] = (0, 0.5, 0.7, 0.9, 1.0)
) -> list[tuple[float, float, int, float]]:
    """Compares confidences with how often readings are right.

    Args:
        confidences: each reading's confidence, 0–1.
        right: whether each reading is right.
        edges: the borders of the bins, ascending. A bin holds its lower edge; the last one holds both.

    Returns:
        For each bin: lower edge, upper edge, number of readings, and the share of them that are right. The share of
        an empty bin is NaN.

    Raises:
        ValueError: `confidences` and `right` differ in length.
    """
    table = []
    for low, high in itertools.pairwise(edges):
        inside = [
            ok
            for value, ok in zip(confidences, right, strict=True)
            if low <= value < high or (high == edges[-1] and value == high)
        ]
        table.append((low, high, len(inside), sum(inside) / len(inside) if inside else float("nan")))
    return table


def _edits(truths: Sequence[Sequence[Hashable]], readings: Sequence[Sequence[Hashable]]) -> int:
    if len(truths) != len(readings):
        raise ValueError(f"There are {len(truths)} true texts and {len(readings)} readings: give as many of each.")
    return sum(map(edit_distance, truths, readings))
