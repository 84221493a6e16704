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

FOLDER = Path(__file__).parent
STYLES = ("print", "sans", "italic", "playful", "script")
HANDS_PER_TEXT = 3  # of the five, in turn


@dataclass(frozen=True)
class Drawing:
    """`strokes` in canvas pixels, y downwards; `kind` is one of the keys of texts.json."""

    kind: str
    style: str
    text: str
    strokes: Strokes


def drawings() -> list[Drawing]:
    """All of them, always the same: each text of texts.json in three of the five hands."""
    found = []
    for kind, texts in json.loads((FOLDER / "texts.json").read_text(encoding="utf-8")).items():
        for index, text in enumerate(texts):
            for turn in range(HANDS_PER_TEXT):
                style = STYLES[(index + 2 * turn) % len(STYLES)]
                found.append(Drawing(kind, style, text, write(text, style, seed=len(found))))
    return found


def write(text: str, style: str, seed: int) -> Strokes:
    """`text` in one of `STYLES`, as a mouse would draw it on the canvas; KeyError for a character without a shape."""
    rng = random.Random(seed)
    slant, height = rng.gauss(0.0 if style in ("italic", "script") else 0.08, 0.08), rng.uniform(45, 90)
    glyphs, widths = alphabet(style)
    shapes, x = [], 0.0
    for character in text:
        size, lift, turn = rng.gauss(1, 0.04), rng.gauss(0, 0.015), rng.gauss(0, 0.02)
        for stroke in glyphs[character]:
            shapes.append(stroke @ np.array([[size, turn * size], [-turn * size, size]]) + (x, lift))
        x += widths[character] + rng.gauss(0, 0.015)
    return [as_mouse((shape @ np.array([[1, 0], [-slant, 1]])) * height, rng) for shape in shapes]


@cache
def alphabet(style: str) -> tuple[dict[str, Strokes], dict[str, float]]:
    """Each character's strokes, a capital being 1 high on the baseline y = 0, and how far to go on after it."""
    if style == "print":
        glyphs = {
            character: [np.asarray(s) - (0, 1) for s in handprint.write(character, height=1)]
            for character in handprint.GLYPHS
        }
        widths = {character: max(s[:, 0].max() for s in strokes) + 0.14 for character, strokes in glyphs.items()}
        return {**glyphs, " ": []}, {**widths, " ": 0.45}
    records = json.loads((FOLDER / "alphabets.json").read_text(encoding="utf-8"))[style]
    glyphs = {c: [np.array(s, float).reshape(-1, 2) / 100 for s in strokes] for c, (_, *strokes) in records.items()}
    return glyphs, {character: width / 100 for character, (width, *_) in records.items()}


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
