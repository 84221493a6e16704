"""How probable it is that a word is right: a logistic regression on what the search knows of the word anyway.

The product of a word's probabilities says how sure the search is, and it is too sure of words that no text has. The
regression also sees the language model's own score, the other hypotheses, and how sure the rest of the line is.
`python -m training.fit.word_confidence` fits it and writes it into the checkpoint's `config.json`.
"""

from dataclasses import dataclass

import numpy as np

# What the regression sees of each word (`word_features.py`). The space after it, or the line's end, is its last token.
FEATURES = (
    "doubt",  # log of one minus the geometric mean of its tokens' probabilities
    "language_model",  # log probability of its tokens by the language model alone
    "rivals",  # log of the share of the hypotheses' probability that has other words in its place
    "margin",  # least distance of a token's log probability from the best other token's
    "line",  # log probability of the whole line
)


@dataclass(frozen=True)
class WordConfidence:
    """A logistic regression.

    Attributes:
        weights: One for each of `FEATURES`.
        bias: Is added to the weighted sum.
    """

    weights: tuple[float, ...]
    bias: float

    def of(self, features: np.ndarray) -> np.ndarray:
        """The probabilities that words are right, (words,) float, from their features, (words, features) float."""
        return 1 / (1 + np.exp(-(features @ np.array(self.weights) + self.bias)))
