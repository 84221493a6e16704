"""Scores of words: how often rare words are misread, and whether a word's confidence tells if it is wrong."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from hwr_core.reading import Reading
from training.evaluation.results import Table, percent
from training.evaluation.tables import comparable

# A word is marked for checking if its confidence is below the first, one character's below the second, or the estimate that
# it is right below the third.
WORD_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
CHARACTER_THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ESTIMATE_THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.75, 0.78, 0.8, 0.85, 0.9)
LETTERS = re.compile(r"[^\W\d_]+")
SHORTEST = 3  # letters of a word that counts as unlisted


@dataclass(frozen=True)
class ReadWord:
    """A word of a reading, with the confidences of its characters and of the space after it (1 at the line's end).

    `right` is whether the transcript has the word at that place, `estimate` the checkpoint's estimate of it, if it has one.
    """

    text: str
    confidences: tuple[float, ...]
    space: float
    right: bool
    estimate: float | None = None

    @property
    def confidence(self) -> float:
        """The product of the characters' confidences."""
        return float(np.prod(self.confidences))


def matched(words: Sequence[str], others: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Aligns two word sequences by the fewest edits.

    Returns:
        For each of `words`, and for each of `others`, whether it stands unchanged in the other sequence.
    """
    in_words, in_others = [False] * len(words), [False] * len(others)
    for edit in Levenshtein.opcodes(words, others):
        if edit.tag == "equal":
            in_words[edit.src_start : edit.src_end] = [True] * (edit.src_end - edit.src_start)
            in_others[edit.dest_start : edit.dest_end] = [True] * (edit.dest_end - edit.dest_start)
    return in_words, in_others


def read_words(truth: str, reading: Reading) -> list[ReadWord]:
    """The words of a reading, each compared with the transcript."""
    spans = [match.span() for match in re.finditer(r"\S+", reading.text)]
    words = [comparable(reading.text[start:end]) for start, end in spans]
    _, right = matched(comparable(truth).split(), words)
    confidences = (*reading.character_confidences, 1.0)
    return [
        ReadWord(word, confidences[start:end], confidences[end], ok, reading.word_confidence(start, end))
        for word, (start, end), ok in zip(words, spans, right, strict=True)
    ]


def unlisted(word: str, listed: frozenset[str]) -> bool:
    """Whether a part of the word, of at least three letters, is in no frequency list: mostly names."""
    return any(len(part) >= SHORTEST and part not in listed for part in LETTERS.findall(word.casefold()))


def bare(word: str) -> str:
    """The word without the punctuation around it."""
    return re.sub(r"^[^\w]+|[^\w]+$", "", word)


def unlisted_errors(truths: Iterable[str], texts: Iterable[str], listed: frozenset[str]) -> tuple[int, int, int, int]:
    """Counts misread words.

    Returns:
        Words that are in no frequency list, how many of them are misread, all other words, how many of them.
    """
    counts = [0, 0, 0, 0]
    for truth, text in zip(truths, texts, strict=True):
        words = [word for word in map(bare, truth.split()) if word]
        right, _ = matched(words, [word for word in map(bare, text.split()) if word])
        for word, ok in zip(words, right, strict=True):
            first = 0 if unlisted(word, listed) else 2
            counts[first] += 1
            counts[first + 1] += not ok
    return counts[0], counts[1], counts[2], counts[3]


def marked_words(name: str, words: Sequence[ReadWord]) -> Table:
    """For each threshold the share of words that it marks, and the shares of wrong words with and without a mark."""
    wrong = np.array([not word.right for word in words])
    whole = np.array([word.confidence for word in words])
    rules = {
        "word": (whole, WORD_THRESHOLDS),
        "word and the space after it": (whole * [word.space for word in words], WORD_THRESHOLDS),
        "weakest character": (np.array([min(word.confidences) for word in words]), CHARACTER_THRESHOLDS),
    }
    if words and all(word.estimate is not None for word in words):
        rules["estimate"] = np.array([word.estimate for word in words]), ESTIMATE_THRESHOLDS
    rows = [
        [f"{rule} < {threshold}", len(words), *mark_shares(values < threshold, wrong)]
        for rule, (values, thresholds) in rules.items()
        for threshold in thresholds
    ]
    columns = [
        "marked if the confidence of",
        "words",
        "marked %",
        "marked wrong %",
        "unmarked wrong %",
        "wrong marked %",
    ]
    return Table(name, columns, rows)


def mark_shares(marked: np.ndarray, wrong: np.ndarray) -> list[float | None]:
    """The shares in percent of marked words, of wrong ones among these and among the others, and of marked ones among the wrong.

    Args:
        marked: (words,) bool.
        wrong: (words,) bool.
    """
    parts = (marked, wrong[marked], wrong[~marked], marked[wrong])
    return [percent(part.mean()) if len(part) else None for part in parts]
