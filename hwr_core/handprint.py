"""A single-stroke alphabet drawn for this project: writes the app's example, and real pen paths for tests and benchmarks."""

import random

import numpy as np

from hwr_core.ink import Strokes

# Control points "x,y" of smooth strokes, "|" between strokes, a point given twice is a corner. The baseline is y = 0,
# y grows downwards, small letters are 5 high, ascenders, capitals and digits 9, descenders reach 4 below.
GLYPHS = {
    "a": "4,-5 2,-5.2 .3,-3.8 .3,-1.2 2,0 3.6,-1.2 4,-4.8 4,-4.8 4,-1 4.6,0",
    "b": ".3,-9 .3,0 .3,0 .3,-3.5 2,-5 3.8,-4 4,-2 3,-.2 1.5,0 .3,-1",
    "c": "3.8,-4.2 2.5,-5 .8,-4.2 .2,-2.5 .8,-.7 2.4,0 3.9,-.8",
    "d": "4,-4 2.4,-5 .6,-4 .2,-2.2 1,-.3 2.6,0 4,-1.4 4,-9 4,-9 4,-1 4.5,0",
    "e": ".4,-2.6 3.8,-2.9 3.8,-2.9 3.4,-4.6 2,-5 .6,-4 .2,-2.2 1,-.3 2.5,0 3.9,-.9",
    "f": "3.6,-8.3 2.6,-9 1.6,-8.2 1.4,-6 1.4,0|0,-5 3,-5",
    "g": "4,-4.3 2.4,-5 .6,-4 .2,-2.3 1,-.5 2.5,-.2 3.8,-1.5 4,-4.8 4,-4.8 4,2 3,3.8 1.3,3.9 .2,3",
    "h": ".3,-9 .3,0 .3,0 .4,-3 1.8,-4.9 3.2,-4.8 3.8,-3.2 3.8,0",
    "i": ".5,-5 .5,0|.5,-7.2 .6,-7",
    "j": "1.5,-5 1.5,2.2 .7,3.8 -.6,3.4|1.5,-7.2 1.6,-7",
    "k": ".3,-9 .3,0|3.4,-5 .4,-2.2 .4,-2.2 3.6,0",
    "l": ".4,-9 .4,-1.2 .8,0 1.6,-.3",
    "m": ".3,-5 .3,0 .3,0 .5,-3.2 1.6,-4.9 2.6,-4.6 2.9,-3 2.9,0 2.9,0 3.1,-3.2 4.2,-4.9 5.2,-4.6 5.5,-3 5.5,0",
    "n": ".3,-5 .3,0 .3,0 .5,-3 1.8,-4.9 3.2,-4.7 3.7,-3 3.7,0",
    "o": "2.2,-5 .7,-4.2 .2,-2.4 .9,-.4 2.2,0 3.7,-.9 4,-2.7 3.4,-4.4 2.2,-5",
    "p": ".3,-5 .3,4|.3,-3.8 1.8,-5 3.5,-4.3 4,-2.4 3.2,-.4 1.6,0 .4,-1",
    "q": "4,-4.3 2.4,-5 .6,-4 .2,-2.3 1,-.4 2.5,-.2 3.8,-1.5 4,-4.8 4,-4.8 4,4 5,3.2",
    "r": ".3,-5 .3,0 .3,0 .5,-3 1.6,-4.7 3,-4.8",
    "s": "3.4,-4.3 2,-5 .6,-4.3 .8,-3 2.6,-2.2 3.5,-1.2 2.6,-.1 1.2,0 .1,-.8",
    "t": "1.5,-8 1.5,-1.2 2.2,0 3.3,-.5|0,-5.3 3.2,-5.3",
    "u": ".3,-5 .3,-1.6 1.2,-.1 2.6,-.2 3.7,-1.8 3.7,-5 3.7,-5 3.7,0",
    "v": ".2,-5 2,0 2,0 3.8,-5",
    "w": ".2,-5 1.5,0 1.5,0 2.9,-4.2 2.9,-4.2 4.3,0 4.3,0 5.6,-5",
    "x": ".2,-5 3.6,0|3.6,-5 .2,0",
    "y": ".3,-5 2.1,-.4|3.9,-5 1.6,1.8 .3,3.8",
    "z": ".2,-5 3.6,-5 3.6,-5 .2,0 .2,0 3.7,0",
    "0": "2.4,-9 .8,-7.5 .3,-4.5 .9,-1.4 2.4,0 4,-1.5 4.5,-4.5 3.9,-7.6 2.4,-9",
    "1": ".3,-7 1.8,-9 1.8,-9 1.8,0",
    "2": ".4,-7 1.2,-8.7 3,-8.8 4,-7 3.2,-4.6 .3,0 .3,0 4.4,0",
    "3": ".4,-8 2,-9 3.8,-8 3.6,-5.8 1.8,-4.8 1.8,-4.8 3.8,-4 4.2,-2 2.8,-.1 1.2,0 .1,-1.2",
    "4": "3.2,-9 .2,-2.8 .2,-2.8 4.6,-2.8|3.3,-5.5 3.3,0",
    "5": "4,-9 .9,-9 .9,-9 .6,-5.2 .6,-5.2 2.4,-5.8 4.1,-4.6 4.2,-2 2.8,-.1 1.2,0 .1,-1",
    "6": "3.8,-8.8 2,-7.6 .6,-5 .3,-2.2 1.4,-.1 3,-.1 4.1,-2 3.4,-4.2 1.8,-4.5 .5,-3",
    "7": ".2,-9 4.4,-9 4.4,-9 1.6,0",
    "8": "3.8,-7.8 2.2,-9 .7,-7.6 1.2,-5.6 3.2,-4.2 4.1,-2.2 3,-.1 1.4,-.1 .4,-2 1.4,-4.2 3.4,-5.8 3.8,-7.6",
    "9": "4,-6.6 2.8,-8.9 1,-8.6 .4,-6.6 1.4,-4.6 3.2,-5 4,-7 4,-7 3.6,-2.6 2.6,0",
    ".": ".2,-.2 .4,0",
    ",": ".5,-.4 .1,1.2",
    ":": ".2,-4.2 .4,-4|.2,-.6 .4,-.4",
    "-": "0,-3 2.8,-3",
    "'": ".4,-9 .2,-7.2",
}
SPACE, GAP, CAPITAL = 4.0, 1.3, 9.0


