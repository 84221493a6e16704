"""Which way up formulas lie: they are read in several directions, as what they are, not as rows of text."""

from collections.abc import Sequence

import numpy as np

from hwr_core.decoding.latex import canonical
from hwr_core.imaging.ink_mask import ink_box
from hwr_core.ink.bars import picture_has_bar
from hwr_core.layout.formula_regions import find_formulas
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer

SAMPLE = 3  # formulas of a page that are read in a direction: the largest
SURE = 0.98  # characters' mean confidence from which no other direction is tried; upside down, one in 40 reaches it
BETTER = 0.05  # by which another direction must read better; of 146 photos of a formula one did
UPRIGHT = 0.85  # confidence from which formulas are believed against rows of text
UNREADABLE = 0.3  # confidence of each character of an unreadable line
SURE_FRACTION = 0.6  # characters' mean confidence from which a fraction is believed


def turn_of_formulas(grey: np.ndarray, reader: Recognizer) -> int:
    """By how many degrees, counter-clockwise, a page of formulas must be turned: 0, 90, 180 or 270.

    Args:
        grey: The cleaned page (height, width) uint8, dark on light.
        reader: Reads formulas.
    """
    as_is = _confidence_at(0, grey, reader)
    if as_is >= SURE:
        return 0
    others = {turn: _confidence_at(turn, grey, reader) for turn in (180, 90, 270)}
    best = max(others, key=lambda turn: others[turn])
    return best if others[best] > as_is + BETTER else 0


def formulas_speak_against(turn: int, grey: np.ndarray, reader: Recognizer) -> bool:
    """Whether a page's formulas are read well as it lies, and not clearly better turned.

    A formula's rows read upside down look like sure letters, and its parts like short words.

    Args:
        turn: Degrees, counter-clockwise.
        grey: The cleaned page (height, width) uint8, dark on light.
        reader: Reads formulas.
    """
    as_is = _confidence_at(0, grey, reader)
    return as_is >= UPRIGHT and _confidence_at(turn, grey, reader) <= as_is + BETTER


def _confidence_at(turn: int, grey: np.ndarray, reader: Recognizer) -> float:
    """The mean confidence of the largest formulas' characters, where the page is turned."""
    found = find_formulas(np.ascontiguousarray(np.rot90(grey, turn // 90)))
    largest = sorted((formula.line.image for formula in found), key=lambda image: -image.size)[:SAMPLE]
    return mean_confidence(reader.read(largest, beams=1)) if largest else 0.0


def turn_of_fraction(grey: np.ndarray, recognizer: Recognizer) -> int | None:
    """By how many degrees a page that holds nothing but a fraction must be turned: 0 or 180.

    Its two short parts tell no direction, and on its side its bar is a `1` between two letters.

    Args:
        grey: The cleaned page (height, width) uint8, dark on light.
        recognizer: Formulas are read where it reads them.

    Returns:
        None where it is no fraction, as it lies or upside down.
    """
    reader = recognizer.of_formulas
    if reader is None or (box := ink_box(grey)) is None:
        return None
    left, top, right, bottom = box
    piece = grey[top:bottom, left:right]
    if not picture_has_bar(piece):
        return None
    readings = reader.read([piece, np.rot90(piece, 2)], beams=1)
    # As it lies, it may be more than a fraction. Upside down, what stands before the bar would stand behind it.
    as_is, turned = (mean_confidence([reading]) for reading in readings)
    sure = [as_is if r"\frac" in readings[0].text else 0.0, turned if _is_fraction(readings[1].text) else 0.0]
    if max(sure) < SURE_FRACTION:
        return None
    return 180 if sure[1] > sure[0] else 0


def _is_fraction(text: str) -> bool:
    """Whether LaTeX is a fraction, and nothing beside it."""
    tokens, depth, ends = canonical(text), 0, []
    for place, token in enumerate(tokens):
        depth += (token == "{") - (token == "}")
        if token == "}" and depth == 0:
            ends.append(place)
    return tokens[:1] == [r"\frac"] and len(ends) == 2 and ends[1] == len(tokens) - 1


def mean_confidence(readings: Sequence[Reading]) -> float:
    """The mean confidence of the characters; those of an unreadable line's best guess count with `UNREADABLE`."""
    confidences = [value for reading in readings for value in reading.character_confidences]
    for reading in readings:
        if reading.unreadable:
            confidences += [UNREADABLE] * len(reading.alternatives[0].text)
    return float(np.mean(confidences)) if confidences else 0.0
