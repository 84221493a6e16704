"""Characters of one shape, which only their size or what stands beside them tells apart: `0` and `O`, `x` and `X`, `1` and `l`."""

from collections.abc import Mapping

ALIKE = ("0oO", "1lI|", "cC", "kK", "pP", "sS", "uU", "vV", "wW", "xX", "yY", "zZ")
_SHAPE = str.maketrans({character: group[0] for group in ALIKE for character in group})


def of_one_shape(text: str, other: str) -> bool:
    """Whether two texts differ in nothing but characters of one shape and in spaces."""
    first, second = ("".join(one.translate(_SHAPE).split()) for one in (text, other))
    return first == second


def sureness_of_shape(text: str, sureness: float, confidence: float, others: Mapping[str, float]) -> float:
    """How sure the shapes of a text's characters are, where only which of two twins it is may be in doubt.

    Args:
        text: The reading.
        sureness: The geometric mean of its characters' confidences, 0–1.
        confidence: Its own, 0–1.
        others: What else it may be, with a confidence each.

    Returns:
        The geometric mean that the characters would have, if all texts of this shape were one, 0–1.
    """
    if not text or confidence <= 0:
        return sureness
    together = confidence + sum(value for other, value in others.items() if of_one_shape(text, other))
    return min(1.0, sureness * (together / confidence) ** (1 / len(text)))
