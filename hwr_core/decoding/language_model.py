"""Character n-gram model: how likely the next token is after the ones before it. Decoding adds it to the network's scores.

Shallow fusion (Gulcehre et al. 2015) of an interpolated n-gram model with Witten and Bell's discounting (1991), over the
checkpoint's own tokens. `training/fit/count_ngrams.py` counts it; `checkpoint_config.LANGUAGE_MODEL` lies beside the weights.

A file holds one model, or one of each language. A model of one language foretells its lines better: mixed with six others,
its words compete with theirs. `in_each_language` tells which one a line is in.
"""

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

LENGTH = 60  # the bits of a key above this one hold its number of tokens,
LANGUAGE = 56  # those from this one on the place of its language
FORMAT = "2"  # of the file
FIRST = 18  # bits of a hash that choose where to search
ABSENT = 0  # code of a log probability that is not in the model: of contexts that are no n-gram themselves
Table = tuple[np.ndarray, np.ndarray, np.ndarray]


def bits_of(vocabulary: int) -> int:
    """Bits of one token in a packed n-gram; 56 bits hold all tokens of a key."""
    return max(8, (vocabulary - 1).bit_length())


def tokens_hash(tokens: Sequence[str | None]) -> str:
    """SHA-256 of a token list, in the order of the ids."""
    return hashlib.sha256("\0".join(token or "" for token in tokens).encode()).hexdigest()


@dataclass(frozen=True)
class NgramTables:
    """What a file of n-grams holds.

    Attributes:
        languages: for each language, or for "" alone, the tables of each length from 1 on: the packed n-grams, (n-grams,)
            int64, sorted, the last token lowest; the codes of their log probabilities and of their backoffs, (n-grams,)
            uint8. The first table has every token of the vocabulary.
        levels: (256,) float32, the codes' log probabilities.
        backoff_levels: (256,) float32, the codes' log weights of the shorter n-grams' probabilities.
        vocabulary: the number of tokens.
        end: the id of the end token.
    """

    languages: Mapping[str, Sequence[Table]]
    levels: np.ndarray
    backoff_levels: np.ndarray
    vocabulary: int
    end: int

    @property
    def order(self) -> int:
        """The longest n-gram, in tokens."""
        return max(len(tables) for tables in self.languages.values())

    def __len__(self) -> int:
        """The number of n-grams."""
        return sum(len(keys) for tables in self.languages.values() for keys, *_ in tables)

    @classmethod
    def read(cls, path: Path, tokens: Sequence[str | None], end: int) -> "NgramTables":
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
            names, order = metadata.get("languages", "").split() or [""], int(metadata["order"])
            is_own = (metadata["tokens_sha256"], int(metadata["end"])) == (tokens_hash(tokens), end)
            prefixes = {name: f"{name}." if name else "" for name in names if is_own}
            languages = {name: unpacked(arrays, order, len(tokens), prefix) for name, prefix in prefixes.items()}
            found = cls(languages, arrays["levels"], arrays["backoff_levels"], len(tokens), end)
        except Exception as error:
            raise ValueError(f"{path.name} is no language model: {error}") from error
        if not is_own:
            raise ValueError(f"{path.name} was counted over other tokens than the checkpoint's")
        return found


