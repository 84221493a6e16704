"""Where the ink is: masks, boxes and stroke widths of dark writing on light paper."""

from functools import partial
from math import ceil

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import ink_and_paper, median_grey, percentiles
from hwr_core.imaging.resize import shrunk
from hwr_core.imaging.ruling import without_faint_rules
from hwr_core.runtime.threads import spread

BLANK_CONTRAST = 20  # grey levels between paper and darkest ink: a picture with less is blank
INK_DEPTH = 0.35  # of the way from the paper's grey to the darkest ink: ink is darker than this
SPECK_AREA = 6  # pixels: fewer in one piece are a speck
SPECK_EXTENT = 0.04  # of the largest piece's extent: smaller pieces are specks
INK_SIDE = 1600  # pixels of the page's longer side at which its ink is searched for
FAINT_NOISE = 6  # times the paper's noise: faint ink differs more from its paper
FAINT_SHARE = 0.12  # of the darkest ink's contrast: what differs less is bleed-through or texture
FAINTEST = 10  # grey levels by which ink must differ from its paper to stay on the page
FAINT_EXTENT = 0.3  # of the usual height of dark writing: faint ink that is smaller is specks
USUAL_SHARE = 0.02  # of a page's longer side: the usual height of writing at most; a title in marker is higher
RULE_ASPECT = 12  # width by height from which a faint stroke is a ruled line
TALL_LINE = 128  # pixels: what a line of this height loses at half its size is smaller than its specks
RIM_STROKE = 60  # of a page's longer side: what is thinner on a dark rim was written on it
STROKE_BAND = 512  # rows that are measured at once: the distances of a whole page take 40 MB


def ink_mask(grey: np.ndarray) -> np.ndarray:
    """Finds the ink, without specks.

    Args:
        grey: dark writing on light paper, (height, width) uint8.

    Returns:
        (height, width) bool: True for ink. All False for a blank picture.
    """
    return _dark_ink(grey)[0]


def _dark_ink(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`ink_mask`, and the heights in pixels of its pieces: what searches them once more takes as long again."""
    height, width = grey.shape
    mask, nothing = np.zeros((height, width), bool), np.zeros(0, np.int32)
    if min(height, width) < 3:
        return mask, nothing
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    darkest, paper = ink_and_paper(smooth)
    if paper - darkest < BLANK_CONTRAST:
        return mask, nothing
    dark = (smooth < paper - INK_DEPTH * (paper - darkest)).astype(np.uint8)
    labels, stats = pieces(dark)
    if len(stats) < 2:
        return mask, nothing
    area = stats[:, cv2.CC_STAT_AREA]
    extent = np.maximum(stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH])
    writing = extent[1:].max()
    keep = (area >= SPECK_AREA) & (extent >= SPECK_EXTENT * min(writing, height))
    keep[0] = False
    return keep.take(labels), stats[keep, cv2.CC_STAT_HEIGHT]


def pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The connected pieces of a mask.

    Args:
        mask: (height, width) uint8, 0 or 1.

    Returns:
        The number of each pixel's piece, (height, width), 0 for none; and OpenCV's statistics, (pieces + 1, 5) int32.
    """
    # At most one piece has its first pixel in each square of 2 by 2. Numbers of 16 bits take less than half the time.
    most = (mask.shape[0] + 1) // 2 * ((mask.shape[1] + 1) // 2)
    kind = cv2.CV_16U if most < 1 << 16 else cv2.CV_32S
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=kind)
    return labels, stats


def is_blank(grey: np.ndarray) -> bool:
    """Whether a page is too even for ink: `ink_box` finds none there, and takes five times as long.

    Args:
        grey: dark writing on light paper, (height, width) uint8.
    """
    grey = shrunk(grey, INK_SIDE)
    if min(grey.shape) < 3:
        return True
    darkest, paper = ink_and_paper(cv2.GaussianBlur(grey, (3, 3), 0))
    return paper - darkest < BLANK_CONTRAST


def writing_mask(grey: np.ndarray, largest: float = float("inf"), faintest: float | None = None) -> np.ndarray:
    """Where there is ink, faint ink beside dark ink too, (height, width) bool; without ruled lines among the faint.

    `ink_mask` goes by the darkest ink. Pencil beside a marker, or a light colour beside a dark one, is found here by its contrast
    to the paper around it, if it is as large as writing.

    Args:
        grey: (height, width) uint8, dark ink on light paper.
        largest: Height in pixels that usual writing has at most. Beside larger dark writing, smaller faint ink is no specks.
        faintest: Grey levels of contrast from which ink counts, beside any other ink. None: as much as `BLANK_CONTRAST`
            and `FAINT_SHARE` ask for.
    """
    dark, heights = _dark_ink(grey)
    if not len(heights):
        return dark
    usual = float(np.median(heights[heights >= 0.3 * heights.max()]))  # of the pieces that are no dots
    faint = _faint(grey, usual, faintest)
    labels, stats = pieces(faint)
    if len(stats) < 2:
        return dark
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    least = FAINT_EXTENT * min(usual, largest)
    keep = (np.maximum(tall, wide) >= least) & (tall * RULE_ASPECT >= wide) & (wide * RULE_ASPECT >= tall)
    keep &= stats[:, cv2.CC_STAT_AREA] < 0.5 * tall * wide * np.where(
        np.minimum(tall, wide) > FAINT_EXTENT * usual, 1, 2
    )
    keep[0] = False
    return dark | keep.take(labels)


