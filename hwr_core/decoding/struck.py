"""Struck-out words: a checkpoint writes a sign of its own after such a word, which is no part of the text."""

from collections.abc import Sequence

STRUCK = "\u0336"  # the token after a struck-out word


def without_marks(
    text: str, confidences: Sequence[float]
) -> tuple[str, tuple[float, ...], tuple[tuple[int, int], ...]]:
    """Takes the signs of struck-out words out of a text.

    Args:
        text: As the checkpoint writes it. A sign stands for the characters before it, back to the last space.
        confidences: One for each character of `text`.

    Returns:
        The text, its characters' confidences, and where struck-out words start and end in it.
    """
    kept, sure, struck = [], [], []
    for character, confidence in zip(text, confidences, strict=True):
        if character != STRUCK:
            kept.append(character)
            sure.append(confidence)
            continue
        start = next((place for place in range(len(kept), 0, -1) if kept[place - 1] == " "), 0)
        if start < len(kept) and (start, len(kept)) not in struck:
            struck.append((start, len(kept)))
    return "".join(kept), tuple(sure), tuple(struck)
