"""A single-stroke alphabet, drawn for this project. It writes the app's example, and pen paths for tests and benchmarks."""

import random

import numpy as np

from hwr_core.ink.strokes import Strokes

# Control points "x,y" of smooth strokes, with "|" between strokes. A point that is given twice is a corner. The baseline
# is y = 0, and y grows downwards. Small letters are 5 high, ascenders, capitals and digits 9; descenders reach 4 below.
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
    "A": "0,0 2.8,-9 2.8,-9 5.4,0|1,-3.2 4.6,-3.2",
    "B": ".4,-9 .4,0|.4,-9 2.8,-9 4.2,-7.8 3.8,-5.6 2.4,-4.8 .4,-4.8|2.4,-4.8 4.4,-4 4.7,-2 3.6,-.2 2,0 .4,0",
    "C": "5,-7.4 3.8,-8.8 2.2,-8.8 .7,-7 .2,-4.4 .8,-1.6 2.4,-.1 4,-.3 5.1,-1.8",
    "D": ".4,-9 .4,0|.1,-9 2.4,-8.9 4.4,-7.2 5,-4.4 4.3,-1.6 2.4,-.1 .2,0",
    "E": "4.4,-9 .4,-9 .4,-9 .4,0 .4,0 4.6,0|.4,-4.7 3.6,-4.7",
    "F": "4.4,-9 .4,-9 .4,-9 .4,0|.4,-4.7 3.5,-4.7",
    "G": "5,-7.4 3.8,-8.8 2.2,-8.8 .7,-7 .2,-4.4 .8,-1.6 2.5,0 4.3,-.7 5,-2.4 5,-4 5,-4 3,-4",
    "H": ".4,-9 .4,0|4.8,-9 4.8,0|.4,-4.6 4.8,-4.6",
    "I": "1.6,-9 1.6,0|.2,-9 3,-9|.2,0 3,0",
    "J": "1.4,-9 4.6,-9|3.4,-9 3.4,-2 2.6,-.2 1.2,-.1 .2,-1.6",
    "K": ".4,-9 .4,0|4.6,-9 .5,-3.8|1.6,-5 4.8,0",
    "L": ".4,-9 .4,0 .4,0 4.4,0",
    "M": ".3,0 .6,-9 .6,-9 3.2,-3 3.2,-3 5.8,-9 5.8,-9 6.2,0",
    "N": ".4,0 .4,-9 .4,-9 4.8,0 4.8,0 4.8,-9",
    "O": "2.8,-9 .9,-7.4 .2,-4.5 1,-1.3 2.9,0 4.8,-1.4 5.4,-4.5 4.7,-7.5 2.8,-9",
    "P": ".4,-9 .4,0|.3,-8.9 2.8,-9 4.4,-7.8 4.4,-5.8 2.9,-4.5 .4,-4.4",
    "Q": "2.8,-9 .9,-7.4 .2,-4.5 1,-1.3 2.9,0 4.8,-1.4 5.4,-4.5 4.7,-7.5 2.8,-9|3.4,-2.4 5.8,.8",
    "R": ".4,-9 .4,0|.3,-8.9 2.8,-9 4.3,-7.8 4.2,-5.9 2.8,-4.7 .5,-4.6|2.4,-4.7 4.8,0",
    "S": "4.2,-7.8 2.9,-9 1.2,-8.6 .5,-7 1.5,-5.2 3.4,-4.2 4.5,-2.6 3.9,-.7 2.2,0 .8,-.4 .1,-1.6",
    "T": "0,-9 5,-9|2.5,-9 2.5,0",
    "U": ".4,-9 .4,-2.8 1.2,-.5 2.6,0 4.1,-.6 4.7,-2.8 4.7,-9",
    "V": ".2,-9 2.7,0 2.7,0 5.1,-9",
    "W": ".2,-9 1.8,0 1.8,0 3.6,-7 3.6,-7 5.4,0 5.4,0 7,-9",
    "X": ".2,-9 4.8,0|4.7,-9 .1,0",
    "Y": ".2,-9 2.5,-4.6|4.9,-9 2.5,-4.6 2.5,-4.6 2.4,0",
    "Z": ".3,-9 4.7,-9 4.7,-9 .2,0 .2,0 4.9,0",
    "!": ".5,-9 .4,-2.6|.4,-.3 .5,0",
    "?": ".3,-7.2 1,-8.8 2.6,-9 3.6,-7.6 3,-5.8 1.8,-4.4 1.7,-2.6|1.7,-.3 1.8,0",
    "/": "3.4,-9.6 0,.8",
    "@": "4.6,-4.8 3.4,-5.6 2.2,-4.6 2,-2.8 3,-1.8 4.2,-2.6 4.6,-4.8 4.6,-4.8 4.8,-2.4 6,-2.2 6.8,-4.2 6.2,-6.8 4.2,-7.9 1.8,-7.2 .4,-4.8 .6,-1.8 2.4,.2 5.2,.2",
    "$": "4.2,-7.2 2.9,-8.2 1.2,-7.8 .5,-6.4 1.5,-5 3.4,-4.1 4.4,-2.6 3.8,-1 2.2,-.6 .3,-1.6|2.5,-9.6 2.3,.8",
    "€": "5,-7.8 3.6,-8.9 2,-8 1,-5.6 1,-3.2 2,-.8 3.6,0 5,-1|0,-5.4 4,-5.4|0,-3.6 3.6,-3.6",
    "£": "4.4,-7.6 3.2,-9 1.8,-8.2 1.6,-6 1.6,-2.4 .3,0 .3,0 2.4,-.5 4.6,0|.3,-4.8 3.6,-4.8",
    "%": "5.6,-9 .4,0|1.4,-9 .4,-7.8 .6,-6.2 1.6,-5.8 2.4,-7 2.2,-8.6 1.4,-9|4.6,-3.2 3.6,-2 3.8,-.4 4.8,0 5.6,-1.2 5.4,-2.8 4.6,-3.2",
    "(": "2,-9.6 .6,-7 .3,-4 .7,-1 2.1,1.4",
    ")": ".2,-9.6 1.6,-7 1.9,-4 1.5,-1 .1,1.4",
    "+": "2.2,-6.4 2.2,-1.6|0,-4 4.4,-4",
    "=": "0,-5.2 4.2,-5.2|0,-3 4.2,-3",
    "#": "1.8,-8.6 1,-.4|4.2,-8.6 3.4,-.4|.2,-6 5.2,-6|0,-3 5,-3",
    "&": "5.2,-3.6 4,-.8 2.2,0 .6,-.8 .4,-2.6 1.8,-4.6 3.2,-6 3.4,-7.8 2.4,-8.9 1.3,-8 1.5,-6.2 3,-3 5.4,0",
    "_": "0,1 4.6,1",
    ";": ".3,-4.2 .5,-4|.5,-.4 .1,1.2",
    '"': ".4,-9 .3,-7.2|1.7,-9 1.6,-7.2",
    "*": "1.6,-8.8 1.6,-5.2|.1,-7.9 3.1,-6.1|3.1,-7.9 .1,-6.1",
}
SPACE_WIDTH = 4.0  # glyph units
LETTER_GAP = 1.3  # glyph units between two letters
CAPITAL_HEIGHT = 9.0  # glyph units, of digits too


