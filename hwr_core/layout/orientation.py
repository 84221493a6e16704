"""Which way up a page lies: its lines tell whether it lies on its side, the recognizer whether it stands on its head."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from hwr_core.imaging.preprocess import Preprocessed, preprocess
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.line_detection import FoundLine, find_lines
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.scheduling import exclusive_if_memory_is_short

SAMPLE = 3  # lines that are read both ways up, the longest
SURE = 0.9  # characters' mean confidence from which the other way up is not tried
MARGIN = 0.05  # by which the other way up must read better; of 20 pages, photos in a foreign language among them, the nearest has 0.07


def find_upright_lines(
    picture: Callable[[], Image.Image], settings: PreprocessSettings, recognizer: Recognizer, steps_side: int | None = 0
) -> tuple[Preprocessed, list[FoundLine]]:
    """The cleaned page and its lines, turned as `settings.turn` says, or, where that is "auto", so that the lines can be read.

    `picture` gives the photo, and is asked again where it must be turned: it need not stay in memory while lines are found. `steps_side`
    as for `preprocess`.
    """
    degrees = 0 if settings.turn == "auto" else int(settings.turn)

    def at(degrees: int) -> tuple[Preprocessed, list[FoundLine]]:
        give_back_freed()
        cleaned = preprocess(picture(), replace(settings, turn=str(degrees % 360)), steps_side)
        give_back_freed()
        with exclusive_if_memory_is_short(cleaned.image.size):
            found = find_lines(cleaned.image)
        give_back_freed()
        return cleaned, found

    cleaned, found = at(degrees)
    if settings.turn != "auto" or not found:
        return cleaned, found
    if is_sideways([line.outline for line in found]):
        degrees = 90
        cleaned, found = at(degrees)
    if found and is_upside_down([line.image for line in found], recognizer):
        cleaned, found = at(degrees + 180)
    return cleaned, found


def is_sideways(outlines: Sequence[np.ndarray]) -> bool:
    """Whether most writing on the page, by its length, runs up or down. `outlines` as `FoundLine.outline`."""
    level = upright = 0.0
    for outline in outlines:
        across, down = np.linalg.norm(outline[1] - outline[0]), np.linalg.norm(outline[3] - outline[0])
        level, upright = level + across * (across >= down), upright + down * (across < down)
    return upright > level


def is_upside_down(images: Sequence[np.ndarray], recognizer: Recognizer) -> bool:
    """Whether the longest lines, (height, width) uint8 each, read with clearly more confidence when turned by 180 degrees."""
    sample = sorted(images, key=lambda image: -image.shape[1])[:SAMPLE]
    as_is = _confidence(recognizer.read(sample, beams=1))
    return (
        as_is < SURE
        and _confidence(recognizer.read([np.rot90(image, 2) for image in sample], beams=1)) > as_is + MARGIN
    )


def _confidence(readings: Sequence[Reading]) -> float:
    confidences = [value for reading in readings for value in reading.character_confidences]
    return float(np.mean(confidences)) if confidences else 0.0
