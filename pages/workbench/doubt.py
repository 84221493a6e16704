"""Which words of a line are to be checked."""

import numpy as np

from hwr_core.layout.words import spans_of
from hwr_core.reading import Line

# Probability of a word and of the space after it below which it is marked. Of the marked words of the validation lines
# 51 % are wrong, of the others 11 % (docs/results/evaluation-text-marked-words.json).
MARKED = 0.3


def unsure_words(line: Line) -> list[bool]:
    """For each word, as `hwr_core.layout.words.words_of` has them, whether it is marked. Corrected lines have no mark."""
    confidences = line.reading.character_confidences
    spans = spans_of(line)
    if line.corrected or not confidences:
        return [False] * len(spans)
    # The space after a word tells whether a letter is missing at its end.
    return [float(np.prod(confidences[start : end + 1])) < MARKED for start, end in spans]
