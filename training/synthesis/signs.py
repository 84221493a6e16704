"""Signs, accents and marks as pen strokes: what CROHME's writers did not write, and what stands on a line without being text.

Every sign is in units of a capital's height on the baseline y = 0, y downwards, its left edge at about x = 0, and comes a little different
each time.
"""

import math
import random
from collections.abc import Callable

import numpy as np

from hwr_core.ink.strokes import Strokes

Drawer = Callable[[str, random.Random], Strokes]
CIRCLED = "①②③④⑤⑥⑦⑧⑨"
FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}
RAISED = {"²": "2", "³": "3", "ª": "a", "º": "o"}


def path(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, np.float32)


def curve(*points: tuple[float, float], steps: int = 24) -> np.ndarray:
    """A smooth stroke through the points (Catmull and Rom 1974)."""
    p = np.array([points[0], *points, points[-1]], float)
    found = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        t = np.linspace(0, 1, max(3, steps // (len(points) - 1)))[:, None]
        found.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate(found).astype(np.float32)


def oval(x: float, y: float, width: float, height: float, rng: random.Random) -> np.ndarray:
    """Round the middle (x, y), closed a little too early or too late, as a hand does it."""
    start = rng.uniform(-2.2, -1.0)
    angles = start - np.linspace(0, 2 * math.pi * rng.uniform(0.94, 1.1), 22)
    swell = 1 + rng.uniform(-0.06, 0.06) * np.sin(2 * angles + rng.uniform(0, 6))
    return np.stack([x + width / 2 * np.cos(angles) * swell, y + height / 2 * np.sin(angles) * swell], 1).astype(
        np.float32
    )


def dot(x: float, y: float, rng: random.Random) -> np.ndarray:
    return path((x, y), (x + rng.uniform(0.0, 0.03), y + rng.uniform(0.01, 0.04)))


def blob(x: float, y: float, size: float, rng: random.Random) -> np.ndarray:
    """A dot that the pen fills."""
    angles = np.linspace(0, 6 * math.pi, 40)
    radius = np.linspace(0.05, 1, 40) * size / 2
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1).astype(np.float32)


def box(width: float, height: float, rng: random.Random, bottom: float = 0.0) -> Strokes:
    """A square in one stroke or in sides, its corners not quite met."""
    w = [rng.uniform(-0.04, 0.04) for _ in range(10)]
    corners = [
        (w[0], bottom - height + w[1]),
        (width + w[2], bottom - height + w[3]),
        (width + w[4], bottom + w[5]),
        (w[6], bottom + w[7]),
    ]
    if rng.random() < 0.6:
        return [path(*corners, (w[8], bottom - height + w[9]))]
    return [path(a, b) for a, b in zip(corners, corners[1:] + corners[:1], strict=True)]


def tick(width: float, height: float, rng: random.Random) -> Strokes:
    """What is put into a box: a hook, a cross, or a dash across."""
    pick = rng.random()
    if pick < 0.6:
        return [
            path(
                (0.15 * width, -0.5 * height),
                (0.42 * width, -0.12 * height),
                (width * rng.uniform(0.85, 1.35), -height * rng.uniform(0.9, 1.4)),
            )
        ]
    reach = rng.uniform(0.0, 0.25)
    return [
        path((reach * width, -(1 - reach) * height), ((1 - reach) * width, -reach * height)),
        path(((1 - reach) * width, -(1 - reach) * height), (reach * width, -reach * height)),
    ]


def arrow(rng: random.Random) -> Strokes:
    length, y, head = rng.uniform(0.7, 1.8), -rng.uniform(0.3, 0.5), rng.uniform(0.14, 0.3)
    shaft = path((0, y + rng.uniform(-0.06, 0.06)), (length, y))
    if rng.random() < 0.6:
        return [shaft, path((length - head, y - head), (length, y), (length - head, y + head))]
    return [shaft, path((length - head, y - head), (length, y)), path((length - head, y + head), (length, y))]


def percent(rng: random.Random) -> Strokes:
    size, width = rng.uniform(0.26, 0.42), rng.uniform(0.6, 0.85)
    slash = path((width, -1), (rng.uniform(0, 0.15), 0.02))
    if rng.random() < 0.2:  # in one go
        slash = curve((size, -1 + 0.3 * size), (width, -1), (0.1, 0))
    return [
        oval(size / 2, -1 + size / 2, size * 0.85, size, rng),
        slash,
        oval(width - size / 3, -size / 2, size * 0.85, size, rng),
    ]


def euro(rng: random.Random) -> Strokes:
    bow = curve((0.66, -0.82), (0.4, -1), (0.14, -0.7), (0.12, -0.3), (0.4, 0.0), (0.68, -0.16))
    low, high = rng.uniform(-0.44, -0.36), rng.uniform(-0.66, -0.56)
    return [bow, path((-0.04, high), (0.5, high)), path((-0.04, low), (0.46, low))]


def pound(rng: random.Random) -> Strokes:
    bow = curve((0.6, -0.84), (0.4, -1.0), (0.24, -0.78), (0.27, -0.3), (0.04, 0.0), (0.3, -0.06), (0.62, 0.02))
    return [bow, path((0.04, -0.48), (0.5, -0.48))]


def dollar(rng: random.Random) -> Strokes:
    bow = curve((0.54, -0.82), (0.28, -0.98), (0.06, -0.74), (0.3, -0.5), (0.56, -0.26), (0.3, -0.02), (0.02, -0.18))
    bars = [path((0.3, -1.12), (0.28, 0.12))]
    return [
        bow,
        *(bars if rng.random() < 0.75 else [path((0.22, -1.12), (0.2, 0.1)), path((0.38, -1.12), (0.36, 0.1))]),
    ]


def hash_sign(rng: random.Random) -> Strokes:
    lean = rng.uniform(0, 0.2)
    uprights = [path((x + lean, -1), (x, 0)) for x in (0.18, 0.48)]
    return [*uprights, path((0, -0.65), (0.78, -0.68)), path((-0.03, -0.33), (0.74, -0.36))]


def ampersand(rng: random.Random) -> Strokes:
    if rng.random() < 0.6:
        return [
            curve(
                (0.7, 0.0),
                (0.42, -0.34),
                (0.16, -0.74),
                (0.32, -1),
                (0.48, -0.78),
                (0.12, -0.42),
                (0.02, -0.16),
                (0.24, 0.02),
                (0.54, -0.14),
                (0.72, -0.46),
                steps=50,
            )
        ]
    return [
        curve((0.52, -0.84), (0.26, -0.98), (0.1, -0.74), (0.36, -0.52), (0.06, -0.32), (0.1, -0.02), (0.58, -0.1)),
        path((0.34, -1.1), (0.3, 0.1)),
    ]


def at_sign(rng: random.Random) -> Strokes:
    inner = curve(
        (0.64, -0.62),
        (0.44, -0.68),
        (0.34, -0.42),
        (0.46, -0.24),
        (0.62, -0.4),
        (0.66, -0.66),
        (0.64, -0.28),
        (0.82, -0.28),
    )
    outer = curve(
        (0.82, -0.28),
        (0.96, -0.56),
        (0.78, -0.92),
        (0.42, -0.98),
        (0.08, -0.7),
        (0.08, -0.26),
        (0.4, 0.06),
        (0.8, -0.02),
    )
    return [np.concatenate([inner, outer])] if rng.random() < 0.6 else [inner, outer]


def section(rng: random.Random) -> Strokes:
    return [
        curve((0.42, -0.94), (0.22, -1.06), (0.06, -0.88), (0.24, -0.68), (0.46, -0.48), (0.3, -0.32)),
        curve((0.18, -0.7), (0.04, -0.54), (0.22, -0.36), (0.42, -0.14), (0.24, 0.06), (0.04, -0.06)),
    ]


def brace(rng: random.Random) -> Strokes:
    return [curve((0.32, -1.1), (0.16, -1.0), (0.18, -0.62), (0.02, -0.44), (0.18, -0.26), (0.16, 0.12), (0.32, 0.2))]


def wave(rng: random.Random) -> Strokes:
    size, y = rng.uniform(0.07, 0.13), -rng.uniform(0.3, 0.5)
    x = np.linspace(0, 1, 14)
    return [np.stack([x * rng.uniform(0.45, 0.75), y - size * np.sin(x * 2 * math.pi)], 1).astype(np.float32)]


def question(rng: random.Random) -> Strokes:
    return [
        curve((0.0, -0.8), (0.2, -1.0), (0.44, -0.82), (0.34, -0.6), (0.2, -0.44), (0.2, -0.24)),
        dot(0.2, -0.03, rng),
    ]


def sharp_s(rng: random.Random) -> Strokes:
    foot = rng.choice([0.0, 0.0, 0.3])
    return [
        curve(
            (0.02, foot),
            (0.06, -0.5),
            (0.14, -0.94),
            (0.36, -1.0),
            (0.46, -0.8),
            (0.24, -0.56),
            (0.5, -0.36),
            (0.5, -0.08),
            (0.2, 0.02),
            steps=40,
        )
    ]


def joined_letters(first: str, second: str, tall: float) -> Callable[[random.Random], Strokes]:
    """æ and œ: both letters touch."""

    def draw(rng: random.Random) -> Strokes:
        left = [oval(0.24, -tall / 2, 0.46, tall, rng)]
        if first == "a":
            left.append(path((0.48, -tall), (0.47, 0)))
        e = curve(
            (0.48, -tall * 0.5),
            (0.86, -tall * 0.55),
            (0.7, -tall),
            (0.5, -tall * 0.6),
            (0.6, -0.02),
            (0.9, -tall * 0.2),
        )
        return [*left, e]

    return draw


def angle_quotes(rng: random.Random) -> Strokes:
    size = rng.uniform(0.14, 0.22)
    return [path((x + size, -0.35 - size), (x, -0.35), (x + size, -0.35 + size)) for x in (0.0, size * 1.1)]


def mirrored(draw: Callable[[random.Random], Strokes]) -> Callable[[random.Random], Strokes]:
    def other(rng: random.Random) -> Strokes:
        strokes = draw(rng)
        right = max(float(stroke[:, 0].max()) for stroke in strokes)
        return [stroke * (-1, 1) + (right, 0) for stroke in strokes]

    return other


def turned(draw: Callable[[random.Random], Strokes], lift: float) -> Callable[[random.Random], Strokes]:
    def other(rng: random.Random) -> Strokes:
        strokes = draw(rng)
        right = max(float(stroke[:, 0].max()) for stroke in strokes)
        return [stroke * (-1, -1) + (right, lift) for stroke in strokes]

    return other


def exclamation(rng: random.Random) -> Strokes:
    return [path((0.06, -1), (0.03, -0.28)), dot(0.02, -0.04, rng)]


def dash(shortest: float, longest: float) -> Callable[[random.Random], Strokes]:
    return lambda rng: [
        path((0, (y := -rng.uniform(0.3, 0.45)) + rng.uniform(-0.03, 0.03)), (rng.uniform(shortest, longest), y))
    ]


def quote(rng: random.Random) -> Strokes:
    lean, y = rng.uniform(-0.06, 0.06), rng.uniform(-1.08, -0.98)
    return [path((x + lean, y), (x, y + rng.uniform(0.18, 0.3))) for x in (0.02, 0.17)]


def star(rng: random.Random) -> Strokes:
    turn, size = rng.uniform(0, math.pi / 3), rng.uniform(0.14, 0.22)
    angles = [turn + k * math.pi / 3 for k in range(3)]
    return [
        path(
            (0.2 - size * math.cos(a), -0.72 - size * math.sin(a)),
            (0.2 + size * math.cos(a), -0.72 + size * math.sin(a)),
        )
        for a in angles
    ]


def unticked(rng: random.Random) -> Strokes:
    return box(side := rng.uniform(0.65, 1.05), side * rng.uniform(0.9, 1.1), rng)


def ticked(rng: random.Random) -> Strokes:
    side = rng.uniform(0.65, 1.05)
    return box(side, side, rng) + tick(side, side, rng)


def bullet(rng: random.Random) -> Strokes:
    return [blob(0.12, -rng.uniform(0.3, 0.5), rng.uniform(0.1, 0.3), rng)]


DRAWN: dict[str, Callable[[random.Random], Strokes]] = {
    "→": arrow, "•": bullet, "☐": unticked, "☑": ticked, "%": percent, "€": euro, "£": pound, "$": dollar, "#": hash_sign, "&": ampersand,
    "@": at_sign, "§": section, "{": brace, "}": mirrored(brace), "~": wave, "?": question, "¿": turned(question, -0.8),
    "!": exclamation, "¡": turned(exclamation, -0.75), "ß": sharp_s, "æ": joined_letters("a", "e", 0.6), "œ": joined_letters("o", "e", 0.6),
    "Œ": joined_letters("o", "e", 1.0), "«": angle_quotes, "»": mirrored(angle_quotes), "–": dash(0.4, 0.8), "—": dash(0.7, 1.3),
    "_": lambda rng: [path((0, 0.08), (rng.uniform(0.4, 0.8), 0.08))], '"': quote, "*": star,
    "°": lambda rng: [oval(0.14, -0.86, (size := rng.uniform(0.2, 0.3)), size, rng)],
    "·": lambda rng: [dot(0.03, -0.4, rng)], ";": lambda rng: [dot(0.06, -0.5, rng), path((0.06, -0.1), (0.0, 0.14))],
    ":": lambda rng: [dot(0.0, -0.5, rng), dot(0.0, -0.1, rng)], "'": lambda rng: [path((0.03, -1.0), (0.0, -0.75))],
    "\\": lambda rng: [path((0, -1.0), (0.4, 0.05))], "^": lambda rng: [path((0, -0.7), (0.16, -0.98), (0.32, -0.7))],
}  # fmt: skip


def moved(strokes: Strokes, left: float, bottom: float, height: float) -> Strokes:
    """Scaled to `height`, standing on `bottom`, from `left` on."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = min(height / max(high[1] - low[1], 1e-3), 0.9 * height / max(high[0] - low[0], 1e-3))
    return [((stroke - (low[0], high[1])) * scale + (left, bottom)).astype(np.float32) for stroke in strokes]


def right_of(strokes: Strokes) -> float:
    return max(float(stroke[:, 0].max()) for stroke in strokes)


def circled(digit: Strokes, rng: random.Random) -> Strokes:
    size = rng.uniform(1.0, 1.35)
    inner = moved(digit, 0, 0, size * rng.uniform(0.45, 0.6))
    points = np.concatenate(inner)
    middle = (points.min(0) + points.max(0)) / 2
    ring = oval(0, 0, size, size * rng.uniform(0.9, 1.1), rng)
    return [stroke - middle + (size / 2, -0.45) for stroke in inner] + [ring + (size / 2, -0.45)]


def fraction(top: Strokes, bottom: Strokes, rng: random.Random) -> Strokes:
    """Small figures beside a slanted stroke, or one above the other."""
    size = rng.uniform(0.45, 0.58)
    if rng.random() < 0.65:
        first = moved(top, 0, -1 + size, size)
        x = right_of(first)
        second = moved(bottom, x + rng.uniform(0.12, 0.3), rng.uniform(-0.02, 0.1), size)
        return [*first, path((x + rng.uniform(0.15, 0.3), -1), (x - rng.uniform(0.02, 0.15), 0.02)), *second]
    first, second = moved(top, 0.1, -0.58, size), moved(bottom, 0.1, 0.22, size)
    width = max(right_of(first), right_of(second)) + 0.1
    y = rng.uniform(-0.5, -0.42)
    return [*first, path((0, y), (width, y + rng.uniform(-0.04, 0.04))), *second]


def accent(mark: str, middle: float, top: float, rng: random.Random) -> Strokes:
    """A combining mark over (or, the cedilla, under) a letter whose middle is at x = `middle` and whose top is at y = `top`."""
    y, size = top - rng.uniform(0.08, 0.2), rng.uniform(0.14, 0.24)
    x = middle + rng.uniform(-0.04, 0.06)
    if mark == "\u0300":
        return [path((x - size / 2, y - size * 0.7), (x + size / 2, y))]
    if mark == "\u0301":
        return [path((x + size / 2, y - size * 0.7), (x - size / 2, y))]
    if mark == "\u0302":
        return [path((x - size * 0.6, y), (x, y - size * 0.8), (x + size * 0.6, y))]
    if mark == "\u0303":
        t = np.linspace(0, 1, 10)
        return [
            np.stack([x + (t - 0.5) * size * 1.6, y - 0.05 - size * 0.25 * np.sin(t * 2 * math.pi)], 1).astype(
                np.float32
            )
        ]
    if mark == "\u030a":
        return [oval(x, y - size / 2, size, size, rng)]
    if mark == "\u0327":
        return [curve((x, 0.0), (x + 0.08, 0.12), (x - 0.02, 0.22), (x - 0.12, 0.2))]
    gap = rng.uniform(0.09, 0.16)
    if rng.random() < 0.75:
        return [dot(x - gap, y, rng), dot(x + gap, y, rng)]
    return [path((x + side * gap + 0.02, y - 0.14), (x + side * gap - 0.01, y)) for side in (-1, 1)]


MARKS = set("\u0300\u0301\u0302\u0303\u0308\u030a\u0327")


def sign(character: str, figures: Drawer, rng: random.Random) -> Strokes | None:
    """The strokes of `character`, where it is drawn here; `figures` draws the digits and letters that stand inside some."""
    if character in DRAWN:
        return DRAWN[character](rng)
    if character in CIRCLED:
        return circled(figures(str(CIRCLED.index(character) + 1), rng), rng)
    if character in FRACTIONS:
        top, _, bottom = FRACTIONS[character]
        return fraction(figures(top, rng), figures(bottom, rng), rng)
    if character in RAISED:
        size = rng.uniform(0.4, 0.52)
        return moved(figures(RAISED[character], rng), 0, -1.05 + size, size)
    return None


def can_draw(character: str) -> bool:
    return character in DRAWN or character in CIRCLED or character in FRACTIONS or character in RAISED


def crossed_out(width: float, height: float, rng: random.Random) -> Strokes:
    """A scribble over a stretch of writing, from the baseline up: zigzags, loops or many strokes."""
    turns = max(4, round(width / height * rng.uniform(5, 10)))
    x = np.linspace(0, width, turns) + np.array([rng.uniform(-0.06, 0.06) for _ in range(turns)]) * height
    pick = rng.random()
    if pick < 0.5:
        y = [(-height if k % 2 else 0.0) * rng.uniform(0.7, 1.1) for k in range(turns)]
        return [np.stack([x, y], 1).astype(np.float32)]
    if pick < 0.8:
        t = np.linspace(0, 2 * math.pi * turns / 2, turns * 8)
        radius = height * rng.uniform(0.35, 0.5)
        return [
            np.stack([np.linspace(0, width, len(t)) + radius * np.cos(t), -height / 2 + radius * np.sin(t)], 1).astype(
                np.float32
            )
        ]
    levels = [-height * rng.uniform(0.05, 1.0) for _ in range(rng.randint(4, 9))]
    return [
        path((rng.uniform(-0.1, 0.1), y), (width + rng.uniform(-0.1, 0.1), y + rng.uniform(-0.15, 0.15) * height))
        for y in levels
    ]


def underline(width: float, rng: random.Random) -> Strokes:
    """One or two strokes below a text of that width."""
    y = rng.uniform(0.15, 0.4)
    lines = [path((rng.uniform(-0.3, 0.2), y), (width + rng.uniform(-0.3, 0.4), y + rng.uniform(-0.1, 0.1)))]
    if rng.random() < 0.25:
        lines.append(lines[0] + (0, rng.uniform(0.08, 0.18)))
    return lines
