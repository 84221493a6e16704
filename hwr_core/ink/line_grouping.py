"""Which strokes of a drawing make up a line of text.

The ink is cut where white runs between two rows; what is left is parted where its density, projected across the rows, has deep valleys.
Every part is judged by the size of its own letters, so that a title stands above small writing. Dots, commas and dashes go with the nearest
letter; what lies far from all letters is a line of its own.
"""

import itertools
from statistics import median

import numpy as np

from hwr_core.ink.strokes import Strokes, as_points

ROW_DISTANCE = 1.1  # letter sizes between the middles of two rows, at least
VALLEY_DEPTH = 0.6  # of the lower peak beside it, at most
RESAMPLED = 400_000  # points of all strokes together, at most
PROJECTED = 4_000  # of them in every direction
_KERNEL = np.exp(-0.5 * (np.arange(-6, 7) / 2.2) ** 2)
_KERNEL /= _KERNEL.sum()
SMALL = 0.35  # of the usual letter's height: lower strokes are dots, commas and dashes
FAR = 1.5  # of the usual letter's height: dots farther from every letter are a line of their own
ROW_WHITE = 0.12  # of the smaller row's letters: white between two rows that parts them
FEW = 4  # strokes up to which a low row above a higher one may be its quotes or accents
FEW_BELOW = 2  # strokes up to which a low row below it may be its commas or low quotes; more are a small word
LOW = 0.8  # of the higher row's letters: the height of such a row at most
NEAR = 0.6  # of the higher row's letters: the white between both at most


def group_into_lines(strokes: Strokes) -> list[list[int]]:
    """Groups strokes into lines of text.

    Args:
        strokes: Each (n, 2) float, x and y, y downwards, in any unit.

    Returns:
        For each line, top to bottom, the numbers of its strokes in the order in which they were written.

    Raises:
        ValueError: A stroke has no point, or is of another shape.
    """
    if not strokes:
        return []
    ink = _Ink([as_points(stroke) for stroke in strokes])
    size = _usual(ink.heights)
    if size <= 0:
        return _far_apart(ink, np.arange(len(strokes)))
    large = np.flatnonzero(ink.heights >= SMALL * size)
    # Letters of small writing below a title are larger than the dots of their own line.
    rows = _rows(ink, np.arange(len(strokes))) if len(large) else [np.arange(len(strokes))]
    rows.sort(key=lambda row: float(np.average(ink.middles[row], weights=ink.counts[row])))
    return [sorted(row.tolist()) for row in rows]


def letter_height(strokes: Strokes) -> float:
    """The usual height of a letter or a joined word, in the strokes' unit: dots and dashes do not count."""
    return _usual(np.array([np.ptp(stroke[:, 1]) for stroke in strokes], float))


class _Ink:
    """Strokes as points at even steps, and where each of them lies across the rows."""

    def __init__(self, strokes: Strokes):
        self.points, self.starts, self.counts = _resampled(strokes)
        self.low = np.minimum.reduceat(self.points, self.starts)
        self.high = np.maximum.reduceat(self.points, self.starts)
        self.heights = self.high[:, 1] - self.low[:, 1]
        size = _usual(self.heights)
        slope = _row_slope(self.points, size) if size > 0 else 0.0
        self.across = self.points[:, 1] - slope * self.points[:, 0]
        self.tops = np.minimum.reduceat(self.across, self.starts)
        self.bottoms = np.maximum.reduceat(self.across, self.starts)
        self.middles = np.add.reduceat(self.across, self.starts) / self.counts

    def of(self, strokes: np.ndarray) -> np.ndarray:
        """The places of these strokes' points across the rows."""
        return np.concatenate(
            [
                self.across[start : start + count]
                for start, count in zip(self.starts[strokes], self.counts[strokes], strict=True)
            ]
        )

    def boxes(self, strokes: np.ndarray) -> np.ndarray:
        """(n, 4) left, top, right, bottom."""
        return np.hstack([self.low[strokes], self.high[strokes]])


def _rows(ink: _Ink, strokes: np.ndarray) -> list[np.ndarray]:
    """The strokes of each row, in no order."""
    bands = _bands(ink, strokes)
    if len(bands) > 1:
        letters = [band for band in bands if not _is_low(ink, band, bands)]
        rows = [row for band in letters for row in _rows(ink, band)]
        rest = np.setdiff1d(strokes, np.concatenate(rows))
        return _with_small(ink, rows, rest)
    size = _usual(ink.heights[strokes])
    large = strokes[ink.heights[strokes] >= SMALL * size]
    numbers = np.searchsorted(_valleys(ink.of(strokes), size), ink.middles[large])
    rows = [large[numbers == number] for number in np.unique(numbers)]
    return _with_small(ink, rows, np.setdiff1d(strokes, large))