def line_mask(grey: np.ndarray) -> np.ndarray:
    """`writing_mask` of a line's picture. A line of `TALL_LINE` pixels or more is searched at half its size, in a fourth of the time.

    Args:
        grey: (height, width) uint8, dark ink on light paper.
    """
    height, width = grey.shape
    if height < TALL_LINE or width < TALL_LINE:
        return writing_mask(grey)
    half = cv2.resize(grey, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(writing_mask(half).view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).view(bool)


def _faint(grey: np.ndarray, usual: float, faintest: float | None) -> np.ndarray:
    """Pixels that differ from the paper around them by more than its noise, (height, width) uint8 0 or 1.

    `usual` is the height in pixels of dark writing; `faintest` as of `writing_mask`.
    """
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    size = max(9, min(61, round(usual))) | 1
    step = max(1, size // 12)  # the paper changes slowly: a coarse picture of it will do
    coarse = smooth[::step, ::step]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size // step | 1,) * 2)
    paper = cv2.resize(
        cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, kernel), grey.shape[::-1], interpolation=cv2.INTER_LINEAR
    )
    contrast = cv2.subtract(paper, smooth)
    if faintest is None:
        darkest = percentiles(contrast, (100 - 100 * min(32, grey.size // 50) / max(1, grey.size - 1),))[0]
        faintest = max(BLANK_CONTRAST, FAINT_SHARE * darkest)
    noise = 1.5 * percentiles(contrast, (50,))[0]
    return (contrast > max(faintest, FAINT_NOISE * noise)).astype(np.uint8)


def ink_box(grey: np.ndarray) -> tuple[int, int, int, int] | None:
    """Finds the box around the ink, to a few pixels.

    Args:
        grey: dark writing on light paper, (height, width) uint8.

    Returns:
        Left, top, right and bottom in pixels; None for a blank page.
    """
    height, width = grey.shape
    grey = shrunk(grey, INK_SIDE)
    # A table's rim or a fold at the edge can be the largest dark piece. Beside it, letters would count as specks.
    inside = partial(writing_mask, largest=USUAL_SHARE * max(grey.shape), faintest=FAINTEST)
    mask, more = spread(lambda find: find(), (lambda: ink_mask(grey), lambda: inside(without_rim(grey))), least=2)
    if not mask.any():
        return None
    mask |= more
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    across, down = width / grey.shape[1], height / grey.shape[0]
    return int(columns[0] * across), int(rows[0] * down), ceil((columns[-1] + 1) * across), ceil((rows[-1] + 1) * down)


def without_rim(grey: np.ndarray) -> np.ndarray:
    """The page with paper in place of its ruled lines and of the dark pieces that touch its edges.

    A ruled line runs from edge to edge. With it, every letter that it crosses would go.
    """
    grey = without_faint_rules(grey)
    paper = median_grey(grey)
    dark = (grey < paper - BLANK_CONTRAST).astype(np.uint8)
    framed = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels = cv2.connectedComponents(framed, connectivity=4)
    size = max(9, max(grey.shape) // RIM_STROKE) | 1
    beside = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    # What the pen wrote on a shadow at the edge stays, as dark on paper as it is on the shadow.
    on_paper = cv2.subtract(np.full_like(grey, paper), cv2.subtract(beside, grey))
    return np.where(labels[1:-1, 1:-1] == labels[0, 0], on_paper, grey)


def stroke_width(grey: np.ndarray) -> float:
    """Measures the pen: twice the median distance from the middles of the strokes to their edges.

    Args:
        grey: dark writing on light paper, (height, width) uint8.

    Returns:
        The usual width of a stroke in pixels; 0 for a blank page.
    """
    found = []
    for top in range(0, grey.shape[0], STROKE_BAND):
        mask = ink_mask(grey[top : top + STROKE_BAND])
        distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        # A pixel in the middle of a stroke is as far from the edge as any of its neighbours.
        found.append(distance[mask & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 0.01)])
    middles = np.concatenate(found)
    return float(2 * np.median(middles) - 1) if len(middles) else 0.0