def write(text: str, height: float = 60.0, slant: float = 0.0, unsteadiness: float = 0.0, seed: int = 0) -> Strokes:
    """`text` as pen strokes from (0, 0) on, digits `height` units high; raises KeyError for a character it has no shape of.

    `slant` is dx/dy, `unsteadiness` moves the letters and their points by shares of the height, the same for a `seed`.
    """
    rng = random.Random(seed)
    strokes, x = [], 0.0
    for character in text:
        if character == " ":
            x += SPACE
            continue
        shapes = [_points(stroke) for stroke in GLYPHS[character].split("|")]
        lift = rng.gauss(0, unsteadiness) * CAPITAL
        for shape in shapes:
            shape = shape + [[rng.gauss(0, unsteadiness) * CAPITAL for _ in range(2)] for _ in shape]
            curve = _smooth(shape) + (x, lift)
            strokes.append(np.stack([curve[:, 0] - slant * curve[:, 1], curve[:, 1] + CAPITAL], 1) * (height / CAPITAL))
        x += max(shape[:, 0].max() for shape in shapes) + GAP
    return strokes


def _points(stroke: str) -> np.ndarray:
    return np.array([[float(value) for value in point.split(",")] for point in stroke.split()])


def _smooth(points: np.ndarray, steps: int = 8) -> np.ndarray:
    """A Catmull-Rom spline through the points (Catmull and Rom 1974), `steps` points between two."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        curve.append(
            0.5 * (2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
                   + (3 * start - before - 3 * end + after) * t**3)
        )  # fmt: skip
    return np.concatenate([*curve, points[-1:]])
