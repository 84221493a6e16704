"""Which way up a page lies: its lines tell whether it lies on its side, the recognizer whether it stands on its head."""

from collections.abc import Sequence

import numpy as np

from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer

SAMPLE = 3  # lines that are read both ways up, the longest
SURE = 0.9  # characters' mean confidence from which the other way up is not tried
MARGIN = 0.05  # by which the other way up must read better; of 20 pages, photos in a foreign language among them, the nearest has 0.07


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
