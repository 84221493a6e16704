"""The line on which the letters of a line's picture stand, from its ink."""

import numpy as np
from PIL import Image

from hwr_core.imaging.ink_mask import ink_mask
from hwr_core.imaging.lighting import is_light_on_dark
from hwr_core.reading import Span

SLOPES = np.linspace(-0.08, 0.08, 17)  # of the baseline: rows per column
LONG = 3  # times the ink's height: the baseline of a shorter line is level
HIGHEST = 0.35  # of the ink's height from its top: the baseline is lower
BAND = 0.12  # of the ink's height: size of the bands above and below the baseline
MOST_PIXELS = 20_000  # pixels of ink: more are thinned out


def ink_base(image: Image.Image) -> tuple[Span, Span] | None:
    """Finds the baseline of a line's picture: far more ink is just above it than just below it.

    Args:
        image: The picture of a line, of any mode.

    Returns:
        The heights of the baseline at the first and the last ink. Then the top and the bottom of the ink. All are shares
        of the picture's height. None for a picture without ink.
    """
    grey = np.asarray(image.convert("L"))
    if grey.size < 2:
        return None
    rows, columns = np.nonzero(ink_mask(255 - grey if is_light_on_dark(grey) else grey))
    if not len(rows):
        return None
    top, bottom = float(rows.min()), float(rows.max() + 1)
    left, right = int(columns.min()), int(columns.max())
    step = -(-len(rows) // MOST_PIXELS)
    slopes = SLOPES if right - left > LONG * (bottom - top) else np.zeros(1)
    middle = (left + right) / 2
    found = [(*_steepest(rows[::step] - slope * (columns[::step] - middle), top, bottom), slope) for slope in slopes]
    # Of equal drops, the flattest baseline.
    _, level, slope = max(found, key=lambda one: (one[0], -abs(one[2])))
    ends = [float(np.clip(level + slope * (x - middle), top, bottom)) / len(grey) for x in (left, right)]
    return (ends[0], ends[1]), (top / len(grey), bottom / len(grey))


def _steepest(rows: np.ndarray, top: float, bottom: float) -> tuple[int, float]:
    """The greatest drop of ink between neighbouring bands of rows, and the row between them."""
    band = max(1, round(BAND * (bottom - top)))
    first = int(np.floor(rows.min())) - band
    counts = np.bincount((rows - first).astype(int), minlength=int(bottom) - first + 1)
    total = np.concatenate([[0], np.cumsum(counts), np.full(band, len(rows))])
    places = np.arange(band, len(total) - band)
    places = places[places + first >= min(top + HIGHEST * (bottom - top), bottom - 1)]
    drops = 2 * total[places] - total[places - band] - total[places + band]
    best = int(np.argmax(drops))
    return int(drops[best]), float(places[best] + first)
