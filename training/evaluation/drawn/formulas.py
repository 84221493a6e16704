"""Formulas made by script of what people try first: school arithmetic, algebra, the first constructs of calculus.

    formula = formulas()[0]
    formula.kind, formula.style, formula.tokens, formula.strokes

Letters and digits are those of the hands of `training.evaluation.drawn`, the other signs are drawn for this set: none is in the training
data. What is where is laid out by the engine that training has too (`training.synthesis.formula_layout`), each time by chance.
"""

import random
from dataclasses import dataclass
from functools import cache

import numpy as np

from hwr_core.decoding.latex import canonical
from hwr_core.ink import handprint
from hwr_core.ink.strokes import Strokes
from training.evaluation.drawn import STYLES, alphabet, as_mouse
from training.synthesis.formula_layout import FormulaWriter

# As in `hwr_core.ink.handprint`: capitals 9 high, a point given twice is a corner.
SIGNS = {
    r"\times": ".2,-5 3.8,-1|3.8,-5 .2,-1",
    r"\div": "0,-3 4.4,-3|2.1,-5.2 2.3,-5|2.1,-.9 2.3,-.7",
    r"\pm": "2.2,-6.8 2.2,-2.8|0,-4.8 4.4,-4.8|0,-1.4 4.4,-1.4",
    r"\sqrt": "0,-4.6 .8,-5.2 .8,-5.2 2,0 2,0 3.4,-9 3.4,-9 9,-9",
    r"\int": "4.2,-9.6 3.4,-10.6 2.6,-9.6 2.2,-5 1.8,0 1,1.4 0,.6",
    r"\sum": "5,-8 5,-9 5,-9 .4,-9 .4,-9 3,-4.6 3,-4.6 .2,0 .2,0 5.2,0 5.2,0 5.2,-1",
    r"\pi": ".2,-4.4 .9,-5 .9,-5 4.8,-5|1.6,-5 1.2,0|3.6,-5 3.5,-1 4.4,0",
    r"\theta": "2,-9 .7,-7.4 .3,-4.5 .9,-1.2 2,0 3.2,-1.4 3.7,-4.5 3.2,-7.6 2,-9|.4,-4.5 3.6,-4.5",
    r"\alpha": "4.6,-5 3,-1 1.6,0 .4,-1.6 .6,-4 2,-5 3.2,-3.6 4.8,0",
    r"\beta": ".2,3.4 .8,-5 1.6,-8.6 3.2,-8.8 3.8,-7 2.6,-5 1.4,-4.8 1.4,-4.8 3.6,-4.2 4,-2 2.8,-.1 .8,-.8",
    r"\infty": "3.5,-2.4 1.8,-4 .3,-2.4 1.8,-.8 3.5,-2.4 5.2,-4 6.7,-2.4 5.2,-.8 3.5,-2.4",
    r"\rightarrow": "0,-2.5 6,-2.5|4.6,-3.8 6,-2.5 6,-2.5 4.6,-1.2",
    r"\leq": "4,-7 .4,-4.8 .4,-4.8 4,-2.6|.2,-1 4.2,-1",
    r"\geq": ".4,-7 4,-4.8 4,-4.8 .4,-2.6|.2,-1 4.2,-1",
    r"\neq": "0,-5.2 4.2,-5.2|0,-3 4.2,-3|3.4,-7.2 .8,-.8",
    "<": "4,-6.6 .4,-4.2 .4,-4.2 4,-1.8",
    ">": ".4,-6.6 4,-4.2 4,-4.2 .4,-1.8",
    "|": ".3,-9.6 .3,1",
}
# For hands that have none of their own.
BRACKETS = {
    "[": "1.8,-9.6 .2,-9.6 .2,-9.6 .2,1 .2,1 1.8,1",
    "]": ".2,-9.6 1.8,-9.6 1.8,-9.6 1.8,1 1.8,1 .2,1",
    "{": "2.4,-9.6 1.4,-9 1.3,-6 1.2,-5 .2,-4.3 1.2,-3.6 1.3,-2.6 1.4,.4 2.4,1",
    "}": ".2,-9.6 1.2,-9 1.3,-6 1.4,-5 2.4,-4.3 1.4,-3.6 1.3,-2.6 1.2,.4 .2,1",
}
NAMES = {rf"\{name}": name for name in ("sin", "cos", "tan", "log", "lim")}
FORMULAS = {
    "arithmetic": [r"12 + 7 = 19", r"48 - 19 = 29", r"5 \times 8 = 40", r"12 \div 4 = 3", r"7 \times 6", r"96 \div 8", r"3.5 + 1.25", r"100 - 37 = 63", r"2 + 2 = 4"],
    "algebra": ["3x + 7 = 22", "x^2 - 5x + 6 = 0", "y = 2x - 3", "(a + b)^2", "a^2 + b^2 = c^2", "2(x + 3) = 14", "(x - 1)(x + 2)", r"x \leq 5", r"y \geq 2x", "| x - 3 | < 2",
                r"x \neq 0", "f(x) = x^3"],
    "fractions": [r"\frac{1}{2}", r"\frac{3}{4} + \frac{1}{8}", r"\frac{x + 1}{x - 1}", r"y = \frac{2}{x}", r"\frac{a}{b} = \frac{c}{d}", r"1 - \frac{1}{n}", r"\frac{x^2}{4}"],
    "roots": [r"\sqrt{2}", r"\sqrt{x + 1}", r"x = \pm \sqrt{5}", r"\frac{-b \pm \sqrt{b^2 - 4ac}}{2a}", r"\sqrt{a^2 + b^2}", r"\frac{1}{\sqrt{2}}"],
    "scripts": ["x_1 + x_2", "a_n = 2^n", "x^{10}", "e^{-x}", "a_{n + 1}", "2^{n - 1}", "x_1^2"],
    "functions": [r"\sin x", r"\cos^2 x + \sin^2 x = 1", r"\tan \theta", r"\log_2 8 = 3", r"\sin 2 \pi"],
    "calculus": [r"\sum_{i = 1}^{n} i", r"\sum_{k = 0}^{\infty} x^k", r"\int_0^1 x dx", r"\int x^2 dx", r"\lim_{x \rightarrow 0} \frac{\sin x}{x}", r"\lim_{n \rightarrow \infty} a_n",
                 r"\frac{dy}{dx}"],
    "Greek": [r"2 \pi r", r"A = \pi r^2", r"\alpha + \beta", r"\theta = 45", r"\alpha = \frac{\pi}{2}"],
    "matrices": [r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", r"\begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix}"],
}  # fmt: skip
HANDS_PER_FORMULA = 2


