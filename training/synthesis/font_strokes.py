"""Characters of the handwriting fonts as pen strokes: the middle lines of their shapes."""

import random

import cv2
import numpy as np
from PIL import ImageFont
from skimage.morphology import skeletonize

from hwr_core.ink.strokes import Strokes
from training.synthesis.drawn_lines import FontWriter

SIZE = 72  # pixels of the type: its middle lines are a pixel exact
LONGEST = 9.0  # of a character's way: outlined and hatched faces, which no pen writes, have more
NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))


def glyphs(fonts: dict[str, bytes], characters: str, each: int, seed: int = 1) -> dict[str, list[Strokes]]:
    """Of every character `each` drawings in fonts chosen by chance, a capital of the font 1 high, their centre at the origin."""
    rng = random.Random(seed)
    writer = FontWriter(fonts)
    found: dict[str, list[Strokes]] = {}
    for character in characters:
        for name in rng.sample(writer.names, min(len(writer.names), 3 * each)):
            if len(found.get(character, [])) == each:
                break
            if not writer.has(name, character):
                continue
            font = writer.font(name, SIZE)
            capital = _height(font, "H")
            strokes = middle_lines(_mask(font, character)) if capital else []
            if strokes and sum(np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes) < LONGEST * capital:
                points = np.concatenate(strokes)
                origin = (points.min(0) + points.max(0)) / 2
                found.setdefault(character, []).append(
                    [((stroke - origin) / capital).astype(np.float32) for stroke in strokes]
                )
    return found


def _mask(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    mask = font.getmask(character, mode="L")
    return np.pad(np.array(mask, np.uint8).reshape(mask.size[::-1]), 1) > 127


def _height(font: ImageFont.FreeTypeFont, character: str) -> float:
    mask = _mask(font, character)
    return float(mask.any(1).sum())


def middle_lines(mask: np.ndarray) -> Strokes:
    """One stroke for each connected piece of ink (bool): its skeleton, walked through from end to end and back where it branches."""
    skeleton = skeletonize(mask)
    count, labels = cv2.connectedComponents(skeleton.astype(np.uint8), connectivity=8)
    strokes = []
    for label in range(1, count):
        rows, columns = np.nonzero(labels == label)
        pixels = set(zip(rows.tolist(), columns.tolist(), strict=True))
        strokes.append(_walk(pixels))
    return strokes


def _walk(pixels: set[tuple[int, int]]) -> np.ndarray:
    """(n, 2) points (x, y) through all pixels, one beside the last."""
    ends = [pixel for pixel in pixels if sum((pixel[0] + y, pixel[1] + x) in pixels for y, x in NEIGHBOURS) == 1]
    start = min(ends or pixels)
    left, way, stack = pixels - {start}, [start], [start]
    while stack and left:
        y, x = stack[-1]
        ahead = next(((y + dy, x + dx) for dy, dx in NEIGHBOURS if (y + dy, x + dx) in left), None)
        if ahead is None:
            stack.pop()
            way += stack[-1:]
        else:
            left.discard(ahead)
            stack.append(ahead)
            way.append(ahead)
    if len(way) == 1:
        way.append((way[0][0] + 1, way[0][1]))  # a dot
    points = np.array(way, np.float32)[:, ::-1]
    return points if len(points) < 4 else np.concatenate([points[:-1:2], points[-1:]])
