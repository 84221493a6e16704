"""Text and formulas mixed: lines in doubt are read by both built-in checkpoints, and the more probable reading is kept.

The checkpoints' confidences tell text from formulas: each is the probability that the whole reading is right, and the
wrong checkpoint's is low. `python -m training.evaluation.auto_choice` prints how well that works, and the constants
below were chosen by it.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from hwr_core.decoding.network import Network
from hwr_core.decoding.scores import DecodingSettings
from hwr_core.imaging.arrays import is_picture
from hwr_core.loaded_model import Pixels
from hwr_core.own_words import checked_words
from hwr_core.reading import Reading
from hwr_core.recognizer import MAX_BATCH_SIZE, Recognizer
from hwr_core.tasks import Task, TextOf

NAME = "auto"
SURE = 0.9  # confidence from which words and numbers are text without asking
SURE_CHARACTERS = 0.82  # mean confidence of the characters from which a line of words is text without asking
SHORT = 10  # characters of a text that a formula may look like
SENTENCE = 5  # words from which a text without signs of a formula is text without asking, however unsure it is
LEAST_FORMULA = 0.02  # confidence below which a reading as a formula is never kept
TEXT_FACTOR = 1.0  # how many times more probable a formula must be than a text that looks like none
PARTS_FACTOR = 0.02  # the same where one formula covers several lines, and none has words
STACKED_FACTOR = 0.3  # the same for a short text, where the formula has rows, a fraction or a root
FORMULA_FACTOR = 0.1  # the same for a text with signs of a formula, such as =
WORDS_FACTOR = 1.0  # the same for a text of words
LONE_FORMULA = 0.7  # confidence that a formula must have where no line of text was found: specks and edges are - or 1
LONE_SYMBOLS = 2  # symbols that it must have
LEAST_CONFIDENCE = 1e-9  # below it confidences are not compared

_FUNCTIONS = {"sin", "cos", "tan", "log", "lim", "exp", "max", "min"}
_WORD = re.compile(r"[^\W\d_]{3,}")
# Signs that stand between the parts of a formula. A + or / counts between single symbols: +33 6 12 and and/or are text.
_SIGNS = re.compile(
    r"[=^<>×÷±√π∞≤≥≠∑∫→|]|[^\W_)]\s*[+*]\s*[^\W_(]|\)\s*[+*/]|[+*/]\s*\(|(?<![^\W_])[^\W_]\s*/\s*[^\W_](?![^\W_])|^\d+\s*x\s*\d+$|\w\(\w\)"
)
_ARROW = re.compile(r"^→\s*(?=[^\W\d_]{2})")  # the mark of a list before its words
# Amounts, dates, times, phone numbers: digits with the marks that stand between them.
_NUMBER = re.compile(r"[(+]?[\d€$£][\d\s.,:/()'€$£%-]*(\s?[ap]m|h\d*|[A-Za-z]{2})?")
_TERM = re.compile(r"[+\-–×x*]?\s*\d[\d\s.,]*")  # a row of a sum, as it is written at school
_STACKED = re.compile(r"\\\\|\\(frac|sqrt|sum|int|lim)\b")
_SYMBOL = re.compile(r"\\[A-Za-z]+|[^\s{}^_&\\]")
_RAISED = re.compile(_STACKED.pattern + r"|[\^_]")
# LaTeX that says more than a line of text can.
_STRUCTURE = re.compile(r"[=+<>^_|]|\\[A-Za-z]+|\d\s*-\s*\d|[A-Za-z]\s*-|\(")


class AutoRecognizer(Recognizer):
    """Reads lines of text and formulas with the text and the math checkpoint: `load_recognizer("auto")`.

    Each image is read as text. One in doubt is read as a formula too, and the more probable reading is kept;
    `Reading.formula` tells which it is. The network, the tokenizer and the task are the text checkpoint's.
    """

    def __init__(
        self,
        load: Callable[[str], Recognizer],
        batch_size: int | None = None,
        changes: dict[str, Any] | None = None,
        words: tuple[str, ...] = (),
    ):
        """Loads nothing yet.

        Args:
            load: Loads a built-in checkpoint by its name. Picklable; needed again only to pickle the recognizer.
            batch_size: Images per batch, as for `Recognizer`.
            changes: Decoding settings that differ from the checkpoints' own.
            words: Words to favour in text.

        Raises:
            ValueError: `batch_size` is not a whole number in its range.
        """
        if batch_size is not None and not (type(batch_size) is int and 1 <= batch_size <= MAX_BATCH_SIZE):
            raise ValueError(f"The batch size is a whole number from 1 to {MAX_BATCH_SIZE}, not {batch_size!r:.60}.")
        self._load, self._chosen_batch_size, self._changes, self._words = load, batch_size, changes or {}, words

    @cached_property
    def text(self) -> Recognizer:
        """The recognizer of text."""
        return self._loaded("text")

    @cached_property
    def math(self) -> Recognizer:
        """The recognizer of formulas. It is loaded when the first line is in doubt."""
        return self._loaded("math")

    @property
    def of_text(self) -> Recognizer:
        return self.text

    @property
    def doubting(self) -> Recognizer:
        """The recognizer of formulas for ink that may be text: it gives up where no formula would be kept."""
        return self.math.with_decoding(give_up_below=LEAST_FORMULA)

    @property
    def name(self) -> str:
        return NAME

    @property
    def batch_size(self) -> int:
        return self.text.batch_size

    @property
    def network(self) -> Network:
        return self.text.network

    @property
    def pixels(self) -> Pixels:
        return self.text.pixels

    @property
    def tokenizer(self) -> Any:
        return self.text.tokenizer

    @property
    def text_of(self) -> TextOf:
        return self.text.text_of

    @property
    def decoding(self) -> DecodingSettings:
        return self.text.decoding

    @property
    def task(self) -> Task:
        return self.text.task

    def with_decoding(self, **changes: Any) -> "AutoRecognizer":
        self.text.with_decoding(**changes)  # raises an error for settings that do not exist
        return AutoRecognizer(self._load, self._chosen_batch_size, self._changes | changes, self._words)

    def with_batch_size(self, batch_size: int) -> "AutoRecognizer":
        return AutoRecognizer(self._load, batch_size, self._changes, self._words)

    def with_words(self, words: str | Iterable[str]) -> "AutoRecognizer":
        return AutoRecognizer(self._load, self._chosen_batch_size, self._changes, checked_words(words))

    def __reduce__(self) -> tuple:
        return AutoRecognizer, (self._load, self._chosen_batch_size, self._changes, self._words)

    def stream(
        self, images: Sequence[Image.Image | np.ndarray], beams: int | None = None
    ) -> Iterator[dict[int, Reading]]:
        pictures: list[Any] = [images] if is_picture(images) else list(images)
        doubtful: dict[int, Reading] = {}
        for batch in self.text.stream(pictures, beams):
            doubtful |= {index: reading for index, reading in batch.items() if in_doubt(reading)}
            if sure := {index: reading for index, reading in batch.items() if index not in doubtful}:
                yield sure
        numbers = list(doubtful)
        if not numbers:
            return
        for batch in self.doubting.stream([pictures[number] for number in numbers], beams):
            found = {numbers[place]: reading for place, reading in batch.items()}
            yield {number: more_probable([doubtful[number]], [reading])[0] for number, reading in found.items()}

    def _loaded(self, name: str) -> Recognizer:
        recognizer = self._load(name)
        if self._changes:
            recognizer = recognizer.with_decoding(**self._changes)
        if self._words and name == "text":
            recognizer = recognizer.with_words(self._words)
        return recognizer if self._chosen_batch_size is None else recognizer.with_batch_size(self._chosen_batch_size)


def in_doubt(reading: Reading) -> bool:
    """Whether a reading as text may be that of a formula."""
    if reading.formula or (not reading.text and not reading.unreadable):
        return False
    if _NUMBER.fullmatch(reading.text):
        return reading.confidence < SURE
    guess = reading.alternatives[0].text if reading.unreadable and reading.alternatives else reading.text
    if len(_words(guess)) >= SENTENCE and not _has_signs(guess):
        return False
    if reading.unreadable or _has_signs(reading.text):
        return True
    if is_words(reading):
        return _mean(reading) < SURE_CHARACTERS or (len(reading.text) <= SHORT and reading.confidence < SURE)
    return reading.confidence < SURE or not _WORD.search(reading.text)


def is_words(reading: Reading) -> bool:
    """Whether a text has words and no signs of a formula."""
    if reading.formula:
        return False
    return bool(_words(reading.text)) and not _has_signs(reading.text)


def _has_signs(text: str) -> bool:
    """Whether a text has signs of a formula. An arrow before words marks a line of a list."""
    return bool(_SIGNS.search(_ARROW.sub("", text)))


def _words(text: str) -> list[str]:
    """The words of a text that are no names of functions."""
    return [word for word in _WORD.findall(text) if word.lower() not in _FUNCTIONS]


def is_surely_text(reading: Reading) -> bool:
    """Whether a text has words, and is longer than parts of a formula that look like words."""
    return is_words(reading) and len(reading.text) > SHORT


def more_probable(texts: Sequence[Reading], formulas: Sequence[Reading]) -> list[Reading]:
    """Chooses between the readings of the same ink as lines of text and as formulas.

    Args:
        texts: Of its lines.
        formulas: Of its formulas.

    Returns:
        One of the two, as a list.
    """
    written = [formula for formula in formulas if formula.text]
    if not written or min(formula.confidence for formula in written) < LEAST_FORMULA:
        return list(texts)
    plain = not any(_STRUCTURE.search(formula.text) for formula in written)
    if plain and all(text.text for text in texts):
        return list(texts)
    if any(formula.unread for formula in written) and all(text.text and text.confidence >= SURE for text in texts):
        return list(texts)  # nothing of them is unread
    gain = _log(written) - _log(texts)
    return list(formulas) if gain > math.log(_factor(texts, written)) else list(texts)


def are_formulas(texts: Sequence[Reading], formulas: Sequence[Reading], above: Reading | None = None) -> bool:
    """Whether ink is rather formulas than lines of text.

    Args:
        texts: Readings of its lines of text. Empty: none was found in the ink.
        formulas: Readings of its formulas.
        above: The reading of the line above them. A sum's last row and its result are no fraction.
    """
    if not texts:
        return all(
            formula.confidence >= LONE_FORMULA
            and len(_SYMBOL.findall(formula.text)) >= LONE_SYMBOLS
            and _STRUCTURE.search(formula.text)
            for formula in formulas
        )
    if _is_sum([above, *texts] if above else texts):
        return False
    return all(formula.text for formula in formulas) and more_probable(texts, formulas)[0] is formulas[0]


def connected(touches: np.ndarray) -> list[tuple[list[int], list[int]]]:
    """The lines and formulas that share ink, directly or through others.

    Args:
        touches: (lines, formulas) bool, which of them share ink.

    Returns:
        For each block the numbers of its lines and of its formulas.
    """
    lines_left, formulas_left = set(range(touches.shape[0])), set(range(touches.shape[1]))
    blocks = []
    while lines_left or formulas_left:
        lines = {min(lines_left)} if lines_left else set()
        formulas = set() if lines else {min(formulas_left)}
        size = 0
        while size < len(lines) + len(formulas):
            size = len(lines) + len(formulas)
            formulas |= {number for number in formulas_left if any(touches[line, number] for line in lines)}
            lines |= {line for line in lines_left if any(touches[line, number] for number in formulas)}
        lines_left -= lines
        formulas_left -= formulas
        blocks.append((sorted(lines), sorted(formulas)))
    return blocks


def _factor(texts: Sequence[Reading], formulas: Sequence[Reading]) -> float:
    """How many times more probable than these texts formulas must be."""
    # An underlined heading above a number or a word looks like a fraction.
    headed = len(texts) > 1 and any(is_words(text) and text.confidence >= SURE for text in texts)
    if headed or any(is_surely_text(text) for text in texts):
        return WORDS_FACTOR
    if len(texts) > len(formulas):
        return TEXT_FACTOR if _are_cells(texts, formulas) else PARTS_FACTOR
    if any(_has_signs(text.text) for text in texts):
        return FORMULA_FACTOR
    return STACKED_FACTOR if any(_STACKED.search(formula.text) for formula in formulas) else TEXT_FACTOR


def _is_sum(texts: Sequence[Reading]) -> bool:
    """Whether the lines are numbers one below the other, with a sign before one that is added to those above it."""
    terms = len(texts) > 2 and all(_TERM.fullmatch(text.text) for text in texts)
    return terms and not all(text.text[0].isdigit() for text in texts[1:])


def _are_cells(texts: Sequence[Reading], formulas: Sequence[Reading]) -> bool:
    """Whether the lines are single letters or digits in a row, as in a grid, and the formulas have nothing stacked or raised."""
    lone = all(len(text.text) == 1 and text.text.isalnum() for text in texts)
    return lone and len(texts) > 2 and not any(_RAISED.search(formula.text) for formula in formulas)


def _log(readings: Sequence[Reading]) -> float:
    return sum(math.log(max(reading.confidence, LEAST_CONFIDENCE)) for reading in readings)


def _mean(reading: Reading) -> float:
    """The geometric mean of the confidences of the characters."""
    return math.exp(_log([reading]) / max(1, len(reading.text)))