def _bands(ink: _Ink, strokes: np.ndarray) -> list[np.ndarray]:
    """Parts of the strokes with white between them, from the top."""
    order = strokes[np.argsort(ink.tops[strokes])]
    bands: list[list[int]] = []
    reach = -np.inf
    for stroke in order.tolist():
        if not bands or ink.tops[stroke] > reach:
            bands.append([])
        bands[-1].append(stroke)
        reach = max(reach, float(ink.bottoms[stroke]))
    found = [np.array(band) for band in bands]
    merged = [found[0]]
    for band in found[1:]:
        white = ink.tops[band].min() - ink.bottoms[merged[-1]].max()
        if white < ROW_WHITE * min(_band_size(ink, merged[-1]), _band_size(ink, band)):
            merged[-1] = np.concatenate([merged[-1], band])
        else:
            merged.append(band)
    return merged


def _band_size(ink: _Ink, band: np.ndarray) -> float:
    return _usual(ink.heights[band])


def _is_low(ink: _Ink, band: np.ndarray, bands: list[np.ndarray]) -> bool:
    """Whether a band is no row of letters, but dots, quotes, accents or dashes of one beside it: few strokes, all of them low."""
    if len(band) > FEW:
        return False
    height = float(ink.heights[band].max())
    left, right = ink.low[band, 0].min(), ink.high[band, 0].max()
    for other in bands:
        if other is band:
            continue
        size, white = _band_size(ink, other), _white(ink, band, other)
        within = ink.low[other, 0].min() - FAR * size < left and right < ink.high[other, 0].max() + FAR * size
        few = len(band) <= (FEW if ink.tops[band].min() < ink.tops[other].min() else FEW_BELOW)
        if few and len(other) > len(band) and within and height < LOW * size and white < NEAR * size:
            return True
        if height < SMALL * size:
            return True
    return False


def _white(ink: _Ink, first: np.ndarray, second: np.ndarray) -> float:
    """The white between two bands, across the rows."""
    return max(
        float(ink.tops[first].min() - ink.bottoms[second].max()),
        float(ink.tops[second].min() - ink.bottoms[first].max()),
        0.0,
    )


def _with_small(ink: _Ink, rows: list[np.ndarray], small: np.ndarray) -> list[np.ndarray]:
    """The rows, each with the small strokes that are nearest to it; those far from every row are rows of their own."""
    if not len(small):
        return rows
    if not rows:
        return [np.array(group) for group in _far_apart(ink, small)]
    letters = np.concatenate(rows)
    row_of = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    sizes = np.array([_usual(ink.heights[row]) for row in rows])
    boxes, far = ink.boxes(letters), []
    more: list[list[int]] = [[] for _ in rows]
    for stroke in small.tolist():
        distances = _distances(ink.boxes(np.array([stroke]))[0], boxes)
        nearest = int(np.argmin(distances))
        row = rows[row_of[nearest]]
        aside = ink.middles[stroke] - np.clip(ink.middles[stroke], ink.tops[row].min(), ink.bottoms[row].max())
        # A dash or three dots in a wide gap of their row are as far from letters as a stray dot below it.
        if abs(aside) > 0.5 * sizes[row_of[nearest]] and distances[nearest] > FAR * sizes[row_of[nearest]]:
            far.append(stroke)
        else:
            more[row_of[nearest]].append(stroke)
    rows = [np.concatenate([row, np.array(added, int)]) for row, added in zip(rows, more, strict=True)]
    return rows + ([np.array(group) for group in _far_apart(ink, np.array(far))] if far else [])


def _far_apart(ink: _Ink, strokes: np.ndarray) -> list[list[int]]:
    """Strokes without letters beside them: those that are level with one another are a row."""
    widest = float((ink.high[strokes] - ink.low[strokes]).max())
    rows: list[list[int]] = []
    for stroke in strokes[np.argsort(ink.middles[strokes])].tolist():
        if rows and ink.middles[stroke] - ink.middles[rows[-1][-1]] <= max(widest, 1e-9):
            rows[-1].append(stroke)
        else:
            rows.append([stroke])
    return rows


def _usual(heights: np.ndarray) -> float:
    """The usual height of a letter or a joined word: the median over the strokes that are no dots or dashes."""
    # A sorted list: `np.percentile` and `np.median` take twenty times as long for so few.
    ordered = sorted(heights.tolist())
    place, share = divmod(0.9 * (len(ordered) - 1), 1)
    tall = ordered[int(place)]
    if share:
        tall += share * (ordered[int(place) + 1] - tall)
    return median([height for height in ordered if height >= 0.4 * tall])


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
