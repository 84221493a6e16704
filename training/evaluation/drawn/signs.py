"""Signs and accented letters of the print hand, and signs that the fonts of the other hands lack."""

import unicodedata

import numpy as np

from hwr_core.ink import handprint
from hwr_core.ink.strokes import Strokes

# As in `hwr_core.ink.handprint`: capitals 9 high, a point given twice is a corner.
SIGNS = {
    "<": "4,-6.6 .4,-4.2 .4,-4.2 4,-1.8",
    ">": ".4,-6.6 4,-4.2 4,-4.2 .4,-1.8",
    "{": "2.3,-9.6 1.3,-9 1.2,-6 .2,-4.3 .2,-4.3 1.2,-2.8 1.3,.4 2.3,1",
    "}": "0,-9.6 1,-9 1.1,-6 2.1,-4.3 2.1,-4.3 1.1,-2.8 1,.4 0,1",
    "~": "0,-3.8 1,-4.8 2.8,-3.8 3.9,-4.8",
    "°": "1.1,-9 .2,-8.2 .4,-7 1.3,-6.7 2,-7.5 1.8,-8.7 1.1,-9",
    "§": "3.4,-7.8 2.6,-9 1.2,-8.8 .8,-7.4 2,-6.2 3.4,-5 3.5,-3.6 2.6,-2.8|1.8,-6.2 .7,-5.4 .6,-4.2 1.8,-3 3.1,-1.8 3.2,-.4 2.2,.5 .9,.2 .5,-.9",
    "→": "0,-4 6,-4|4.6,-5.4 6,-4 6,-4 4.6,-2.6",
    "•": "1,-4.7 .4,-4.2 .5,-3.5 1.1,-3.2 1.6,-3.8 1.4,-4.5 .9,-4.3 .8,-3.8 1.2,-3.7",
    "ß": ".3,0 .3,-7 1.4,-8.9 3,-8.4 3.2,-6.6 1.8,-5.2 1.8,-5.2 3.6,-4 3.8,-1.6 2.8,-.1 1.6,-.3",
    "œ": "2.2,-5 .7,-4.2 .2,-2.4 .9,-.4 2.2,0 3.5,-.9 3.8,-2.7 3.2,-4.4 2.2,-5|3.8,-2.7 6.8,-2.9 6.8,-2.9 6.4,-4.6 5.2,-5 4.1,-4 3.8,-2.7 4.3,-.5 5.5,0 6.9,-.9",
}
# Around x = 0, from y = 0 upwards; the cedilla hangs from y = 0.
MARKS = {
    "\u0301": "-.5,0 .6,-1.6",
    "\u0300": "-.6,-1.6 .5,0",
    "\u0302": "-1.1,0 0,-1.4 0,-1.4 1.1,0",
    "\u0303": "-1.3,-.3 -.6,-1 .4,-.3 1.2,-1",
    "\u0308": "-1,-.6 -.9,-.3|.9,-.6 1,-.3",
    "\u0327": "0,0 .1,.6 .8,1.1 .5,1.9 -.5,1.9",
}
ABOVE_SMALL, ABOVE_CAPITAL = -6.2, -10.2  # where a mark's foot stands


def print_signs() -> dict[str, Strokes]:
    """The print hand's signs and accented letters, a capital being 1 high on the baseline y = 0."""
    found = {sign: _strokes(shape) for sign, shape in SIGNS.items()}
    for code in range(0xC0, 0x180):
        base, *marks = unicodedata.normalize("NFD", chr(code))
        if base in handprint.GLYPHS and len(marks) == 1 and marks[0] in MARKS:
            found[chr(code)] = _marked(base, marks[0])
    for sign, upright in (("¿", "?"), ("¡", "!")):
        strokes = _strokes(handprint.GLYPHS[upright])
        width = max(stroke[:, 0].max() for stroke in strokes)
        found[sign] = [(width, -0.7) - stroke for stroke in strokes[::-1]]
    return found


def half(glyphs: dict[str, Strokes]) -> Strokes:
    """`½` of a hand's own `1` and `2`, small, with a slash between them."""
    one, two = ([stroke * 0.5 for stroke in glyphs[digit]] for digit in "12")
    one = [stroke - (min(s[:, 0].min() for s in one), 0.5) for stroke in one]
    after = max(stroke[:, 0].max() for stroke in one)
    two = [stroke + (after + 0.22 - min(s[:, 0].min() for s in two), 0) for stroke in two]
    return [*one, np.array([[after + 0.35, -1.0], [after - 0.05, 0.0]]), *two]


def _strokes(shape: str) -> Strokes:
    return [handprint.smooth_points(stroke) / handprint.CAPITAL_HEIGHT for stroke in shape.split("|")]


def _marked(base: str, mark: str) -> Strokes:
    strokes = _strokes(handprint.GLYPHS[base])[: 1 if base == "i" else None]  # without its dot
    middle = np.mean([np.concatenate(strokes)[:, 0].min(), np.concatenate(strokes)[:, 0].max()])
    foot = 0 if mark == "\u0327" else (ABOVE_CAPITAL if base.isupper() else ABOVE_SMALL) / handprint.CAPITAL_HEIGHT
    return [*strokes, *(stroke + (middle, foot) for stroke in _strokes(MARKS[mark]))]
