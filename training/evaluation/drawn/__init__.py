"""Drawings made by script of what people write first: words, capitals, dates, prices, addresses, phone numbers.

    drawing = drawings()[0]
    drawing.kind, drawing.style, drawing.text, drawing.strokes

Five hands, none of which, nor any font that they were made from, is in the training data: this project's own print
alphabet (`hwr_core.ink.handprint`) and four of single-stroke letters (`alphabets.json`, see README.md). Every drawing has
its own size, slant and unsteadiness, and whole pixels some distance apart, as a browser reports a mouse.
"""

import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from hwr_core.ink import handprint
from hwr_core.ink.strokes import Strokes
from training.evaluation.drawn.signs import half, print_signs

FOLDER = Path(__file__).parent
STYLES = ("print", "sans", "italic", "playful", "script")
HANDS_PER_TEXT = 3  # of the five, in turn
APART = (0.5, 1.0)  # between capitals written apart, in a capital's height


@dataclass(frozen=True)
class Drawing:
    """`strokes` in canvas pixels, y downwards; `kind` is one of the keys of texts.json."""

    kind: str
    style: str
    text: str
    strokes: Strokes


def drawings() -> list[Drawing]:
    """The first part, always the same: each text of texts.json in three of the five hands."""
    return _in_hands("texts.json")


def more_drawings() -> list[Drawing]:
    """The second part: signs, capitals written apart, single characters and seven languages, of more_texts.json."""
    return _in_hands("more_texts.json")


def _in_hands(name: str) -> list[Drawing]:
    found: list[Drawing] = []
    for kind, texts in json.loads((FOLDER / name).read_text(encoding="utf-8")).items():
        for index, text in enumerate(texts):
            for turn in range(HANDS_PER_TEXT):
                style = STYLES[(index + 2 * turn) % len(STYLES)]
                apart = APART if kind == "capitals apart" else (0.0, 0.0)
                found.append(Drawing(kind, style, text, write(text, style, len(found), apart)))
    return found


def write(text: str, style: str, seed: int, apart: tuple[float, float] = (0.0, 0.0)) -> Strokes:
    """Draws `text` as a mouse would draw it on the canvas.

    Args:
        text: a single line.
        style: of `STYLES`.
        seed: of the size, the slant and the unsteadiness.
        apart: range of the width that is added between letters, in a capital's height; a space gets twice as much.

    Returns:
        Strokes in canvas pixels.

    Raises:
        KeyError: a character has no shape in this style.
    """
    rng = random.Random(seed)
    slant, height = rng.gauss(0.0 if style in ("italic", "script") else 0.08, 0.08), rng.uniform(45, 90)
    glyphs, widths = alphabet(style)
    shapes, x = [], 0.0
    for character in text:
        size, lift, turn = rng.gauss(1, 0.04), rng.gauss(0, 0.015), rng.gauss(0, 0.02)
        for stroke in glyphs[character]:
            shapes.append(stroke @ np.array([[size, turn * size], [-turn * size, size]]) + (x, lift))
        x += widths[character] + rng.gauss(0, 0.015)
        if apart[1]:
            x += rng.uniform(*apart) * (2 if character == " " else 1)
    return [as_mouse((shape @ np.array([[1, 0], [-slant, 1]])) * height, rng) for shape in shapes]


@cache
def alphabet(style: str) -> tuple[dict[str, Strokes], dict[str, float]]:
    """Each character's strokes, a capital being 1 high on the baseline y = 0, and how far to go on after it."""
    glyphs, widths = _print_alphabet() if style == "print" else _font_alphabet(style)
    signs = {**print_signs(), "½": half(glyphs)}
    for sign in signs.keys() - glyphs.keys():
        glyphs[sign], widths[sign] = signs[sign], _width(signs[sign])
    return glyphs, widths


def _print_alphabet() -> tuple[dict[str, Strokes], dict[str, float]]:
    glyphs = {
        character: [np.asarray(s) - (0, 1) for s in handprint.write(character, height=1)]
        for character in handprint.GLYPHS
    }
    widths = {character: _width(strokes) for character, strokes in glyphs.items()}
    return {**glyphs, " ": []}, {**widths, " ": 0.45}


def _font_alphabet(style: str) -> tuple[dict[str, Strokes], dict[str, float]]:
    records = json.loads((FOLDER / "alphabets.json").read_text(encoding="utf-8"))[style]
    glyphs = {c: [np.array(s, float).reshape(-1, 2) / 100 for s in strokes] for c, (_, *strokes) in records.items()}
    return glyphs, {character: width / 100 for character, (width, *_) in records.items()}


def _width(strokes: Strokes) -> float:
    return max(stroke[:, 0].max() for stroke in strokes) + 0.14


def as_mouse(stroke: np.ndarray, rng: random.Random) -> np.ndarray:
    """The stroke with a slow tremor, as whole pixels some 3 to 8 apart."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    if lengths[-1] < 2:
        return np.round(stroke[:1])
    steps = np.linspace(0, lengths[-1], max(2, round(lengths[-1] / rng.uniform(3, 8))))
    points = np.stack([np.interp(steps, lengths, stroke[:, axis]) for axis in (0, 1)], 1)
    for axis in (0, 1):
        points[:, axis] += rng.uniform(0, 1.2) * np.sin(steps / rng.uniform(12, 40) + rng.uniform(0, 6.3))
    return np.round(points)