def write(text: str, height: float = 60.0, slant: float = 0.0, unsteadiness: float = 0.0, seed: int = 0) -> Strokes:
    """Writes a text as pen strokes, from (0, 0) to the right.

    Args:
        text: the text, in the characters of `GLYPHS` and spaces.
        height: height of capitals and digits.
        slant: dx/dy of the letters.
        unsteadiness: standard deviation by which letters and their points are moved, in shares of the height.
        seed: of the random moves. The same seed gives the same strokes.

    Returns:
        The strokes, each (n, 2) float, in units of `height`.

    Raises:
        KeyError: a character is not in `GLYPHS`.
    """
    rng = random.Random(seed)
    strokes, x = [], 0.0
    for character in text:
        if character == " ":
            x += SPACE_WIDTH
            continue
        shapes = [_points(stroke) for stroke in GLYPHS[character].split("|")]
        lift = rng.gauss(0, unsteadiness) * CAPITAL_HEIGHT
        for shape in shapes:
            shape = shape + [[rng.gauss(0, unsteadiness) * CAPITAL_HEIGHT for _ in range(2)] for _ in shape]
            curve = _smooth(shape) + (x, lift)
            strokes.append(
                np.stack([curve[:, 0] - slant * curve[:, 1], curve[:, 1] + CAPITAL_HEIGHT], 1)
                * (height / CAPITAL_HEIGHT)
            )
        x += max(shape[:, 0].max() for shape in shapes) + LETTER_GAP
    return strokes


def write_formula(height: float = 60.0) -> Strokes:
    r"""Writes the solutions of a quadratic equation, `x=\frac{-b\pm\sqrt{b^{2}-4ac}}{2a}`, as pen strokes.

    Args:
        height: height of the digits.
    """
    strokes: Strokes = []

    def put(text: str, x: float, y: float, size: float = 1.0) -> float:
        """Writes text from `x` with its baseline at `y`, in heights, and returns the x at which it ends."""
        placed = [
            stroke + (x * height, (y - size) * height)
            for stroke in write(text, height * size, slant=0.08, unsteadiness=0.006, seed=len(strokes))
        ]
        strokes.extend(placed)
        return max(float(stroke[:, 0].max()) for stroke in placed) / height

    def line(*points: tuple[float, float]) -> None:
        corners = np.array(points)
        steps = np.linspace(0, len(corners) - 1, 12 * len(corners))
        strokes.append(
            np.stack([np.interp(steps, range(len(corners)), corners[:, axis]) for axis in (0, 1)], 1) * height
        )

    after = put("x", 0.0, 2.25)
    after = bar = put("=", after + 0.3, 2.2) + 0.3
    after = put("-", after + 0.1, 1.15)
    after = put("b", after + 0.15, 1.3)
    plus = after + 0.35
    after = put("+", plus, 1.25) + 0.45
    line((plus, 1.22), (after - 0.45, 1.2))
    root = after
    after = put("b", root + 0.55, 1.3)
    after = put("2", after + 0.1, 0.7, 0.5)
    after = put("-", after + 0.2, 1.2)
    after = put("4ac", after + 0.2, 1.3) + 0.2
    line((root, 0.8), (root + 0.12, 0.72), (root + 0.3, 1.35), (root + 0.45, 0.05), (after, 0.0))
    line((bar, 1.75), (after + 0.1, 1.72))
    put("2a", (bar + after) / 2 - 0.5, 3.1)
    return strokes


def smooth_points(stroke: str) -> np.ndarray:
    """The curve (n, 2) of a stroke that is written as in `GLYPHS`."""
    return _smooth(_points(stroke))


def _points(stroke: str) -> np.ndarray:
    return np.array([[float(value) for value in point.split(",")] for point in stroke.split()])


def _smooth(points: np.ndarray, steps: int = 8) -> np.ndarray:
    """A Catmull-Rom spline through the points (Catmull and Rom 1974), with `steps` points from one to the next."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = []
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        curve.append(
            0.5 * (2 * start + (end - before) * t + (2 * before - 5 * start + 4 * end - after) * t**2
                   + (3 * start - before - 3 * end + after) * t**3)
        )  # fmt: skip
    return np.concatenate([*curve, points[-1:]])
