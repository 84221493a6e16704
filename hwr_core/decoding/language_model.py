"""Character n-gram model: how likely the next token is after the ones before it. Decoding adds it to the network's scores.

Shallow fusion (Gulcehre et al. 2015) of an interpolated n-gram model with Witten and Bell's discounting (1991), over the
checkpoint's own tokens. `training/fit/count_ngrams.py` counts it; `checkpoint_config.LANGUAGE_MODEL` lies beside the weights.

A file may hold a model of each language besides the general one. `for_lines` chooses by a draft of each line. A model of one
language foretells its lines better: mixed with six others, its words compete with theirs.
"""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import safe_open

LENGTH = 60  # the bits of a key above this one hold its number of tokens,
LANGUAGE = 56  # those from this one on its language, 0 for the general model
FORMAT = "2"  # of the file
ABSENT = 0  # code of a log probability that is not in the model: of contexts that are no n-gram themselves

# A language is clear if a draft's log probability is so much higher than in any other. Otherwise those that fall short of the
# best by less than this are tried.
CLEARLY, POSSIBLY, MOST_LANGUAGES = 6.0, 12.0, 3

Table = tuple[np.ndarray, np.ndarray, np.ndarray]


def bits_of(vocabulary: int) -> int:
    """Bits of one token in a packed n-gram; 60 bits hold all tokens of a key."""
    return max(8, (vocabulary - 1).bit_length())


def tokens_hash(tokens: Sequence[str | None]) -> str:
    """SHA-256 of a token list, in the order of the ids."""
    return hashlib.sha256("\0".join(token or "" for token in tokens).encode()).hexdigest()


