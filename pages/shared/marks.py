"""Which words are marked for checking."""

import numpy as np

from hwr_core.reading import Reading

# Estimated probability that a word is right, below which it is marked. On words by writers on whom the estimate was not
# fitted, 51 % of the marked ones are wrong, of the others 5 % (docs/results/word-confidence.json). Chosen on all validation
# words, of which half were fitted: with 0.75 more than 5 % of the others are wrong, with 0.8 fewer than half of the marked ones.
MARKED = 0.78
# The same for checkpoints without an estimate, by the product of the characters' probabilities and of the space after the
# word: 50 % of the marked words are wrong, of the others 11 % (docs/results/evaluation-text-marked-words.json).
MARKED_PRODUCT = 0.3


def is_marked(reading: Reading, start: int, end: int) -> bool:
    """Whether the word from `start` to `end` of a reading is marked."""
    sure = reading.word_confidence(start, end)
    return is_improbable(reading, start, end) if sure is None else sure < MARKED


def is_improbable(reading: Reading, start: int, end: int) -> bool:
    """Whether the characters of a word and the space after it are improbable together."""
    # The space after a word tells whether a letter is missing at its end.
    return float(np.prod(reading.character_confidences[start : end + 1])) < MARKED_PRODUCT
