"""Variation: what pens, hands, paper, scanners and phones do to a line."""

import random
from collections.abc import Sequence

import cv2
import numpy as np

from hwr_core.ink.strokes import Strokes, draw, render_line
from training.data.pictures import decoded

LOWEST = 15  # pixels of a whole line at 75 dots an inch


def draw_varied(strokes: Strokes, rng: random.Random) -> np.ndarray:
    """Strokes drawn with a random slant, width, tremor and pen, 64 pixels high, black on white."""
    shear, stretch, turn = rng.gauss(0, 0.15), rng.uniform(0.78, 1.28), rng.gauss(0, 0.012)
    extent = np.ptp(np.concatenate(strokes)[:, 1]) + 1e-3
    matrix = np.array([[stretch, turn], [-shear, 1.0]], np.float32)
    tremor = rng.choice([0.0, 0.0, 0.004, 0.012]) * extent
    seed = np.random.default_rng(rng.getrandbits(32))
    step = rng.choice([1, 1, 2, 3])
    moved = []
    for stroke in strokes:
        if step > 1 and len(stroke) > 3 * step:  # a mouse gives fewer points than a tablet
            stroke = np.concatenate([stroke[:-1:step], stroke[-1:]])
        stroke = stroke @ matrix
        if tremor:
            stroke = stroke + seed.normal(0, tremor, stroke.shape)
        moved.append(stroke)
    if rng.random() < 0.3:  # a wandering baseline
        phase, length, depth = rng.uniform(0, 6.3), rng.uniform(4, 16) * extent, rng.uniform(0, 0.12) * extent
        moved = [
            stroke + np.stack([0 * stroke[:, 0], depth * np.sin(stroke[:, 0] / length * 6.3 + phase)], 1)
            for stroke in moved
        ]
    width = rng.uniform(1.6, 6.0) if rng.random() < 0.7 else rng.gauss(3.3, 0.3)
    return np.asarray(render_line(moved, 64, max(1.2, width)))


def degrade(grey: np.ndarray, rng: random.Random, synthetic: bool) -> np.ndarray:
    """A random walk through warps, morphology, paper, blur, noise and JPEG; grey uint8, dark on light, in and out.

    `synthetic` pictures, which have no paper of their own, sometimes get one.
    """
    seed = np.random.default_rng(rng.getrandbits(32))
    grey = _warp(grey, rng, slant=0.06 if synthetic else 0.15)
    if rng.random() < 0.25:
        grey = _elastic(grey, rng, seed)
    return soil(grey, rng, synthetic)


