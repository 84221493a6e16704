"""The frequent words of the seven languages, most of them in no transcript of the training data, to stand in texts to be drawn.

A quarter of the words of unseen French writers are in no training transcript; a decoder that has never written them reads
them worse. The words and how often they are used are wordfreq's (Speer 2022, CC BY-SA 4.0), out of its wheel.
"""

import gzip
import itertools
import json
import random
import re
from pathlib import Path

from training.data.charset import CHARACTERS, normalise
from training.data.languages import LANGUAGES, Language
from training.data.spelling import SPELLINGS
from training.data.wheels import member

WHEEL = "wordfreq==3.1.1"
MEMBERS = tuple(
    f"wordfreq/data/{size}_{{}}.msgpack.gz" for size in ("large", "small")
)  # some languages have no large one
PACKED = "frequent_words.json.gz"
MOST = 100_000  # words of each language
FLATTENED = 0.5  # frequency to this power: rare words are what is lacking
# A word of at least three letters, with what is elided before it and the signs round it.
WORD = re.compile(r"([^\w']*(?:(?:[cdjlmnstCDJLMNST]|[qQ]u)')?)([^\W\d_]{3,})([^\w']*)")
ELIDING = re.compile(r"[aâeéèêiîoôuhyœ]", re.IGNORECASE)


class Vocabulary:
    """Words of one language, the most frequent first, and each one's frequency in steps of 1 % of a decade below 1 (wordfreq's cB)."""

    def __init__(self, words: list[str], centibels: list[int]):
        self.words = words
        self.cumulative = list(itertools.accumulate(10 ** (-FLATTENED * value / 100) for value in centibels))

    def draw(self, rng: random.Random) -> str:
        return rng.choices(self.words, cum_weights=self.cumulative)[0]

    def freshen(self, text: str, rng: random.Random, share: float = 0.35) -> str:
        """`text` with some of its words replaced; capitals, signs and elisions (`l'homme` → `l'accès`) stay as they are."""
        return " ".join(self._other(word, rng) if rng.random() < share else word for word in text.split())

    def _other(self, word: str, rng: random.Random) -> str:
        match = WORD.fullmatch(word)
        if match is None:
            return word
        before, letters, after = match.groups()
        other = self.draw(rng)
        if before.endswith("'") and not ELIDING.match(other):
            before = before[: -3 if before.lower().endswith("qu'") else -2]
        other = other.upper() if letters.isupper() else other.capitalize() if letters[0].isupper() else other
        return before + other + after


def fetch(folder: Path) -> dict[str, Vocabulary]:
    """Loads each language's most frequent words.

    Args:
        folder: where `frequent_words.json.gz` lies or is written. The wheel is downloaded there once (57 MB) if the file is
            missing or lacks a language.

    Returns:
        Language → vocabulary.
    """
    packed = folder / PACKED
    lists = json.loads(gzip.decompress(packed.read_bytes())) if packed.exists() else {}
    wanted = {code: language for code, language in LANGUAGES.items() if language.wordfreq}
    if not wanted.keys() <= lists.keys():
        lists = {code: of_language(folder, language) for code, language in wanted.items()}
        packed.write_bytes(gzip.compress(json.dumps(lists, ensure_ascii=False).encode(), mtime=0))
    return {language: Vocabulary(*columns) for language, columns in lists.items()}


def of_language(folder: Path, language: Language) -> tuple[list[str], list[int]]:
    """The language's frequent words that the checkpoint can write, and their frequencies; see `frequent`."""
    return frequent(_packed(folder, language), language.code)


def _packed(folder: Path, language: Language) -> bytes:
    """wordfreq's large list of the language, or its small one where there is no large one.

    Raises:
        ValueError: wordfreq has no list of that code.
    """
    for name in MEMBERS:
        try:
            return member(folder, WHEEL, name.format(language.wordfreq))
        except KeyError:
            continue
    raise ValueError(f"{WHEEL} has no list {language.wordfreq!r}: leave words.wordfreq out of {language.code}.toml.")


def frequent(content: bytes, language: str) -> tuple[list[str], list[int]]:
    """Selects words that the checkpoint can write.

    Args:
        content: wordfreq's cB pack of one language.
        language: of `LANGUAGES`. German words get their `ß` back.

    Returns:
        The words, the most frequent first, and their frequencies in centibels.
    """
    pairs = [(word, value) for word, value in unpacked(content, language) if len(word) > 1 and word.isalpha()]
    kept = [(word, value) for word, value in pairs if normalise(word) == word and set(word) <= set(CHARACTERS)][:MOST]
    return [word for word, _ in kept], [value for _, value in kept]


def unpacked(content: bytes, language: str) -> list[tuple[str, int]]:
    """All words of wordfreq's cB pack with their frequencies in centibels, the most frequent first."""
    import msgpack  # here alone: a machine with the words packed lacks it

    _, *bins = msgpack.unpackb(gzip.decompress(content), raw=False)
    spelled = SPELLINGS[LANGUAGES[language].words_spelling]
    return [(spelled(word), value) for value, words in enumerate(bins) for word in words]


def listed_words(folder: Path) -> frozenset[str]:
    """Every word of all full lists, case-folded: words outside them are rare, mostly names."""
    contents = {code: _packed(folder, language) for code, language in LANGUAGES.items() if language.wordfreq}
    words = (word for code, content in contents.items() for word, _ in unpacked(content, code))
    return frozenset(word.casefold() for word in words)
