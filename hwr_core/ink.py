"""Ink: strokes from a canvas, grouped into lines and drawn as line images.

A stroke is an (n, 2) float array of x and y, y downwards, in any unit: everything here is relative to the size of the
writing, so the same word reads the same written small or large.
"""

import itertools

import cv2
import numpy as np
from PIL import Image

Strokes = list[np.ndarray]
ROW_DISTANCE = 1.1  # letter sizes between the middles of two rows, at least
VALLEY_DEPTH = 0.6  # of the lower peak beside it, at most
MAX_ASPECT = 60
SUPERSAMPLING = 4  # strokes are drawn this much larger, then averaged down: OpenCV's own antialiasing is coarse


def render_line(strokes: Strokes, height: int, stroke_width: float, margin: float = 0.08) -> Image.Image:
    """Draws the strokes of one line `height` pixels high, black on white, with a pen `stroke_width` pixels wide.

    `margin` is in shares of the height. Flat ink (a dash, dots in a row) is not blown up to the full height: one stroke
    is drawn at most as large as if it were a third of its width high, more of them so that the picture is at most
    `MAX_ASPECT` times as wide as high. Returns a greyscale image; raises ValueError where there is no stroke.
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
    canvas = draw([(stroke - (low[0], 0)) * scale + (edge, offset_y) for stroke in strokes], (height, width), stroke_width)
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


RESAMPLED = 400_000  # points of all strokes together, at most
_KERNEL = np.exp(-0.5 * (np.arange(-6, 7) / 2.2) ** 2)
_KERNEL /= _KERNEL.sum()


def group_into_lines(strokes: Strokes) -> list[list[int]]:
    """Which strokes make up each line, top to bottom: lists of indices into `strokes`, in writing order.

    The ink is projected across the direction in which it lies in the densest rows (as a page is deskewed); rows are
    told apart by the valleys between them. A stroke belongs to the row that its middle is in; dots, commas and dashes
    go with the nearest larger stroke instead.
    """
    if not strokes:
        return []
    most = max(8, min(4096, RESAMPLED // len(strokes)))
    points = [_resample(as_points(stroke), most) for stroke in strokes]
    size = letter_size(points)
    if size <= 0:
        return [list(range(len(strokes)))]
    slope = _row_slope(points, size)
    across = [stroke[:, 1] - slope * stroke[:, 0] for stroke in points]
    edges = _valleys(np.concatenate(across), size)
    middles = np.array([np.mean(heights) for heights in across])
    rows = np.searchsorted(edges, middles)
    heights = np.array([np.ptp(stroke[:, 1]) for stroke in points])
    large = np.flatnonzero(heights >= 0.35 * size)
    if len(large):
        boxes = np.array([[*stroke.min(0), *stroke.max(0)] for stroke in points])
        for small in np.setdiff1d(np.arange(len(rows)), large):
            rows[small] = rows[large[np.argmin(_distances(boxes[small], boxes[large]))]]
    return [np.flatnonzero(rows == row).tolist() for row in np.unique(rows)]


def letter_size(strokes: Strokes) -> float:
    """The usual height of a letter or a joined word: the median over the strokes that are no dots or dashes."""
    heights = np.array([np.ptp(as_points(stroke)[:, 1]) for stroke in strokes])
    return float(np.median(heights[heights >= 0.4 * np.percentile(heights, 90)]))


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


def as_points(stroke: np.ndarray) -> np.ndarray:
    """A stroke as an (n, 2) float32 array; ValueError where it is of another shape."""
    points = np.asarray(stroke, np.float32)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"A stroke is an (n, 2) array of x and y, not of shape {points.shape}.")
    return points


def _resample(points: np.ndarray, most: int) -> np.ndarray:
    """Points at even steps along the stroke, so that each weighs as much as the ink between two of them."""
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    if lengths[-1] <= 0:
        return points[:1]
    # 64 steps across the stroke's own extent are finer than any decision made from them.
    steps = np.linspace(0, lengths[-1], int(np.clip(64 * lengths[-1] / np.ptp(points, 0).max(), 2, most)))
    return np.stack([np.interp(steps, lengths, points[:, axis]) for axis in (0, 1)], 1)


def _row_slope(strokes: Strokes, size: float) -> float:
    """dy/dx along which the ink, projected, is the most concentrated; writing wider than it is high tells it best."""
    points = np.concatenate(strokes)
    if np.ptp(points[:, 0]) < 4 * size:
        return 0.0
    slopes = np.tan(np.radians(np.arange(-12, 12.5, 0.5)))
    scores = []
    for slope in slopes:
        density = _density(points[:, 1] - slope * points[:, 0], size)[1]
        scores.append(np.sum(density**2) * (1 - 0.3 * abs(slope)))
    return float(slopes[int(np.argmax(scores))])


def _density(values: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Bin centres and the smoothed share of the ink in each, bins an eighth of a letter high."""
    step = max(size / 8, float(np.ptp(values)) / 4096)  # a stray point far away must not ask for a million bins
    low = values.min() - size
    count = int(np.ceil((values.max() + size - low) / step)) + 1
    counts = np.bincount(((values - low) / step).astype(np.intp), minlength=count)
    return low + step * (np.arange(count) + 0.5), np.convolve(counts / len(values), _KERNEL, "same")


def _valleys(across: np.ndarray, size: float) -> list[float]:
    """The heights that part the rows: deep valleys between peaks about a letter or more apart."""
    centres, density = _density(across, size)
    peaks = [i for i in range(1, len(density) - 1) if density[i - 1] < density[i] >= density[i + 1]]
    rows: list[int] = []
    for peak in peaks:
        if rows:
            valley = density[rows[-1] : peak + 1].min()
            apart = centres[peak] - centres[rows[-1]]
            if apart < ROW_DISTANCE * size or valley > VALLEY_DEPTH * min(density[rows[-1]], density[peak]):
                rows[-1] = max(rows[-1], peak, key=lambda i: density[i])
                continue
        rows.append(peak)
    lows = [upper + int(np.argmin(density[upper : lower + 1])) for upper, lower in itertools.pairwise(rows)]
    return [float(centres[low]) for low in lows]


def _distances(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From one box to each of `others` (n, 4); sideways counts less, since a dot may be set beside its letter or after its word."""
    sideways = np.maximum(np.maximum(box[0] - others[:, 2], others[:, 0] - box[2]), 0)
    upright = np.maximum(np.maximum(box[1] - others[:, 3], others[:, 1] - box[3]), 0)
    return np.hypot(0.7 * sideways, upright)
