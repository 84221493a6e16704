"""What is likely to be written: n-grams of characters, which the decoding adds to what the line looks like.

Shallow fusion (Gulcehre et al. 2015) of an interpolated n-gram model with Witten and Bell's discounting (1991), over the
checkpoint's own tokens. `training/fit/count_ngrams.py` counts it; `checkpoint_config.LANGUAGE_MODEL` lies beside the weights.
"""

from pathlib import Path

import numpy as np
from safetensors import safe_open

BITS = 8  # of a token in a packed n-gram; seven of them, and their number, fit a signed 64-bit key
LENGTH = 56  # the bits above that tell how many there are
ABSENT = -60000.0  # log probability of a context that is no n-gram itself; float16 holds it


class LanguageModel:
    """`tables[o − 1]` holds the n-grams of o tokens as three arrays of the same length: `keys` int64, sorted, the tokens
    packed with the last one lowest; `log_probabilities` of the last token after the others; `backoffs`, the log weight
    of the shorter n-grams' probabilities after this one as a context, of which the longest have none. The first table has
    every token of the alphabet, in its order. A line starts after endless end tokens.

    They are kept as one table, with an n-gram's length above its tokens, so that a single search finds n-grams of all lengths."""

    def __init__(self, tables: list[tuple[np.ndarray, np.ndarray, np.ndarray]], end: int):
        self.end, self.order = end, len(tables)
        self.keys = np.concatenate([keys | length << LENGTH for length, (keys, *_) in enumerate(tables, 1)])
        self.log_probabilities = np.concatenate([log_probabilities for _, log_probabilities, _ in tables])
        self.backoffs = np.concatenate([backoffs for *_, backoffs in tables])
        self.backoffs = np.pad(self.backoffs, (0, len(self.keys) - len(self.backoffs)))
        self.alone = tables[0][1].astype(np.float32)
        lengths = np.arange(1, self.order)  # of contexts
        self._last = (1 << BITS * lengths) - 1
        self._contexts, self._ngrams = lengths << LENGTH, (lengths + 1 << LENGTH)[:, None]

    @classmethod
    def load(cls, path: Path, vocabulary: int, end: int) -> "LanguageModel":
        """Raises ValueError where the file is no such model, or one over other than these tokens, ended by another."""
        try:
            with safe_open(path, "np") as file:
                order, own_end = int(file.metadata()["order"]), int(file.metadata()["end"])
                kinds = ("keys", "log_probabilities", "backoffs")
                tables = [
                    tuple(file.get_tensor(f"{kind}.{length}") for kind in kinds) for length in range(1, order + 1)
                ]
        except Exception as error:
            raise ValueError(f"{path.name} is no language model: {error}") from error
        if (len(tables[0][0]), own_end) != (vocabulary, end) or vocabulary > 1 << BITS:
            raise ValueError(f"{path.name} was counted over other tokens than the checkpoint's")
        return cls(tables, end)

    def start(self, rows: int) -> np.ndarray:
        """The contexts of `rows` lines of which nothing is written yet: (rows,) int64, the last tokens packed."""
        context = 0
        for _ in range(self.order - 1):
            context = context << BITS | self.end
        return np.full(rows, context)

    def advance(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        return (contexts << BITS | tokens) & (1 << BITS * (self.order - 1)) - 1

    def along(self, context: np.ndarray, tokens: list[int]) -> np.ndarray:
        """From one context (1,): it, and those after one, two, … all of `tokens`."""
        contexts = [context]
        for token in tokens:
            contexts.append(self.advance(contexts[-1], np.array([token])))
        return np.concatenate(contexts)

    def score(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Log probabilities of `tokens` (rows, candidates) after `contexts` (rows,), float32."""
        contexts = contexts[:, None] & self._last  # (rows, lengths)
        ngrams = contexts[..., None] << BITS | tokens[:, None] | self._ngrams  # (rows, lengths, candidates)
        wanted = np.concatenate([(contexts | self._contexts).ravel(), ngrams.ravel()])
        index = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found = self.keys[index] == wanted
        of_contexts, of_ngrams = index[: contexts.size], index[contexts.size :]
        backoffs = (
            np.where(found[: contexts.size], self.backoffs[of_contexts], 0).astype(np.float32).reshape(contexts.shape)
        )
        log_p = self.log_probabilities[of_ngrams].astype(np.float32)
        log_p = np.where(found[contexts.size :] & (log_p > ABSENT / 2), log_p, np.nan).reshape(ngrams.shape)
        scores = self.alone[tokens]
        for length in range(contexts.shape[1]):
            longer = log_p[:, length]
            scores = np.where(np.isnan(longer), scores + backoffs[:, length, None], longer)
        return scores
