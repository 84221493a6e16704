"""Whether ink is text or a formula, by the readings of both checkpoints.

The checkpoints' confidences tell it: each is the probability that the whole reading is right, and the wrong checkpoint's
is low. `python -m training.evaluation.auto_choice` prints how well that works, and the factors below were chosen by it, but for
`BLANK` and `NAME_LETTERS`: these were chosen on 160 notes that a script drew, drawn and as photos.
Where one formula covers several lines, it may be much less probable than they are, since each of its parts is read well.
It may not where it leaves ink out, has fewer symbols than the lines, or has a fraction without a bar.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

from hwr_core.reading import Reading

BESIDE = r"\quad "  # between formulas that stand side by side
SURE = 0.9  # confidence from which words and numbers are text without asking
SURE_CHARACTERS = 0.82  # mean confidence of the characters from which a line of words is text without asking
BLANK = 0.2  # confidence from which an empty reading is believed
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

NAME_LETTERS = 4  # letters of a word from which it is no product of variables

_FUNCTIONS = {"sin", "cos", "tan", "log", "lim", "exp", "max", "min"}
_WORD = re.compile(r"[^\W\d_]{3,}")
# Signs that stand between the parts of a formula. A + or / counts between single symbols: +33 6 12 and and/or are text.
_SIGNS = re.compile(
    r"[=^<>×÷±√π∞≤≥≠∑∫→|]|[^\W_)]\s*[+*]\s*[^\W_(]|\)\s*[+*/]|[+*/]\s*\(|(?<![^\W_])[^\W_]\s*/\s*[^\W_](?![^\W_])|^\d+\s*x\s*\d+$|\w\(\w\)"
)
_ARROW = re.compile(r"^→\s*(?=[^\W\d_]{2})")  # the mark of a list before its words
# Amounts, dates, times, phone numbers: digits with the marks that stand between them.
_NUMBER = re.compile(r"[(+]?[\d€$£][\d\s.,:/()'€$£%-]*(\s?[ap]m|h\d*|[A-Za-z]{2})?")
_AMOUNT = re.compile(r"[+\-–]?\s*([€$£]\s*\d[\d\s.,]*|\d[\d\s.,]*\s*[€$£])")  # of money
_TERM = re.compile(rf"[+\-–×x*]?\s*\d[\d\s.,]*|{_AMOUNT.pattern}")  # a row of a sum, as it is written at school
_STACKED = re.compile(r"\\\\|\\(frac|sqrt|sum|int|lim)\b")
_BARE_ROWS = re.compile(r"\\begin\{(matrix|array|aligned)\}.*\\end\{\1\}")
_BAR = re.compile(r"\\frac\b")
_SYMBOL = re.compile(r"\\[A-Za-z]+|[^\s{}^_&\\]")
_RAISED = re.compile(_STACKED.pattern + r"|[\^_]")
# LaTeX that says more than a line of text can.
_STRUCTURE = re.compile(r"[=+<>^_|]|\\(?!quad\b)[A-Za-z]+|\d\s*-\s*\d|[A-Za-z]\s*-|\(")


def in_doubt(reading: Reading) -> bool:
    """Whether a reading as text may be that of a formula."""
    blank = not reading.text and not reading.unreadable
    if reading.formula or (blank and reading.confidence >= BLANK):
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
    """Whether a text has words, and is longer or more sure than parts of a formula that look like words."""
    if not is_words(reading):
        return False
    names = [word for word in _words(reading.text) if len(word) >= NAME_LETTERS and word[:3].lower() not in _FUNCTIONS]
    return len(reading.text) > SHORT or (reading.confidence >= SURE and bool(names))


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
    gain = _log(written) - _log(texts) - _log_of_number(texts, written)
    return list(formulas) if gain > math.log(_factor(texts, written)) else list(texts)


def are_formulas(
    texts: Sequence[Reading], formulas: Sequence[Reading], above: Reading | None = None, barred: bool = True
) -> bool:
    """Whether ink is rather formulas than lines of text.

    Args:
        texts: Readings of its lines of text. Empty: none was found in the ink.
        formulas: Readings of its formulas.
        above: The reading of the line above them. A sum's last row and its result are no fraction.
        barred: Whether their ink has what may be the bar of a fraction.
    """
    if not texts:
        return all(
            formula.confidence >= LONE_FORMULA
            and _symbols(formula.text) >= LONE_SYMBOLS
            and _STRUCTURE.search(formula.text)
            for formula in formulas
        )
    if _is_sum([above, *texts] if above else texts) or _are_rows(texts, formulas):
        return False
    if not all(formula.text for formula in formulas):
        return False
    if not barred and any(_BAR.search(formula.text) for formula in formulas) and _log(formulas) <= _log(texts):
        return False
    return more_probable(texts, formulas)[0] is formulas[0]


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
    # An underlined heading above a number looks like a fraction, and "1/2 cup" has a sign of a formula.
    if any(is_surely_text(text) or (text.confidence >= SURE and _is_phrase(text.text)) for text in texts):
        return WORDS_FACTOR
    if len(texts) > len(formulas) and _leave_out(texts, formulas):
        return TEXT_FACTOR
    if len(texts) > len(formulas):
        return TEXT_FACTOR if _are_cells(texts, formulas) else PARTS_FACTOR
    if any(_has_signs(text.text) for text in texts):
        return FORMULA_FACTOR
    return STACKED_FACTOR if any(_STACKED.search(formula.text) for formula in formulas) else TEXT_FACTOR


def _is_phrase(text: str) -> bool:
    """Whether a text has words, and no signs of a formula but slashes."""
    return bool(_words(text)) and not _has_signs(text.replace("/", " "))


def _is_sum(texts: Sequence[Reading]) -> bool:
    """Whether the lines are amounts of money, or numbers with a sign before one that is added to those above it."""
    if not all(_TERM.fullmatch(text.text) for text in texts):
        return False
    amounts = sum(bool(_AMOUNT.fullmatch(text.text)) for text in texts)
    return amounts > 1 or (len(texts) > 2 and not all(text.text[0].isdigit() for text in texts[1:]))


def _are_rows(texts: Sequence[Reading], formulas: Sequence[Reading]) -> bool:
    """Whether the lines stand one below the other without anything that makes them one formula.

    Equations are no fraction, but a sum's lower limit has a sign of equality too. Rows without brackets are the lines of a list.
    """
    if len(formulas) != 1 or len(texts) < 2:
        return False
    equations = all("=" in text.text for text in texts) and bool(_BAR.search(formulas[0].text))
    return equations or (bool(_BARE_ROWS.fullmatch(formulas[0].text)) and all(text.text for text in texts))


def _leave_out(texts: Sequence[Reading], formulas: Sequence[Reading]) -> bool:
    """Whether formulas leave ink out, or have fewer symbols than the lines; the bar of a fraction is in no line."""
    symbols = sum(_symbols(_BAR.sub("", formula.text)) for formula in formulas)
    return any(formula.unread for formula in formulas) or symbols < sum(
        not character.isspace() for text in texts for character in text.text
    )


def _log_of_number(texts: Sequence[Reading], formulas: Sequence[Reading]) -> float:
    """The log probability of an exercise's number before a formula, where the text has it too; else 0. It decides nothing then."""
    number, beside, _ = formulas[0].text.partition(BESIDE)
    if not beside or not texts[0].text.replace(" ", "").startswith(number):
        return 0.0
    return sum(math.log(max(value, LEAST_CONFIDENCE)) for value in formulas[0].character_confidences[: len(number)])


def _symbols(formula: str) -> int:
    """How many symbols a formula has, without the white between formulas that stand side by side."""
    return len(_SYMBOL.findall(formula.replace(BESIDE, " ")))


def _are_cells(texts: Sequence[Reading], formulas: Sequence[Reading]) -> bool:
    """Whether the lines are single letters or digits in a row, as in a grid, and the formulas have nothing stacked or raised."""
    lone = all(len(text.text) == 1 and text.text.isalnum() for text in texts)
    return lone and len(texts) > 2 and not any(_RAISED.search(formula.text) for formula in formulas)


def _log(readings: Sequence[Reading]) -> float:
    return sum(math.log(max(reading.confidence, LEAST_CONFIDENCE)) for reading in readings)


def _mean(reading: Reading) -> float:
    """The geometric mean of the confidences of the characters."""
    return math.exp(_log([reading]) / max(1, len(reading.text)))
