"""Which way up a page lies: the shapes of its lines tell it, and the recognizer, which reads some of them in several directions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from PIL import Image

from hwr_core.imaging.ink_mask import ink_box
from hwr_core.imaging.preprocess import Preprocessed, preprocess
from hwr_core.imaging.settings import PreprocessSettings, Turn
from hwr_core.layout.formula_direction import (
    formulas_speak_against,
    mean_confidence,
    turn_of_formulas,
    turn_of_fraction,
)
from hwr_core.layout.line_detection import FoundLine, find_lines
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.memory import give_back_freed

SAMPLE = 3  # lines of a page of long lines that are read both ways up: the longest
SHORT_SAMPLE = 10  # pieces of a page of short words that are read
SURE_UPRIGHT = 0.9  # characters' mean confidence from which no other direction is tried
SURE_SHAPES = 0.75  # the same from which the shapes of lines are believed; of 22 real pages the lowest has 0.83
BETTER = 0.05  # by which the other way up must read better; of 20 pages the nearest has 0.07
SURE_SHORT = 0.95  # `SURE_UPRIGHT` on pages of short words; digits upside down are read with up to 0.96
SHORT_BETTER = 0.05  # `BETTER` on pages of short words; of 46 upright grids and tables none is read better upside down
SINGLE_BETTER = 0.3  # the same for a single character, beyond that; shared out among several
LONG_ASPECT = 2.2  # length by height from which the shape of a line tells its direction
IN_PIECES = 2  # times the margin of another direction with more pieces: of 40 sheets of formulas one was turned
FEWER = 0.5  # share of the characters that another direction must have, where the shapes of lines speak against it
FRACTION_PIECES = 4  # lines that a fraction falls into at most: its parts and its bar, one of them in two
DECIDED = 0.6  # share of the page's writing, by length, in such lines from which the shapes decide


def find_upright_lines(
    picture: Callable[[], Image.Image], settings: PreprocessSettings, recognizer: Recognizer, steps_side: int | None = 0
) -> tuple[Preprocessed, list[FoundLine]]:
    """Cleans a page and finds its lines. If `settings.turn` is "auto", the page is turned so that the lines can be read.

    Args:
        picture: Gives the photo. It is called again when the page must be turned, so the photo need not stay in memory.
        settings: Of the preprocessing.
        recognizer: Reads some of the lines in several directions, if their shapes do not tell the direction.
        steps_side: As of `preprocess`.

    Returns:
        The cleaned page and its lines in reading order.
    """
    degrees = 0 if settings.turn == "auto" else int(settings.turn)

    def at(degrees: int) -> tuple[Preprocessed, list[FoundLine]]:
        give_back_freed()
        cleaned = preprocess(picture(), replace(settings, turn=cast(Turn, str(degrees % 360))), steps_side)
        give_back_freed()
        found = find_lines(cleaned.image)
        give_back_freed()
        return cleaned, found

    cleaned, found = at(degrees)
    if settings.turn != "auto" or not (found or ink_box(cleaned.image)):
        return cleaned, found
    if recognizer.reads_formulas:
        by_formulas = turn_of_formulas(cleaned.image, recognizer)
        return at(by_formulas) if by_formulas else (cleaned, found)
    sideways = is_sideways([line.outline for line in found])
    if sideways is not False and len(found) <= FRACTION_PIECES:
        by_fraction = turn_of_fraction(cleaned.image, recognizer)
        if by_fraction is not None:
            return at(by_fraction) if by_fraction else (cleaned, found)
    if sideways:
        degrees = 90
        cleaned, found = at(degrees)
    # Text that is read with confidence tells enough. Turned text would be read as a formula, which takes time.
    text = recognizer.of_text
    way = way_up(found, text, as_given=not sideways)
    if way.confidence < (SURE_UPRIGHT if sideways is None else SURE_SHAPES):
        # Writing on its side is cut badly, so it is looked for anew.
        across = 0 if sideways else 90
        other, found_there = at(across)
        other_way = way_up(found_there, text, as_given=bool(sideways))
        if text is not recognizer and max(way.confidence, other_way.confidence) < SURE_UPRIGHT:
            way = way_up(found, recognizer, as_given=not sideways)
            other_way = way_up(found_there, recognizer, as_given=bool(sideways))
        least = SURE_SHAPES if sideways is None else SURE_UPRIGHT
        # A page on its side may be found as one piece that is no text: then the lines of the other way tell enough.
        margin = min(way.margin, other_way.margin)
        if sideways is None and len(found_there) > len(found):
            margin *= IN_PIECES  # turned, a sheet of formulas falls into single signs, many of them sure
        # A formula read as text is unsure. Turned, it falls into a few pieces that look like sure letters.
        fewer = sideways is not None and other_way.characters < FEWER * way.characters
        if other_way.confidence > max(way.confidence + margin, least) and not fewer:
            degrees, cleaned, found, way = across, other, found_there, other_way
    elif way.upside_down and way.confidence < SURE_UPRIGHT and text is not recognizer:
        way = way_up(found, recognizer, as_given=not sideways)
    turn = (degrees + 180 * way.upside_down) % 360
    formulas = recognizer.of_formulas
    if turn and formulas is not None and not (way.by_text and way.confidence >= SURE_UPRIGHT):
        as_given = at(0)
        if formulas_speak_against(turn, as_given[0].image, formulas):
            return as_given
    return at(turn) if way.upside_down else (cleaned, found)


@dataclass(frozen=True)
class WayUp:
    """Which way up lines are read with more confidence.

    Attributes:
        upside_down: Whether they are turned by 180 degrees for it.
        confidence: The mean of the characters, read that way up.
        margin: By how much another direction must read better.
        characters: How many were read, in the lines that were.
        by_text: Whether they were read as text alone.
    """

    upside_down: bool = False
    confidence: float = 0.0
    margin: float = SHORT_BETTER
    characters: int = 0
    by_text: bool = True


def way_up(found: Sequence[FoundLine], recognizer: Recognizer, as_given: bool) -> WayUp:
    """Reads some of the lines of a page, and unless that tells enough, upside down too.

    Args:
        found: The lines.
        recognizer: Reads them.
        as_given: Whether the page lies as it was given, which is upright more often than not. Then confidence tells
            enough, and the other way must be clearly better.
    """
    if not found:
        return WayUp()
    short = is_sideways([line.outline for line in found]) is None
    images = [line.image for line in found]
    sample = _spread(images) if short else sorted(images, key=lambda image: -image.shape[1])[:SAMPLE]
    readings = recognizer.read(sample, beams=1)
    as_is, characters = mean_confidence(readings), _characters(readings)
    by_text = recognizer.of_text is recognizer
    margin = SHORT_BETTER + SINGLE_BETTER / max(1, characters)
    if as_given and as_is >= (SURE_SHORT if short else SURE_UPRIGHT):
        return WayUp(False, as_is, margin, characters, by_text)
    other = recognizer.read([np.rot90(image, 2) for image in sample], beams=1)
    turned = mean_confidence(other)
    upside_down = turned > as_is + ((margin if short else BETTER) if as_given else 0)
    if upside_down:
        return WayUp(True, turned, margin, _characters(other), by_text)
    return WayUp(False, as_is, margin, characters, by_text)


def _characters(readings: Sequence[Reading]) -> int:
    return sum(len(reading.text) for reading in readings)


def _spread(images: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Some of the pictures, from all over the page."""
    places = np.unique(np.linspace(0, len(images) - 1, SHORT_SAMPLE).round().astype(int))
    return [images[place] for place in places]


def is_sideways(outlines: Sequence[np.ndarray]) -> bool | None:
    """Whether most writing on the page, by its length, runs up or down.

    Args:
        outlines: Corners (4, 2) of the lines, as `FoundLine.outline`.

    Returns:
        None where the lines are too short for their shapes to tell it: single characters and short words.
    """
    level = upright = short = 0.0
    for outline in outlines:
        across = float(np.linalg.norm(outline[1] - outline[0]))
        down = float(np.linalg.norm(outline[3] - outline[0]))
        if max(across, down) < LONG_ASPECT * min(across, down):
            short += max(across, down)
        elif across >= down:
            level += across
        else:
            upright += down
    if max(level, upright) < DECIDED * (level + upright + short):
        return None
    return upright > level
