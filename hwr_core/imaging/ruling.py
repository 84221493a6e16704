"""The lines printed on ruled and squared paper."""

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import ink_and_paper, median_grey

LEAST_RULE = 0.5  # of the page's width or height: a faint ruled line is longer
FAINT = 0.5  # of the darkest ink's contrast: a ruled line fainter than this is surely no bar of a fraction
THROUGH = 0.97  # of the page's width or height: so long a line is ruled, however dark


def without_ruling(grey: np.ndarray, least: float = 0.2) -> np.ndarray:
    """Removes ruled and squared lines. Strokes across them stay.

    An opening with a long, thin element finds the lines and how dark they are. Pixels that are clearly darker than
    their line belong to a stroke across it, and stay as they are.

    Args:
        grey: dark writing on light paper, flattened and level, (height, width) uint8.
        least: share of the page's width or height that a line crosses, at least.
    """
    found = grey
    for axis in (1, 0):
        found = _without_lines(found, axis, least)
    return found


def without_faint_rules(grey: np.ndarray) -> np.ndarray:
    """Removes ruled and squared lines that are surely no ink: fainter than the ink, or from edge to edge.

    Bars of fractions, roots and underlines stay, which `without_ruling` may take.

    Args:
        grey: dark writing on light paper, flattened and level, (height, width) uint8.
    """
    darkest, paper = ink_and_paper(grey)
    for axis in (1, 0):
        grey = _without_lines(grey, axis, LEAST_RULE, FAINT * (paper - darkest))
    return grey


def _without_lines(grey: np.ndarray, axis: int, least: float, faint: float = 255.0) -> np.ndarray:
    """The page without lines along an axis. `faint`: darker ones stay, unless they run `THROUGH` the page."""
    flat = grey if axis == 1 else np.ascontiguousarray(grey.T)
    height, width = flat.shape
    run = max(15, width // 40) | 1
    if height < 8 or width < 4 * run:
        return grey
    paper = median_grey(flat)
    dark = np.clip(paper - flat.astype(np.int16), 0, 255).astype(np.uint8)
    # Three rows count as one, so that a line that climbs a little is still found.
    lines = cv2.morphologyEx(cv2.dilate(dark, np.ones((3, 1), np.uint8)), cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    mask = cv2.morphologyEx((lines > 8).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, run), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    thick = max(4, round(height / 200))
    # Lines are long, thin for their length, and nearly level. Scratched-out words and dark edges are not.
    keep = (stats[:, cv2.CC_STAT_WIDTH] > least * width) & (
        stats[:, cv2.CC_STAT_AREA] < (thick + 3) * stats[:, cv2.CC_STAT_WIDTH]
    )
    keep[0] = False
    if not keep.any():
        return grey
    # The line's median darkness: a stem that stands on the line is darker.
    usual = np.zeros(len(keep), np.uint8)
    for number in np.flatnonzero(keep):
        left, top, wide, high, _ = stats[number]
        part = slice(top, top + high), slice(left, left + wide)
        usual[number] = np.median(lines[part][labels[part] == number])
        if usual[number] > faint and wide < THROUGH * width:
            usual[number] = 0
    ruled = np.minimum(lines, usual[labels])
    # Pixels darker than the line are a stroke. All others go, and the line's soft edge with them.
    stroke = dark > ruled.astype(np.int16) * 1.25 + 12
    taken = np.where((ruled > 0) & ~stroke, paper, flat).astype(np.uint8)
    return taken if axis == 1 else np.ascontiguousarray(taken.T)
