"""Pictures without text, to be read as nothing: ruled paper, shadows, wood, edges, scribbles."""

import math
import random

import cv2
import numpy as np

from hwr_core.ink.strokes import render_line


def blank(rng: random.Random) -> np.ndarray:
    """Grey uint8, about 64 pixels high and one to twelve times as wide."""
    width = round(64 * math.exp(rng.uniform(0, 2.5)))
    makers = (ruled, squared, shadow, wood, edge, scribble, scribble, specks, texture, frame_corner)
    return rng.choice(makers)(width, rng)


def paper(width: int, rng: random.Random) -> np.ndarray:
    """(64, width) float32 of some tone, with a coarse and a fine unevenness."""
    seed = np.random.default_rng(rng.getrandbits(32))
    coarse = cv2.resize(seed.normal(0, rng.uniform(0, 8), (4, max(2, width // 20))).astype(np.float32), (width, 64))
    return rng.uniform(120, 252) + coarse + seed.normal(0, rng.uniform(0, 6), (64, width)).astype(np.float32)


def finished(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture, 0, 255).astype(np.uint8)


def ruled(width: int, rng: random.Random) -> np.ndarray:
    picture, tone, weight = paper(width, rng), rng.uniform(20, 140), rng.choice([1, 1, 2, 3])
    spacing = rng.uniform(12, 70)
    tilt = rng.gauss(0, 0.01)
    for y in np.arange(rng.uniform(0, min(spacing, 60)), 64, spacing):
        cv2.line(
            picture, (0, round(y)), (width, round(y + tilt * width)), float(picture.mean() - tone), weight, cv2.LINE_AA
        )
    return finished(picture)


def squared(width: int, rng: random.Random) -> np.ndarray:
    picture, tone, weight = paper(width, rng), rng.uniform(20, 110), rng.choice([1, 1, 2])
    spacing = rng.uniform(9, 40)
    for x in np.arange(rng.uniform(0, spacing), width, spacing):
        picture[:, int(x) : int(x) + weight] -= tone
    for y in np.arange(rng.uniform(0, spacing), 64, spacing):
        picture[int(y) : int(y) + weight] -= tone
    return finished(picture)


def shadow(width: int, rng: random.Random) -> np.ndarray:
    """A soft border between light and dark, as a hand or a phone throws it."""
    shade = np.full((64, width), 1.0, np.float32)
    corners = np.array([[rng.uniform(-0.2, 1.2) * width, rng.uniform(-0.5, 1.5) * 64] for _ in range(4)], np.int32)
    cv2.fillConvexPoly(shade, cv2.convexHull(corners), rng.uniform(0.3, 0.8))
    return finished(paper(width, rng) * cv2.GaussianBlur(shade, (0, 0), rng.uniform(2, 14)))


def wood(width: int, rng: random.Random) -> np.ndarray:
    seed = np.random.default_rng(rng.getrandbits(32))
    rows = seed.normal(0, 1, (64 if rng.random() < 0.7 else 8, max(2, width // rng.choice([24, 60])))).astype(
        np.float32
    )
    grain = cv2.resize(rows, (width, 64), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0:64, 0:width].astype(np.float32)
    bend = rng.uniform(0, 5)
    grain = cv2.remap(
        grain, x, y + bend * np.sin(x / rng.uniform(40, 200)), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return finished(rng.uniform(70, 190) + grain * rng.uniform(8, 35))


def edge(width: int, rng: random.Random) -> np.ndarray:
    """The end of the sheet, the table beside it."""
    picture, other = paper(width, rng), rng.uniform(5, 120)
    if rng.random() < 0.5:
        at = rng.uniform(0.1, 0.9) * 64
        points: list[tuple[float, float]] = [(0, at), (width, at + rng.gauss(0, 8)), (width, 64), (0, 64)]
    else:
        at = rng.uniform(0.05, 0.95) * width
        points = [(at, 0), (at + rng.gauss(0, 10), 64), (width, 64), (width, 0)]
    mask = np.zeros((64, width), np.float32)
    cv2.fillPoly(mask, [np.array(points, np.int32)], 1.0)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 3)))
    return finished(picture * (1 - soft) + other * soft)


def scribble(width: int, rng: random.Random) -> np.ndarray:
    """Strokes that are no letters: knots, long zigzags, a crossed-out stretch, curls over one another."""
    strokes = []
    for _ in range(rng.randint(1, 4)):
        turns = rng.randint(7, 30)
        t = np.linspace(0, 1, turns * 6)
        knots = np.linspace(0, 1, turns)
        x = (
            np.interp(t, knots, [rng.uniform(0, 1) for _ in knots])
            if rng.random() < 0.5
            else t + 0.04 * np.sin(t * turns * 5)
        )
        y = np.interp(t, knots, [rng.uniform(0, 1) for _ in knots])
        kernel = np.ones(5) / 5
        smooth = [np.convolve(np.pad(v, 2, "edge"), kernel, "valid") for v in (x, y)]
        reach = rng.uniform(0.3, 1) * width
        strokes.append(
            np.stack([smooth[0] * reach + rng.uniform(0, width - reach), smooth[1] * rng.uniform(30, 60)], 1).astype(
                np.float32
            )
        )
    return np.asarray(render_line(strokes, 64, rng.uniform(1.5, 5)))


def specks(width: int, rng: random.Random) -> np.ndarray:
    picture = paper(width, rng)
    for _ in range(rng.randint(3, 25)):
        place = (rng.randrange(width), rng.randrange(64))
        cv2.circle(
            picture, place, rng.choice([0, 1, 1, 2]), float(picture.mean() - rng.uniform(30, 120)), -1, cv2.LINE_AA
        )
    return finished(picture)


def texture(width: int, rng: random.Random) -> np.ndarray:
    """Cloth, carpet, skin: noise of one size."""
    seed = np.random.default_rng(rng.getrandbits(32))
    noise = cv2.GaussianBlur(seed.normal(0, 1, (64, width)).astype(np.float32), (0, 0), rng.uniform(0.6, 4))
    return finished(rng.uniform(60, 220) + noise / max(float(noise.std()), 1e-3) * rng.uniform(8, 40))


def frame_corner(width: int, rng: random.Random) -> np.ndarray:
    """Rules of a table or a form's empty box."""
    picture, tone = paper(width, rng), rng.uniform(40, 180)
    colour, weight = float(max(0, picture.mean() - tone)), rng.choice([1, 2, 2, 3, 4])
    left, right = sorted(rng.uniform(-0.2, 1.2) * width for _ in range(2))
    cv2.rectangle(
        picture, (round(left), rng.randint(-20, 25)), (round(right), rng.randint(38, 84)), colour, weight, cv2.LINE_AA
    )
    if rng.random() < 0.4:
        for x in np.arange(left, right, rng.uniform(20, 90)):
            cv2.line(picture, (round(x), 0), (round(x), 64), colour, weight, cv2.LINE_AA)
    return finished(picture)
