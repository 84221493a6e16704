"""Whole words as IAM-OnDB's writers joined them, for the words among a formula's signs."""

from collections.abc import Iterable

import numpy as np

from hwr_core.ink.strokes import Strokes
from training.data.datasets import InkLine
from training.synthesis.drawn_lines import split_words

LONGEST = 10  # letters
MOST = 40  # drawings of a word
ABOVE = set("bdfhklt") | set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
BELOW = set("gjpqy")


def words(lines: Iterable[InkLine]) -> dict[str, list[Strokes]]:
    """Word → drawings, capitals about 1 high, the baseline at y = 0; of words of two letters and more in clearly spaced lines."""
    found: dict[str, list[Strokes]] = {}
    for line in lines:
        for word, strokes in split_words(line) or ():
            if (
                not (2 <= len(word) <= LONGEST and word.isascii() and word.isalpha())
                or len(found.get(word, ())) == MOST
            ):
                continue
            if (drawing := on_baseline(word, strokes)) is not None:
                found.setdefault(word, []).append(drawing)
    return found


def on_baseline(word: str, strokes: Strokes) -> Strokes | None:
    """The height comes from which letters the word has: with ascenders it reaches up to 1, with descenders down to 0.35."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    above = 1.0 if ABOVE & set(word) else 0.62
    below = 0.35 if BELOW & set(word) else 0.0
    if high[1] - low[1] <= 0:
        return None
    scale = (above + below) / (high[1] - low[1])
    return [((stroke - (low[0], high[1])) * scale + (0, below)).astype(np.float32) for stroke in strokes]