@dataclass(frozen=True)
class DrawnFormula:
    """`tokens` are canonical; `strokes` in canvas pixels, y downwards."""

    kind: str
    style: str
    tokens: list[str]
    strokes: Strokes


def formulas() -> list[DrawnFormula]:
    """All of them, always the same: each formula in two of the five hands."""
    found: list[DrawnFormula] = []
    for kind, texts in FORMULAS.items():
        for index, text in enumerate(texts):
            for turn in range(HANDS_PER_FORMULA):
                found.append(drawn(kind, STYLES[(index + 2 * turn) % len(STYLES)], text, len(found)))
    return found


def drawn(kind: str, style: str, text: str, seed: int) -> DrawnFormula:
    """LaTeX in one hand, as a mouse draws it on the canvas."""
    rng, tokens = random.Random(seed), canonical(text)
    ink = FormulaWriter(symbols(style)).write(tokens, rng)
    height = rng.uniform(35, 70)
    return DrawnFormula(kind, style, tokens, [as_mouse(stroke * height, rng) for _, stroke in ink])


@cache
def symbols(style: str) -> dict[str, list[Strokes]]:
    """Of each token one drawing, a capital 1 high, its centre at the origin."""
    glyphs, widths = alphabet(style)
    drawn = {character: strokes for character, strokes in glyphs.items() if strokes}
    for token, name in NAMES.items():
        x, drawn[token] = 0.0, []
        for character in name:
            drawn[token] += [stroke + (x, 0) for stroke in glyphs[character]]
            x += widths[character]
    brackets = {bracket: shape for bracket, shape in BRACKETS.items() if bracket not in drawn}
    for token, shape in (brackets | SIGNS).items():
        drawn[token] = [handprint.smooth_points(stroke) / handprint.CAPITAL_HEIGHT for stroke in shape.split("|")]
    drawn[r"\{"], drawn[r"\}"] = drawn["{"], drawn["}"]
    return {token: [_centred(strokes)] for token, strokes in drawn.items()}


def _centred(strokes: Strokes) -> Strokes:
    points = np.concatenate(strokes)
    return [stroke - (points.min(0) + points.max(0)) / 2 for stroke in strokes]