def soil(grey: np.ndarray, rng: random.Random, synthetic: bool) -> np.ndarray:
    """The part of `degrade` that moves nothing."""
    seed = np.random.default_rng(rng.getrandbits(32))
    if rng.random() < 0.2:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2, 2) if rng.random() < 0.6 else (3, 3))
        grey = (cv2.erode if rng.random() < 0.6 else cv2.dilate)(grey, kernel)
    if synthetic and rng.random() < 0.45:
        grey = _on_paper(grey, rng, seed)
    if rng.random() < 0.15:
        grey = _shade(grey, rng)
    if rng.random() < 0.2:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.06:
        grey = _phone_blur(grey, rng)
    if rng.random() < 0.15:
        least = min(0.8, LOWEST / grey.shape[0])
        small = cv2.resize(grey, None, fx=(f := rng.uniform(least, 0.8)), fy=f, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(small, grey.shape[::-1], interpolation=rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    if rng.random() < 0.05:
        grey = _little_contrast(grey, rng)
    if rng.random() < 0.2:
        grey = np.clip(grey + seed.normal(0, rng.uniform(2, 12), grey.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        grey = decoded(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(15, 70)])[1].tobytes())
    return grey


def add_things(grey: np.ndarray, others: Sequence[np.ndarray], rng: random.Random) -> np.ndarray:
    """What else is on the sheet near a line: the back's ink, neighbouring lines of `others`, frames and rules, an underline."""
    if rng.random() < 0.05:
        grey = bleed_through(grey, rng.choice(others), rng)
    if rng.random() < 0.12:
        grey = neighbours(grey, rng.choice(others), rng.choice(others), rng)
    if rng.random() < 0.07:
        grey = rules(grey, rng)
    return grey


def bleed_through(grey: np.ndarray, other: np.ndarray, rng: random.Random) -> np.ndarray:
    """The ink of the sheet's other side: mirrored, faint and blurred."""
    height, width = grey.shape
    other = np.ascontiguousarray(other[:, ::-1])
    scale = height * rng.uniform(0.7, 1.3) / other.shape[0]
    other = cv2.resize(other, (max(8, round(other.shape[1] * scale)), max(8, round(other.shape[0] * scale))))
    sheet = np.full((height, width), 255, np.uint8)
    y, x = rng.randint(-height // 2, height // 2), rng.randint(-other.shape[1] // 2, width // 2)
    piece = other[max(0, -y) : height - y, max(0, -x) : width - x]
    sheet[max(0, y) : max(0, y) + piece.shape[0], max(0, x) : max(0, x) + piece.shape[1]] = piece
    cover = (
        cv2.GaussianBlur((255 - sheet).astype(np.float32), (0, 0), rng.uniform(0.6, 2)) / 255 * rng.uniform(0.08, 0.35)
    )
    return np.clip(grey * (1 - cover), 0, 255).astype(np.uint8)


def neighbours(grey: np.ndarray, above: np.ndarray, below: np.ndarray, rng: random.Random) -> np.ndarray:
    """The lower edge of the line above, the upper edge of the one below, or both, at the writing or a little away from it."""
    height, width = grey.shape
    paper = int(np.median(grey))
    sides = rng.choice(["above", "below", "both"])
    for side, other in (("above", above), ("below", below)):
        if sides not in (side, "both"):
            continue
        share, apart = round(height * rng.uniform(0.05, 0.28)), round(height * rng.uniform(-0.1, 0.08))
        tone = 255 - (255 - _beside(other, height, width, rng).astype(np.float32)) * paper / 255
        strip = (tone[-share:] if side == "above" else tone[:share]).astype(np.uint8)
        room = max(0, share + apart)
        grey = cv2.copyMakeBorder(
            grey, room * (side == "above"), room * (side == "below"), 0, 0, cv2.BORDER_CONSTANT, value=paper
        )
        rows = slice(0, share) if side == "above" else slice(grey.shape[0] - share, None)
        grey[rows] = np.minimum(grey[rows], strip)
    return grey


def _beside(other: np.ndarray, height: int, width: int, rng: random.Random) -> np.ndarray:
    """Another line at the same height, moved along, as wide as the line."""
    other = cv2.resize(other, (max(8, round(other.shape[1] * height / other.shape[0])), height))
    if other.shape[1] < width:
        left = rng.randint(0, width - other.shape[1])
        return cv2.copyMakeBorder(other, 0, 0, left, width - other.shape[1] - left, cv2.BORDER_CONSTANT, value=255)
    start = rng.randint(0, other.shape[1] - width)
    return other[:, start : start + width]


def rules(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """A frame, one side of it, the rules of a table's cell, or a printed rule under the text."""
    height, width = grey.shape
    paper = int(np.median(grey))
    pad = [round(height * rng.uniform(0.02, 0.4)) for _ in range(4)]
    grey = np.pad(grey, (pad[:2], pad[2:]), constant_values=paper)
    tone, weight = max(0, paper - rng.randint(40, 230)), rng.choice([1, 1, 2, 2, 3])
    in_ = [rng.randint(0, max(1, side * 2 // 3)) for side in pad]
    top, bottom, left, right = in_[0], grey.shape[0] - 1 - in_[1], in_[2], grey.shape[1] - 1 - in_[3]
    tilt = round(rng.gauss(0, 0.01) * min(width, 300))
    lines = {
        "top": ((0, top), (grey.shape[1], top + tilt)), "bottom": ((0, bottom), (grey.shape[1], bottom + tilt)),
        "left": ((left, 0), (left - tilt, grey.shape[0])), "right": ((right, 0), (right - tilt, grey.shape[0])),
    }  # fmt: skip
    chosen = rng.choice(
        [("bottom",), ("bottom",), ("left",), ("right",), ("left", "right"), ("top", "bottom"), tuple(lines)]
    )
    layer = np.full(grey.shape, 255, np.uint8)
    for name in chosen:
        cv2.line(layer, *lines[name], tone, weight, cv2.LINE_AA)
    return np.minimum(grey, layer)


def frame(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """Uneven margins round the line, as boxes drawn by a detector or a person have; a little may be cut off."""
    height, width = grey.shape
    paper = int(np.median(grey))
    top, bottom = (round(height * rng.uniform(-0.05, 0.2)) for _ in range(2))
    left, right = (round(height * rng.uniform(-0.03, 0.5)) for _ in range(2))
    grey = grey[max(0, -top) : height - max(0, -bottom), max(0, -left) : width - max(0, -right)]
    above, below, before, after = (max(0, side) for side in (top, bottom, left, right))
    return cv2.copyMakeBorder(grey, above, below, before, after, cv2.BORDER_CONSTANT, value=paper)


def beside(grey: np.ndarray, strokes: Strokes, rng: random.Random, before: bool = True) -> np.ndarray:
    """Strokes in units of a capital's height, drawn in the line's ink before or after it: a list's mark, a crossed-out stretch."""
    height = grey.shape[0]
    paper, ink = float(np.median(grey)), float(np.percentile(grey, 1))
    points = np.concatenate(strokes)
    low, extent = points.min(0), np.ptp(points, 0)
    unit = height * min(rng.uniform(0.35, 0.6), 0.8 / max(float(extent[1]), 0.1))
    pen = rng.uniform(0.03, 0.08) * height
    top = (height - extent[1] * unit) * rng.uniform(0.35, 0.65)
    width, gap = round(extent[0] * unit + 2 * pen + 4), round(height * rng.uniform(0.12, 0.6))
    drawn = draw([(stroke - low) * unit + (pen + 2, top) for stroke in strokes], (height, width), pen)
    drawn = np.clip(paper - (255 - drawn.astype(np.float32)) / 255 * (paper - ink), 0, 255).astype(np.uint8)
    space = np.full((height, gap), round(paper), np.uint8)
    return np.concatenate([drawn, space, grey] if before else [grey, space, drawn], 1)


def cut_tightly(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """To the ink, without any border; now and then a little of the ink is lost."""
    dark = grey < int(np.median(grey)) - 40
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    if len(rows) < 6 or len(columns) < 6:
        return grey
    off = rng.choice([0, 0, 0, 1, 2]) if len(rows) > 30 else 0
    return grey[rows[0] + off : rows[-1] + 1 - off, columns[0] : columns[-1] + 1]


def _warp(grey: np.ndarray, rng: random.Random, slant: float) -> np.ndarray:
    height, width = grey.shape
    shear, stretch, turn = rng.gauss(0, slant), rng.uniform(0.85, 1.18), rng.gauss(0, 0.008)
    turn = float(np.clip(turn, -0.15 * height / width, 0.15 * height / width))
    pad = round(abs(shear) * height / 2 + 2)
    matrix = np.array([[stretch, shear, pad - shear * height / 2], [turn, 1, -turn * width / 2]], np.float32)
    size = (round(width * stretch) + 2 * pad, height)
    return cv2.warpAffine(
        grey, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=int(np.median(grey))
    )


def _elastic(grey: np.ndarray, rng: random.Random, seed: np.random.Generator) -> np.ndarray:
    height, width = grey.shape
    nodes = (3, max(3, width // 24))
    strength = height * rng.uniform(0.01, 0.05)
    shift = [
        cv2.resize(seed.normal(0, strength, nodes).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    ]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(grey, x + shift[0], y + shift[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _on_paper(grey: np.ndarray, rng: random.Random, seed: np.random.Generator) -> np.ndarray:
    height, width = grey.shape
    paper = np.full(grey.shape, rng.uniform(170, 252), np.float32)
    paper += cv2.resize(
        seed.normal(0, rng.uniform(0, 10), (max(2, height // 8), max(2, width // 8))).astype(np.float32),
        (width, height),
    )
    paper += seed.normal(0, rng.uniform(0, 5), grey.shape)
    if rng.random() < 0.4:
        tone, weight = rng.uniform(20, 110), rng.choice([1, 1, 2])
        spacing = rng.uniform(0.25, 1.1) * height
        for y in np.arange(rng.uniform(0, spacing), height, spacing):
            paper[int(y) : int(y) + weight] -= tone
        if rng.random() < 0.4:
            for x in np.arange(rng.uniform(0, spacing), width, spacing):
                paper[:, int(x) : int(x) + weight] -= tone
    ink = rng.uniform(0, 110)
    cover = (255 - grey.astype(np.float32)) / 255
    if rng.random() < 0.3:  # pencil and dry pens skip
        grain = cv2.GaussianBlur(seed.random(grey.shape).astype(np.float32), (0, 0), rng.uniform(0.5, 1.2))
        cover *= np.clip(0.5 + 4 * (grain - rng.uniform(0.4, 0.5)), 0.35, 1)
    return np.clip(paper * (1 - cover) + np.minimum(ink, paper) * cover, 0, 255).astype(np.uint8)


def _phone_blur(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """Out of focus, or shaken: the strokes smear along one direction."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(grey, (0, 0), rng.uniform(1.2, 2.4))
    length = rng.choice([3, 5, 7])
    kernel = np.zeros((length, length), np.float32)
    middle, angle = length // 2, rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    cv2.line(
        kernel,
        tuple(np.round(middle - reach).astype(int).tolist()),
        tuple(np.round(middle + reach).astype(int).tolist()),
        1.0,
    )
    return cv2.filter2D(grey, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def _little_contrast(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """Coloured ink on coloured paper, of which one channel is left: both nearly of one tone."""
    paper, distance = rng.uniform(70, 230), rng.uniform(28, 70)
    return np.clip(paper - (255 - grey.astype(np.float32)) / 255 * distance, 0, 255).astype(np.uint8)


def _shade(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    ramp = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), grey.shape[1], dtype=np.float32)
    return (grey * ramp).astype(np.uint8)
