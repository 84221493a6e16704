"""Character n-gram model: how likely the next token is after the ones before it. Decoding adds it to the network's scores.

Shallow fusion (Gulcehre et al. 2015) of an interpolated n-gram model with Witten and Bell's discounting (1991), over the
checkpoint's own tokens. `training/fit/count_ngrams.py` counts it; `checkpoint_config.LANGUAGE_MODEL` lies beside the weights.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import safe_open

LENGTH = 60  # the bits of a key above this one hold its number of tokens
FORMAT = "2"  # of the file
ABSENT = 0  # code of a log probability that is not in the model: of contexts that are no n-gram themselves

Table = tuple[np.ndarray, np.ndarray, np.ndarray]


def bits_of(vocabulary: int) -> int:
    """Bits of one token in a packed n-gram; 60 bits hold all tokens of a key."""
    return max(8, (vocabulary - 1).bit_length())


def tokens_hash(tokens: Sequence[str | None]) -> str:
    """SHA-256 of a token list, in the order of the ids."""
    return hashlib.sha256("\0".join(token or "" for token in tokens).encode()).hexdigest()


class LanguageModel:
    """An n-gram model. One sorted table holds the n-grams of all lengths, so that a single search finds them.

    Attributes:
        order: the longest n-gram, in tokens.
        end: the id of the end token. A line starts after endless end tokens.
        bits: of a token in a key.
        keys: (n-grams,) int64, sorted: the tokens packed with the last one lowest, their number above bit `LENGTH`.
        codes: (n-grams,) uint8, of the log probabilities of the last token after the others.
        backoff_codes: (n-grams,) uint8, of the log weights of the shorter n-grams' probabilities after this one.
        levels, backoff_levels: (256,) float32, the values of these codes.
    """

    def __init__(
        self, tables: Sequence[Table], levels: np.ndarray, backoff_levels: np.ndarray, vocabulary: int, end: int
    ):
        """Builds the model.

        Args:
            tables: for each length from 1 on the keys without their length, sorted, the codes and the backoff codes.
                The first table has every token of the vocabulary.
            levels: (256,) float32, the codes' log probabilities.
            backoff_levels: (256,) float32, the codes' backoffs.
            vocabulary: the number of tokens.
            end: the id of the end token.
        """
        self.end, self.order, self.bits = end, len(tables), bits_of(vocabulary)
        self.keys = np.concatenate([keys | length << LENGTH for length, (keys, *_) in enumerate(tables, 1)])
        self.codes = np.concatenate([codes for _, codes, _ in tables])
        self.backoff_codes = np.concatenate([codes for *_, codes in tables])
        self.levels, self.backoff_levels = levels, backoff_levels
        self._alone = levels[tables[0][1]]
        lengths = np.arange(1, self.order)  # of contexts
        self._last = (1 << self.bits * lengths) - 1
        self._contexts, self._ngrams = lengths << LENGTH, (lengths + 1 << LENGTH)[:, None]

    @classmethod
    def load(cls, path: Path, tokens: Sequence[str | None], end: int) -> "LanguageModel":
        """Reads a file written by `training.fit.count_ngrams`.

        Args:
            path: the file.
            tokens: the checkpoint's tokens, in the order of their ids.
            end: the id of its end token.

        Raises:
            ValueError: the file is no language model, or was counted over other tokens.
        """
        try:
            with safe_open(path, "np") as file:
                metadata = file.metadata()
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
            if metadata["format"] != FORMAT:
                raise ValueError(f"its format is {metadata['format']}, not {FORMAT}")
            own = metadata["tokens_sha256"], int(metadata["end"])
            tables = unpacked(arrays, int(metadata["order"]), len(arrays["codes.1"]))
        except Exception as error:
            raise ValueError(f"{path.name} is no language model: {error}") from error
        if own != (tokens_hash(tokens), end):
            raise ValueError(f"{path.name} was counted over other tokens than the checkpoint's")
        return cls(tables, arrays["levels"], arrays["backoff_levels"], len(tokens), end)

    def start(self, rows: int) -> np.ndarray:
        """Contexts at the start of lines: (rows,) int64, the last tokens packed."""
        context = 0
        for _ in range(self.order - 1):
            context = context << self.bits | self.end
        return np.full(rows, context)

    def advance(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """The contexts after one more token each: (rows,) int64."""
        return (contexts << self.bits | tokens) & (1 << self.bits * (self.order - 1)) - 1

    def along(self, context: np.ndarray, tokens: list[int]) -> np.ndarray:
        """The contexts from one, (1,), on: itself, and those after one, two, … all of `tokens`."""
        contexts = [context]
        for token in tokens:
            contexts.append(self.advance(contexts[-1], np.array([token])))
        return np.concatenate(contexts)

    def score(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Log probabilities of `tokens` (rows, candidates) after `contexts` (rows,), float32."""
        contexts = contexts[:, None] & self._last  # (rows, lengths)
        ngrams = contexts[..., None] << self.bits | tokens[:, None] | self._ngrams  # (rows, lengths, candidates)
        wanted = np.concatenate([(contexts | self._contexts).ravel(), ngrams.ravel()])
        index = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found = self.keys[index] == wanted
        of_contexts, of_ngrams = index[: contexts.size], index[contexts.size :]
        backoffs = np.where(found[: contexts.size], self.backoff_levels[self.backoff_codes[of_contexts]], np.float32(0))
        backoffs = backoffs.reshape(contexts.shape)
        codes = np.where(found[contexts.size :], self.codes[of_ngrams], ABSENT).reshape(ngrams.shape)
        scores = self._alone[tokens]
        for length in range(contexts.shape[1]):
            longer = codes[:, length]
            scores = np.where(longer == ABSENT, scores + backoffs[:, length, None], self.levels[longer])
        return scores


def unpacked(arrays: dict[str, np.ndarray], order: int, vocabulary: int) -> list[Table]:
    """The tables of a file: keys are stored as a trie, of each n-gram its last token and how many n-grams extend it."""
    tables, keys = [], np.arange(vocabulary, dtype=np.int64)
    for length in range(1, order + 1):
        if length > 1:
            keys = np.repeat(keys, arrays[f"children.{length - 1}"]) << bits_of(vocabulary) | arrays[f"tokens.{length}"]
        codes = arrays[f"codes.{length}"]
        backoffs = arrays[f"backoff_codes.{length}"] if length < order else np.zeros_like(codes)
        if not len(keys) == len(codes) == len(backoffs):
            raise ValueError(f"its tables of length {length} do not fit one another")
        tables.append((keys, codes, backoffs))
    return tables
