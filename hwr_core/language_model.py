"""What is likely to be written: n-grams of characters, which the decoding adds to what the line looks like.

Shallow fusion (Gulcehre et al. 2015) of an interpolated n-gram model with Witten and Bell's discounting (1991), over the
checkpoint's own tokens. `training/language_model.py` counts it; `checkpoint_config.LANGUAGE_MODEL` lies beside the weights.
"""

from pathlib import Path

import numpy as np
from safetensors import safe_open

BITS = 8  # of a token in a packed n-gram; seven of them fit a signed 64-bit key
ABSENT = -60000.0  # log probability of a context that is no n-gram itself; float16 holds it


class LanguageModel:
    """`tables[o − 1]` holds the n-grams of o tokens as three arrays of the same length: `keys` int64, sorted, the tokens
    packed with the last one lowest; `log_probabilities` of the last token after the others; `backoffs`, the log weight
    of the shorter n-grams' probabilities after this one as a context, of which the longest have none. The first table has
    every token of the alphabet, in its order. A line starts after endless end tokens."""

    def __init__(self, tables: list[tuple[np.ndarray, np.ndarray, np.ndarray]], end: int):
        self.tables, self.end = tables, end

    @classmethod
    def load(cls, path: Path, vocabulary: int, end: int) -> "LanguageModel":
        """Raises ValueError where the file is no such model, or one over other than these tokens, ended by another."""
        try:
            with safe_open(path, "np") as file:
                order, own_end = int(file.metadata()["order"]), int(file.metadata()["end"])
                kinds = ("keys", "log_probabilities", "backoffs")
                tables = [tuple(file.get_tensor(f"{kind}.{length}") for kind in kinds) for length in range(1, order + 1)]
        except Exception as error:
            raise ValueError(f"{path.name} is no language model: {error}") from error
        if (len(tables[0][0]), own_end) != (vocabulary, end) or vocabulary > 1 << BITS:
            raise ValueError(f"{path.name} was counted over other tokens than the checkpoint's")
        return cls(tables, end)

    @property
    def order(self) -> int:
        return len(self.tables)

    def start(self, rows: int) -> np.ndarray:
        """The contexts of `rows` lines of which nothing is written yet: (rows,) int64, the last tokens packed."""
        context = 0
        for _ in range(self.order - 1):
            context = context << BITS | self.end
        return np.full(rows, context)

    def advance(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        return (contexts << BITS | tokens) & (1 << BITS * (self.order - 1)) - 1

    def score(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Log probabilities of `tokens` (rows, candidates) after `contexts` (rows,), float32."""
        scores = self.tables[0][1][tokens].astype(np.float32)
        for order in range(2, self.order + 1):
            context = contexts & (1 << BITS * (order - 1)) - 1
            index, found = self._find(order - 1, context)
            backoff = np.where(found, self.tables[order - 2][2][index], 0)[:, None]
            index, found = self._find(order, context[:, None] << BITS | tokens)
            log_p = self.tables[order - 1][1][index]
            scores = np.where(found & (log_p > ABSENT / 2), log_p, scores + backoff)
        return scores.astype(np.float32)

    def _find(self, order: int, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the keys are in the table of n-grams of that order, and whether they are."""
        table = self.tables[order - 1][0]
        index = np.minimum(np.searchsorted(table, keys), len(table) - 1)
        return index, table[index] == keys
