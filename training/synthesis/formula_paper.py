"""What is round a formula and under it on paper and on slates: pieces of its neighbours, frames, squares, lines, shadows."""

import itertools
import random

import cv2
import numpy as np

from hwr_core.ink.strokes import Strokes

NEIGHBOUR, FRAME, UNDERLINE = 0.09, 0.02, 0.03  # shares of the formulas that have one
RULED = 0.14  # of the pictures that lie on squared or ruled paper
SHADED = 0.12


def beside(strokes: Strokes, other: Strokes, symbol: float, rng: random.Random) -> Strokes:
    """Strokes of another formula above or below whose edge reaches into the picture; `symbol` is how high both's symbols are."""
    points, others = np.concatenate(strokes), np.concatenate(other)
    low, high = points.min(0), points.max(0)
    left, right = others[:, 0].min(), others[:, 0].max()
    x = low[0] - left + rng.uniform(-0.5, 0.5) * ((high[0] - low[0]) + (right - left)) * 0.6
    reach = rng.uniform(0.05, 0.55) * symbol
    y = (
        low[1] - others[:, 1].max() - rng.uniform(-0.15, 0.1) * symbol
        if rng.random() < 0.5
        else high[1] - others[:, 1].min() + rng.uniform(-0.15, 0.1) * symbol
    )
    found = []
    for stroke in other:
        moved = stroke + (x, y)
        inside = (
            (moved[:, 1] > low[1] - reach)
            & (moved[:, 1] < high[1] + reach)
            & (moved[:, 0] > low[0] - symbol)
            & (moved[:, 0] < high[0] + symbol)
        )
        found += [piece for piece in _runs(moved, inside) if len(piece) > 1]
    return found


def _runs(points: np.ndarray, inside: np.ndarray) -> list[np.ndarray]:
    edges = np.flatnonzero(np.diff(inside.astype(int))) + 1
    return [part for part, keep in zip(np.split(points, edges), np.split(inside, edges), strict=True) if keep[0]]


def framed(strokes: Strokes, symbol: float, rng: random.Random) -> Strokes:
    """A box round everything, or lines under it, as results get."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    (left, top), (right, bottom) = low - symbol * rng.uniform(0.25, 0.9), high + symbol * rng.uniform(0.25, 0.9)
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]) + _shaken(
        5, 0.12 * symbol, rng
    )
    sides = [_line(start, end, symbol, rng) for start, end in itertools.pairwise(corners)]
    return [np.concatenate(sides)] if rng.random() < 0.5 else sides


def underlined(strokes: Strokes, symbol: float, rng: random.Random) -> Strokes:
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    start = low[0] + rng.uniform(-0.3, 0.3) * symbol
    start = start if rng.random() < 0.6 else low[0] + rng.uniform(0.2, 0.8) * (high[0] - low[0])
    lines, y = [], high[1] + rng.uniform(0.25, 0.7) * symbol
    for _ in range(rng.choice((1, 2, 2))):
        ends = np.array([[start, y], [high[0] + rng.uniform(-0.2, 0.4) * symbol, y]]) + _shaken(2, 0.08 * symbol, rng)
        lines.append(_line(ends[0], ends[1], symbol, rng))
        y += rng.uniform(0.12, 0.25) * symbol
    return lines


def _line(start: np.ndarray, end: np.ndarray, symbol: float, rng: random.Random) -> np.ndarray:
    along = np.linspace(0, 1, max(4, round(float(np.hypot(*(end - start))) / (0.7 * symbol))))[:, None]
    return start + (end - start) * along + _shaken(len(along), 0.02 * symbol, rng)


def _shaken(count: int, size: float, rng: random.Random) -> np.ndarray:
    return np.random.default_rng(rng.getrandbits(32)).normal(0, size, (count, 2))


def on_squares(grey: np.ndarray, symbol: float, rng: random.Random) -> np.ndarray:
    """On squared or ruled paper, its lines as far apart as notebooks have them against writing `symbol` pixels high."""
    height, width = grey.shape
    spacing = symbol * rng.choice((rng.uniform(0.55, 0.9), rng.uniform(0.9, 1.5), rng.uniform(1.5, 2.4)))
    squared = rng.random() < 0.7
    turn = rng.gauss(0, 0.012)
    weight = max(1, round(symbol * rng.uniform(0.02, 0.05)))
    lines = np.full(grey.shape, 255, np.uint8)
    tone = rng.randint(120, 225)
    for y in np.arange(rng.uniform(-spacing, 0), height + spacing, spacing):
        cv2.line(lines, (0, round(y)), (width, round(y + turn * width)), tone, weight, cv2.LINE_AA)
    for x in np.arange(rng.uniform(-spacing, 0), width + spacing, spacing) if squared else ():
        cv2.line(lines, (round(x), 0), (round(x - turn * height), height), tone, weight, cv2.LINE_AA)
    paper = rng.uniform(190, 255)
    ink = rng.uniform(0, 110)
    cover = (255 - grey.astype(np.float32)) / 255
    return np.clip(np.minimum(lines, paper) * (1 - cover) + ink * cover, 0, 255).astype(np.uint8)


def shaded(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """A phone's light: brighter on one side, the edge of a shadow across, a soft lens, grain."""
    height, width = grey.shape
    seed = np.random.default_rng(rng.getrandbits(32))
    corners = seed.uniform(0.55, 1.0, (2, 2)).astype(np.float32)
    light = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        edge, slope = rng.uniform(0.2, 0.8) * width, rng.uniform(-0.6, 0.6)
        x = np.arange(width, dtype=np.float32)[None, :] - edge - slope * np.arange(height, dtype=np.float32)[:, None]
        light = light * (1 - rng.uniform(0.15, 0.4) / (1 + np.exp(np.clip(-x / rng.uniform(2, 30), -30, 30))))
    grey = grey * light + seed.normal(0, rng.uniform(0, 6), grey.shape)
    if rng.random() < 0.5:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.5, 1.6))
    return np.clip(grey, 0, 255).astype(np.uint8)
