"""Strokes from a canvas, levelled and drawn as pictures of lines.

A stroke is an (n, 2) float array of x and y, y downwards, in any unit. Everything here is relative to the size of the
writing, so a word reads the same whether it is written small or large.
"""

import cv2
import numpy as np
from PIL import Image

Strokes = list[np.ndarray]
MAX_ASPECT = 60  # width by height of a drawn line at most
SUPERSAMPLING = 4  # strokes are drawn this much larger, then averaged down: OpenCV's own antialiasing is coarse


def render_line(strokes: Strokes, height: int, stroke_width: float, margin: float = 0.08) -> Image.Image:
    """Draws the strokes of one line, black on white.

    Flat ink (a dash, dots in a row) is not enlarged to the full height. A single stroke is scaled as if it were at
    least a third of its width high. Several strokes give a picture at most `MAX_ASPECT` times as wide as high.

    Args:
        strokes: Each (n, 2) float, y downwards, in any unit.
        height: Of the picture, in pixels.
        stroke_width: Of the pen, in pixels.
        margin: Paper above and below the ink, in shares of the height.

    Returns:
        A grey picture.

    Raises:
        ValueError: There is no stroke.
    """
    strokes = [as_points(stroke) for stroke in strokes if len(stroke)]
    if not strokes:
        raise ValueError("There is no stroke to draw.")
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    extent = max(float(high[1] - low[1]), float(high[0] - low[0]) / (3 if len(strokes) == 1 else MAX_ASPECT), 1e-6)
    room = height * (1 - 2 * margin) - stroke_width
    scale = room / extent
    offset_y = (height - (high[1] + low[1]) * scale) / 2
    edge = height * margin + stroke_width / 2
    width = int(np.ceil((high[0] - low[0]) * scale + 2 * edge))
    canvas = draw(
        [(stroke - (low[0], 0)) * scale + (edge, offset_y) for stroke in strokes], (height, width), stroke_width
    )
    return Image.fromarray(canvas)


def draw(strokes: Strokes, size: tuple[int, int], stroke_width: float) -> np.ndarray:
    """Black strokes on white paper of `size` (height, width), all in pixels, as a uint8 array."""
    height, width = size
    canvas = np.full((height * SUPERSAMPLING, width * SUPERSAMPLING), 255, np.uint8)
    thickness = max(1, round(stroke_width * SUPERSAMPLING))
    for stroke in strokes:
        points = np.round(np.asarray(stroke) * SUPERSAMPLING * 16).astype(np.int32)  # 4 fractional bits
        if len(points) == 1 or (points == points[0]).all():
            center = tuple(int(value) for value in points[0])
            cv2.circle(canvas, center, thickness * 10, 0, -1, cv2.LINE_8, 4)  # a dot is a little wider than the pen
        else:
            cv2.polylines(canvas, [points], False, 0, thickness, cv2.LINE_8, 4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def level(strokes: Strokes) -> Strokes:
    """One line's strokes turned so that it runs level; short ones, whose slope says little, are left as they are."""
    points = np.concatenate([as_points(stroke) for stroke in strokes])
    extent = np.ptp(points, 0)
    if extent[0] < 2.4 * extent[1] or extent[0] <= 0 or len(points) < 8:
        return strokes
    slope = np.polyfit(points[:, 0], points[:, 1], 1)[0]
    angle = -np.arctan(slope)
    if not 0.02 < abs(angle) < 0.5:
        return strokes
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [as_points(stroke) @ turn for stroke in strokes]


def points_along(stroke: np.ndarray, step: float = 4.0) -> np.ndarray:
    """Points along a stroke, at most `step` apart, in its unit: (n, 2) float32."""
    points = as_points(stroke)
    if len(points) < 2:
        return points
    parts = np.maximum(1, np.ceil(np.hypot(*np.diff(points, axis=0).T) / step)).astype(int)
    places = np.concatenate([[0.0], *(start + np.arange(1, count + 1) / count for start, count in enumerate(parts))])
    return np.stack([np.interp(places, np.arange(len(points)), points[:, side]) for side in (0, 1)], 1).astype(
        np.float32
    )


def as_points(stroke: np.ndarray) -> np.ndarray:
    """A stroke as an (n, 2) float32 array; ValueError where it is of another shape."""
    points = np.asarray(stroke, np.float32)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"A stroke is an (n, 2) array of x and y, not of shape {points.shape}.")
    return points
