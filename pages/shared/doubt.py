"""Which words of a line are to be checked, and whether a page is beyond the model."""

import numpy as np

from hwr_core.layout.words import spans_of
from hwr_core.reading import Line, Page
from pages.shared.reading_view import DOUBTFUL, PROBABLE

# Probability of a word and of the space after it below which it is marked. Of the marked words of the validation lines
# 50 % are wrong, of the others 11 % (docs/results/evaluation-text-marked-words.json).
MARKED = 0.3
# Share of marked words from which a page seems to be in another language. Four pages in a language that the checkpoint
# does not read have 0.47 to 0.60. A page of measures in English has 0.38. Nine pages in English and French have at most 0.19.
MOST_MARKED = 0.45
LEAST_WORDS = 8  # of a page, to tell it by its words
LEAST_LETTERS = 12  # of a page, to tell it by its letters


def unsure_words(line: Line) -> list[bool]:
    """For each word, as `hwr_core.layout.words.words_of` has them, whether it is marked. Corrected lines have no mark."""
    confidences = line.reading.character_confidences
    spans = spans_of(line)
    if line.corrected or not confidences:
        return [False] * len(spans)
    # The space after a word tells whether a letter is missing at its end.
    return [float(np.prod(confidences[start : end + 1])) < MARKED for start, end in spans]


def seems_unknown(page: Page) -> bool:
    """Whether a page has text that is as unsure throughout as in a language, script or hand that the model does not read."""
    lines = [line for line in page.lines if not line.formula]
    marks = [mark for line in lines for mark in unsure_words(line)]
    if len(marks) >= LEAST_WORDS:
        return sum(marks) / len(marks) >= MOST_MARKED
    confidences = [value for line in lines for value in line.reading.character_confidences]
    if len(confidences) < LEAST_LETTERS or any(line.reading.confidence > PROBABLE for line in lines):
        return False
    return sum(confidences) / len(confidences) < DOUBTFUL
