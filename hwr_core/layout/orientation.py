"""Which way up a page lies: the shapes of its lines tell it, or the recognizer, which reads some of them in several directions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from PIL import Image

from hwr_core.imaging.preprocess import Preprocessed, preprocess
from hwr_core.imaging.settings import PreprocessSettings, Turn
from hwr_core.layout.line_detection import FoundLine, find_lines
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.memory import give_back_freed

SAMPLE = 3  # lines of a page of long lines that are read both ways up: the longest
SHORT_SAMPLE = 10  # pieces of a page of short words that are read in all four directions
SURE_UPRIGHT = 0.9  # characters' mean confidence from which no other direction is tried
BETTER = 0.05  # by which the other way up must read better; of 20 pages the nearest has 0.07
SHORT_BETTER = 0.12  # the same on pages of short words, where less writing tells less
SINGLE_BETTER = 0.3  # the same for a single character, beyond that; shared out among several
LONG_ASPECT = 2.2  # length by height from which the shape of a line tells its direction
UNREADABLE = 0.3  # confidence of each character of an unreadable line
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
    if settings.turn != "auto" or not found:
        return cleaned, found
    sideways = is_sideways([line.outline for line in found])
    if sideways is None:
        turn = best_turn([line.image for line in found], recognizer)
        return at(turn) if turn else (cleaned, found)
    if sideways:
        degrees = 90
        cleaned, found = at(degrees)
    if found and is_upside_down([line.image for line in found], recognizer):
        cleaned, found = at(degrees + 180)
    return cleaned, found


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


def best_turn(images: Sequence[np.ndarray], recognizer: Recognizer) -> int:
    """The turn, in degrees counter-clockwise, after which the pieces of writing read with the most confidence.

    Args:
        images: Pieces of a page that lies as it was given, (height, width) uint8 each.
        recognizer: Reads some of them in all four directions, if it is not sure of them as they lie.
    """
    places = np.unique(np.linspace(0, len(images) - 1, SHORT_SAMPLE).round().astype(int))
    sample = [images[place] for place in places]
    readings = recognizer.read(sample, beams=1)
    as_is = _confidence(readings)
    if as_is >= SURE_UPRIGHT:
        return 0
    scores = {
        quarters: _confidence(recognizer.read([np.rot90(image, quarters) for image in sample], beams=1))
        for quarters in (1, 2, 3)
    }
    best = max(scores, key=scores.__getitem__)
    characters = sum(len(reading.text) for reading in readings)
    return 90 * best if scores[best] > as_is + SHORT_BETTER + SINGLE_BETTER / max(1, characters) else 0


def is_upside_down(images: Sequence[np.ndarray], recognizer: Recognizer) -> bool:
    """Whether the longest lines are read with clearly more confidence after a turn by 180 degrees.

    Args:
        images: The lines, (height, width) uint8 each.
        recognizer: Reads them.
    """
    sample = sorted(images, key=lambda image: -image.shape[1])[:SAMPLE]
    as_is = _confidence(recognizer.read(sample, beams=1))
    return (
        as_is < SURE_UPRIGHT
        and _confidence(recognizer.read([np.rot90(image, 2) for image in sample], beams=1)) > as_is + BETTER
    )


def _confidence(readings: Sequence[Reading]) -> float:
    """The mean confidence of the characters; those of an unreadable line's best guess count with `UNREADABLE`."""
    confidences = [value for reading in readings for value in reading.character_confidences]
    for reading in readings:
        if reading.unreadable:
            confidences += [UNREADABLE] * len(reading.alternatives[0].text)
    return float(np.mean(confidences)) if confidences else 0.0
