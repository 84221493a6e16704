"""Words that someone struck out and that can still be read: their text is followed by `charset.STRUCK`."""

import random

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import percentiles
from hwr_core.imaging.ink_mask import ink_mask, stroke_width
from hwr_core.ink.strokes import Strokes
from training.synthesis.signs import curve

SHARE = 0.1  # of the lines put together of words: one of their words is struck out
LEAST_LETTERS = 2  # of such a word: a stroke through one letter is another letter


def through(width: float, height: float, rng: random.Random) -> Strokes:
    """One to three strokes through a word of a size, about level, straight, wavy or there and back."""
    strokes = []
    for _ in range(rng.choices([1, 2, 3], [6, 2, 1])[0]):
        start, end = -rng.uniform(-0.04, 0.12) * height, width + rng.uniform(-0.04, 0.12) * height
        middle, slope = height * rng.uniform(0.35, 0.68), rng.uniform(-0.12, 0.12) * min(width, 3 * height)
        count = rng.choice([3, 5, 8])
        wave = rng.choice([0.01, 0.03, 0.12]) * height
        xs = np.linspace(start, end, count)
        points = [
            (float(x), middle + slope * (k / (count - 1) - 0.5) + rng.uniform(-wave, wave)) for k, x in enumerate(xs)
        ]
        strokes.append(curve(*points))
    return strokes


def struck_strokes(strokes: Strokes, rng: random.Random) -> Strokes:
    """A word's strokes, and those through it."""
    points = np.concatenate(strokes)
    low, extent = points.min(0), np.ptp(points, 0)
    return [*strokes, *(stroke + low for stroke in through(float(extent[0]), float(extent[1]), rng))]


def struck_picture(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """A word's picture, dark on light, (height, width) uint8, with strokes of its own pen and ink through it."""
    mask = ink_mask(grey)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return grey
    drawn, ink = grey.copy(), int(percentiles(grey, (1,))[0])
    pen = max(1, round(stroke_width(grey) * rng.uniform(0.7, 1.2)))
    for stroke in through(float(np.ptp(columns)), float(np.ptp(rows)), rng):
        points = ((stroke + (columns[0], rows[0])) * 16).round().astype(np.int32)
        cv2.polylines(drawn, [points], False, ink, pen, cv2.LINE_AA, 4)
    return drawn
