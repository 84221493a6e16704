"""Variation: what pens, hands, paper, scanners and phones do to a line."""

import random

import cv2
import numpy as np

from hwr_core.ink.strokes import Strokes, render_line


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
    if rng.random() < 0.12:
        small = cv2.resize(grey, None, fx=(f := rng.uniform(0.4, 0.8)), fy=f, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(small, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        grey = np.clip(grey + seed.normal(0, rng.uniform(2, 12), grey.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        grey = cv2.imdecode(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(15, 70)])[1], 0)
    return grey


def frame(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    """Uneven margins round the line, as boxes drawn by a detector or a person have; a little may be cut off."""
    height, width = grey.shape
    paper = int(np.median(grey))
    top, bottom = (round(height * rng.uniform(-0.05, 0.2)) for _ in range(2))
    left, right = (round(height * rng.uniform(-0.03, 0.5)) for _ in range(2))
    grey = grey[max(0, -top) : height - max(0, -bottom), max(0, -left) : width - max(0, -right)]
    sides = [max(0, side) for side in (top, bottom, left, right)]
    return cv2.copyMakeBorder(grey, *sides, cv2.BORDER_CONSTANT, value=paper)


def intrude(grey: np.ndarray, other: np.ndarray, rng: random.Random) -> np.ndarray:
    """Pieces of the neighbouring line at the top or the bottom, as on densely written pages."""
    height, width = grey.shape
    share = round(height * rng.uniform(0.06, 0.16))
    other = cv2.resize(other, (width, height))
    grey = cv2.copyMakeBorder(grey, share // 2, share // 2, 0, 0, cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        grey[:share] = np.minimum(grey[:share], other[-share:])
    else:
        grey[-share:] = np.minimum(grey[-share:], other[:share])
    return grey


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


def _shade(grey: np.ndarray, rng: random.Random) -> np.ndarray:
    ramp = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), grey.shape[1], dtype=np.float32)
    return (grey * ramp).astype(np.uint8)
