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


RESAMPLED = 400_000  # points of all strokes together, at most
PROJECTED = 4_000  # of them in every direction
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
    points, starts, counts = _resampled([as_points(stroke) for stroke in strokes])
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    heights = high[:, 1] - low[:, 1]
    size = _usual(heights)
    if size <= 0:
        return [list(range(len(strokes)))]
    across = points[:, 1] - _row_slope(points, size) * points[:, 0]
    rows = np.searchsorted(_valleys(across, size), np.add.reduceat(across, starts) / counts)
    large = np.flatnonzero(heights >= 0.35 * size)
    if len(large):
        boxes = np.hstack([low, high])
        for small in np.setdiff1d(np.arange(len(rows)), large):
            rows[small] = rows[large[np.argmin(_distances(boxes[small], boxes[large]))]]
    return [np.flatnonzero(rows == row).tolist() for row in np.unique(rows)]


def _usual(heights: np.ndarray) -> float:
    """The usual height of a letter or a joined word: the median over the strokes that are no dots or dashes."""
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


def _resampled(strokes: Strokes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 2) at even steps along the strokes, so that each weighs as much as the ink between two of them, one stroke after the other; where
    each stroke starts among them, and how many it has. One that goes nowhere is one point; ValueError where one has none."""
    if not all(map(len, strokes)):
        raise ValueError("A stroke has one point at least.")
    most = max(8, min(4096, RESAMPLED // len(strokes)))
    points = np.concatenate(strokes).astype(np.float64)
    ends = np.cumsum([len(stroke) for stroke in strokes])
    firsts = np.concatenate([[0], ends[:-1]])
    steps = np.zeros(len(points))
    steps[1:] = np.hypot(*np.diff(points, axis=0).T)
    steps[firsts] = 0  # the pen in the air
    along = steps.cumsum()
    lengths = along[ends - 1] - along[firsts]
    extents = (np.maximum.reduceat(points, firsts) - np.minimum.reduceat(points, firsts)).max(1)
    # 64 steps across the stroke's own extent are finer than any decision made from them.
    counts = np.where(lengths > 0, np.clip(64 * lengths / np.where(lengths > 0, extents, 1), 2, most), 1).astype(
        np.intp
    )
    starts = np.cumsum(counts) - counts
    share = (np.arange(counts.sum()) - np.repeat(starts, counts)) / np.repeat(np.maximum(counts - 1, 1), counts)
    # Strokes are told apart by their numbers, far above any length: the end of one is where the next starts.
    number = np.repeat(np.arange(len(strokes)), ends - firsts) * (2 * along[-1] + 1)
    wanted = np.repeat(along[firsts] + number[firsts], counts) + share * np.repeat(lengths, counts)
    return np.stack([np.interp(wanted, along + number, points[:, axis]) for axis in (0, 1)], 1), starts, counts


def _row_slope(points: np.ndarray, size: float) -> float:
    """dy/dx along which the ink, projected, is the most concentrated; writing wider than it is high tells it best."""
    if np.ptp(points[:, 0]) < 4 * size:
        return 0.0
    points = points[:: 1 + len(points) // PROJECTED]
    slopes = np.tan(np.radians(np.arange(-12, 12.5, 0.5)))
    density = _densities(points[:, 1] - slopes[:, None] * points[:, 0], size)[1]
    return float(slopes[int(np.argmax((density**2).sum(1) * (1 - 0.3 * np.abs(slopes))))])


def _densities(values: np.ndarray, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each row of `values`: bin centres and the smoothed share of the ink in each, bins an eighth of a letter high."""
    low, high = values.min(1, keepdims=True), values.max(1, keepdims=True)
    step = max(size / 8, float((high - low).max()) / 4096)  # a stray point far away must not ask for a million bins
    around = max(size, len(_KERNEL) * step)  # wider than half the kernel, so that the rows can be smoothed as one
    low = low - around
    count = int(np.ceil(((high - low).max() + around) / step)) + 1
    bins = ((values - low) / step).astype(np.intp) + count * np.arange(len(values))[:, None]
    counts = np.bincount(bins.ravel(), minlength=count * len(values)) / values.shape[1]
    return low + step * (np.arange(count) + 0.5), np.convolve(counts, _KERNEL, "same").reshape(-1, count)


def _valleys(across: np.ndarray, size: float) -> list[float]:
    """The heights that part the rows: deep valleys between peaks about a letter or more apart."""
    (centres,), (density,) = _densities(across[None], size)
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