class LanguageModel:
    """An n-gram model. One sorted table holds the n-grams of all lengths and languages, so that a single search finds them.

    It keeps 40 bits of a hash of each n-gram in place of the n-gram, so that four million need 28 MB. One look in 200,000
    for an n-gram that is not in the model finds another.

    Attributes:
        order: the longest n-gram, in tokens.
        end: the id of the end token. A line starts after endless end tokens.
        bits: of a token in a key.
        languages: the names of the languages, in the order of their numbers; ("",) for a model of no language.
        hashes: (n-grams,) uint32, sorted: of the tokens packed with the last one lowest, their language above bit
            `LANGUAGE` and their number above bit `LENGTH`.
        checks: (n-grams,) uint8, eight more bits of the hash.
        codes: (n-grams,) uint8, of the log probabilities of the last token after the others.
        backoff_codes: (n-grams,) uint8, of the log weights of the shorter n-grams' probabilities after this one.
        levels, backoff_levels: (256,) float32, the values of these codes.
    """

    def __init__(self, ngrams: NgramTables):
        """Builds the model.

        Raises:
            ValueError: the keys have no room for the tokens or the languages.
        """
        self.end, self.order, self.bits = ngrams.end, ngrams.order, bits_of(ngrams.vocabulary)
        self.languages = tuple(ngrams.languages)
        if self.bits * self.order > LANGUAGE or len(self.languages) > 1 << LENGTH - LANGUAGE:
            raise ValueError("its keys have no room for the tokens or the languages")
        packed, filled = np.empty(len(ngrams), np.uint64), 0
        for language, tables in enumerate(ngrams.languages.values()):
            for length, (keys, codes, backoffs) in enumerate(tables, 1):
                part = hash_of(keys | language << LANGUAGE | length << LENGTH) << 16
                packed[filled : filled + len(keys)] = part | codes.astype(np.uint64) << 8 | backoffs
                filled += len(keys)
        packed.sort()
        self.hashes = (packed >> 24).astype(np.uint32)
        starts = np.searchsorted(self.hashes, np.arange(1 << FIRST, dtype=np.uint32) << 32 - FIRST)
        self._starts = np.append(starts, len(packed)).astype(np.int32)
        halvings = int(np.diff(self._starts).max()).bit_length()
        self._steps = [np.int32(1 << halving) for halving in reversed(range(halvings))]
        self.checks, self.codes, self.backoff_codes = ((packed >> bit).astype(np.uint8) for bit in (16, 8, 0))
        self.levels, self.backoff_levels = ngrams.levels, ngrams.backoff_levels
        self._alone = self.levels[np.stack([tables[0][1] for tables in ngrams.languages.values()])]
        shorter = np.arange(1, self.order)  # lengths of contexts
        self._last = (1 << self.bits * shorter) - 1
        self._contexts, self._ngrams = shorter << LENGTH, shorter + 1 << LENGTH
        self._of_lines = np.zeros(1, np.int64)

    @classmethod
    def load(cls, path: Path, tokens: Sequence[str | None], end: int) -> "LanguageModel":
        """Reads a file, as `NgramTables.read` does.

        Raises:
            ValueError: the file is no language model, or was counted over other tokens.
        """
        return cls(NgramTables.read(path, tokens, end))

    def __len__(self) -> int:
        """The number of n-grams."""
        return len(self.hashes)

    def for_lines(self, languages: Sequence[int]) -> "LanguageModel":
        """Returns a view whose lines start in the languages with these numbers."""
        found = copy.copy(self)
        found._of_lines = np.array(languages) << LANGUAGE
        return found

    @property
    def language(self) -> str:
        """The name of the language of the first line; of every line where it reads one."""
        return self.languages[int(self._of_lines[0]) >> LANGUAGE]

    def in_each_language(self, tokens: Sequence[int]) -> np.ndarray:
        """The log probability of a line in each language, (languages,) float32.

        Args:
            tokens: of the line. Drafts with errors tell their language too.
        """
        numbers = np.arange(len(self.languages))
        written = np.array([*tokens, self.end])
        contexts = self.along(np.full(1, self._start()), written[:-1].tolist())
        every = (contexts[:, None] | numbers << LANGUAGE).ravel()
        scores = self.score(every, np.repeat(written, len(numbers))[:, None])
        return scores.reshape(len(written), -1).sum(0)

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
        kept = self.order - 1
        before = context[0] >> self.bits * np.arange(kept)[::-1] & (1 << self.bits) - 1
        written = np.concatenate([before, np.array(tokens, np.int64)])
        contexts = np.zeros(len(tokens) + 1, np.int64)
        for place in range(kept):
            contexts = contexts << self.bits | written[place : place + len(contexts)]
        return contexts | context[0] >> LANGUAGE << LANGUAGE

    def score(self, contexts: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Log probabilities of `tokens` (rows, candidates) after `contexts` (rows,), float32."""
        language = contexts[:, None] >> LANGUAGE << LANGUAGE
        scores = self._alone[contexts[:, None] >> LANGUAGE, tokens]
        shorter = contexts[:, None] & self._last  # (rows, lengths)
        index, present = self._find(shorter | self._contexts | language)
        backoffs = np.where(present, self.backoff_levels[self.backoff_codes[index]], np.float32(0))
        # The context of each n-gram of the model is in the model too, so that the others need not be looked for.
        row, length = np.nonzero(present)
        longer = shorter[row, length] << self.bits | self._ngrams[length] | language[row, 0]
        codes = np.full((*shorter.shape, tokens.shape[1]), ABSENT, np.uint8)
        index, found = self._find(longer[:, None] | tokens[row])
        codes[row, length] = np.where(found, self.codes[index], ABSENT)
        for place in np.flatnonzero(present.any(0)):  # other lengths change nothing
            known = codes[:, place]
            scores = np.where(known == ABSENT, scores + backoffs[:, place, None], self.levels[known])
        return scores

    def _find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each n-gram is, and whether it is there: a binary search among those whose hashes begin alike."""
        wanted = hash_of(keys)
        high, check = (wanted >> 8).astype(np.uint32), wanted.astype(np.uint8)
        low = self._starts[(wanted >> 40 - FIRST).astype(np.int32)]
        for step in self._steps:  # what follows them has a higher hash
            low = low + step * (self.hashes.take(low + (step - 1), mode="clip") < high)
        last = len(self.hashes) - 1
        low = np.minimum(low, last)
        low = np.where(self.checks[low] == check, low, np.minimum(low + 1, last))  # two may share a hash
        return low, (self.hashes[low] == high) & (self.checks[low] == check)


def hash_of(keys: np.ndarray) -> np.ndarray:
    """40 well mixed bits of each key, (keys,) uint64 (the end of SplitMix64, Steele, Lea and Flood 2014)."""
    mixed = keys.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = np.multiply(mixed ^ mixed >> np.uint64(shift), np.uint64(factor))
    return (mixed ^ mixed >> np.uint64(31)) >> np.uint64(24)


def languages_in(path: Path) -> tuple[str, ...]:
    """The languages of a language model's file, without its n-grams; none where there is no such file, or one model only."""
    if not path.is_file():
        return ()
    with safe_open(path, "np") as file:
        return tuple((file.metadata() or {}).get("languages", "").split())


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