class LanguageModel:
    """An n-gram model. One sorted table holds the n-grams of all lengths and languages, so that a single search finds them.

    Attributes:
        order: the longest n-gram, in tokens.
        end: the id of the end token. A line starts after endless end tokens.
        bits: of a token in a key.
        languages: the names of the languages that have a model of their own; 0 in keys stands for the general model.
        keys: (n-grams,) int64, sorted: the tokens packed with the last one lowest, their language above bit `LANGUAGE`,
            their number above bit `LENGTH`.
        codes: (n-grams,) uint8, of the log probabilities of the last token after the others.
        backoff_codes: (n-grams,) uint8, of the log weights of the shorter n-grams' probabilities after this one.
        levels, backoff_levels: (256,) float32, the values of these codes.
    """

    def __init__(
        self,
        tables: Sequence[Table],
        levels: np.ndarray,
        backoff_levels: np.ndarray,
        vocabulary: int,
        end: int,
        languages: Mapping[str, Sequence[Table]] | None = None,
    ):
        """Builds the model.

        Args:
            tables: for each length from 1 on the keys without their length, sorted, the codes and the backoff codes.
                The first table has every token of the vocabulary.
            levels: (256,) float32, the codes' log probabilities.
            backoff_levels: (256,) float32, the codes' backoffs.
            vocabulary: the number of tokens.
            end: the id of the end token.
            languages: the same tables of each language.

        Raises:
            ValueError: a language's n-grams are of another length, or the keys have no room for a language.
        """
        own = languages or {}
        self.end, self.order, self.bits = end, len(tables), bits_of(vocabulary)
        self.languages = tuple(own)
        if any(len(found) != self.order for found in own.values()):
            raise ValueError("its languages have n-grams of other lengths")
        if own and (self.bits * self.order > LANGUAGE or len(own) >= 1 << LENGTH - LANGUAGE):
            raise ValueError("its keys have no room for languages")
        every = [(index << LANGUAGE, found) for index, found in enumerate([tables, *own.values()])]
        lengths = range(self.order)
        self.keys = np.concatenate(
            [found[n][0] | language | n + 1 << LENGTH for n in lengths for language, found in every]
        )
        self.codes = np.concatenate([found[n][1] for n in lengths for _, found in every])
        self.backoff_codes = np.concatenate([found[n][2] for n in lengths for _, found in every])
        self.levels, self.backoff_levels = levels, backoff_levels
        self._alone = levels[np.stack([found[0][1] for _, found in every])]  # (languages, vocabulary)
        shorter = np.arange(1, self.order)  # lengths of contexts
        self._last = (1 << self.bits * shorter) - 1
        self._contexts, self._ngrams = shorter << LENGTH, (shorter + 1 << LENGTH)[:, None]
        self._of_lines = np.zeros(1, np.int64)

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
            order, vocabulary = int(metadata["order"]), len(arrays["codes.1"])
            names = metadata.get("languages", "").split()
            tables = unpacked(arrays, order, vocabulary)
            languages = {name: unpacked(arrays, order, vocabulary, f"{name}.") for name in names}
        except Exception as error:
            raise ValueError(f"{path.name} is no language model: {error}") from error
        if own != (tokens_hash(tokens), end):
            raise ValueError(f"{path.name} was counted over other tokens than the checkpoint's")
        return cls(tables, arrays["levels"], arrays["backoff_levels"], len(tokens), end, languages)

    def for_lines(self, languages: Sequence[int]) -> "LanguageModel":
        """Returns a view whose lines start in these languages, as `languages_of` numbers them."""
        if not self.languages or not languages:
            return self
        found = copy.copy(self)
        found._of_lines = np.array(languages) << LANGUAGE
        return found

    def languages_of(self, tokens: Sequence[int]) -> list[int]:
        """The languages that a text may be in, the likeliest first.

        Args:
            tokens: of the text, which may have errors, as CTC alone reads it for example.

        Returns:
            Their numbers, 1 for the first of `languages`, 0 for the general model: at most `MOST_LANGUAGES`.
        """
        if not self.languages or not len(tokens):
            return [0]
        written = np.array([*tokens, self.end])
        contexts = self.along(np.full(1, self._start()), written[:-1].tolist())
        numbers = np.arange(len(self.languages) + 1)
        every = (contexts[:, None] | numbers << LANGUAGE).ravel()
        scores = self.score(every, np.repeat(written, len(numbers))[:, None]).reshape(len(written), -1).sum(0)
        best = int(scores[1:].argmax()) + 1
        if scores[best] - np.delete(scores, [0, best]).max(initial=-np.inf) >= CLEARLY:
            return [best] if scores[best] >= scores[0] - CLEARLY else [best, 0]
        likely = np.flatnonzero(scores >= scores.max() - POSSIBLY)
        return likely[np.argsort(-scores[likely], kind="stable")][:MOST_LANGUAGES].tolist()

    def start(self, rows: int) -> np.ndarray:
        """Contexts at the start of lines: (rows,) int64, the last tokens packed, and their language.

        Args:
            rows: a multiple of the lines of `for_lines`; the rows of a line follow one another.
        """
        return self._start() | np.repeat(self._of_lines, rows // len(self._of_lines))

    def _start(self) -> int:
        context = 0
        for _ in range(self.order - 1):
            context = context << self.bits | self.end
        return context

    def advance(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """The contexts after one more token each: (rows,) int64."""
        tokens_kept = (contexts << self.bits | tokens) & (1 << self.bits * (self.order - 1)) - 1
        return tokens_kept | contexts >> LANGUAGE << LANGUAGE

    def along(self, context: np.ndarray, tokens: list[int]) -> np.ndarray:
        """The contexts from one, (1,), on: itself, and those after one, two, … all of `tokens`."""
        contexts = [context]
        for token in tokens:
            contexts.append(self.advance(contexts[-1], np.array([token])))
        return np.concatenate(contexts)

    def score(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Log probabilities of `tokens` (rows, candidates) after `contexts` (rows,), float32."""
        own = contexts[:, None] >> LANGUAGE
        language = own << LANGUAGE
        contexts = contexts[:, None] & self._last | language  # (rows, lengths)
        ngrams = (contexts - language)[..., None] << self.bits | tokens[:, None] | self._ngrams | language[..., None]
        # (rows, lengths, candidates)
        wanted = np.concatenate([(contexts | self._contexts).ravel(), ngrams.ravel()])
        index = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found = self.keys[index] == wanted
        of_contexts, of_ngrams = index[: contexts.size], index[contexts.size :]
        backoffs = np.where(found[: contexts.size], self.backoff_levels[self.backoff_codes[of_contexts]], np.float32(0))
        backoffs = backoffs.reshape(contexts.shape)
        codes = np.where(found[contexts.size :], self.codes[of_ngrams], ABSENT).reshape(ngrams.shape)
        scores = self._alone[own, tokens]
        for length in range(contexts.shape[1]):
            longer = codes[:, length]
            scores = np.where(longer == ABSENT, scores + backoffs[:, length, None], self.levels[longer])
        return scores


def unpacked(arrays: dict[str, np.ndarray], order: int, vocabulary: int, language: str = "") -> list[Table]:
    """The tables of a file: keys are stored as a trie, of each n-gram its last token and how many n-grams extend it.

    Args:
        arrays: of the file.
        order: of the model.
        vocabulary: the number of tokens.
        language: what precedes the names of a language's arrays.
    """
    tables, keys = [], np.arange(vocabulary, dtype=np.int64)
    for length in range(1, order + 1):
        if length > 1:
            keys = (
                np.repeat(keys, arrays[f"{language}children.{length - 1}"]) << bits_of(vocabulary)
                | arrays[f"{language}tokens.{length}"]
            )
        codes = arrays[f"{language}codes.{length}"]
        backoffs = arrays[f"{language}backoff_codes.{length}"] if length < order else np.zeros_like(codes)
        if not len(keys) == len(codes) == len(backoffs):
            raise ValueError(f"its tables of length {length} do not fit one another")
        tables.append((keys, codes, backoffs))
    return tables
