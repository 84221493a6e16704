"""Outlines of lines: their corners (4, 2) in pixels, clockwise from the top left."""

from collections.abc import Sequence

import cv2
import numpy as np

from hwr_core.reading import Point


def line_height(outline: np.ndarray) -> float:
    """The mean length in pixels of the left and right sides of an outline (4, 2)."""
    return float((np.linalg.norm(outline[3] - outline[0]) + np.linalg.norm(outline[2] - outline[1])) / 2)


def joined(outlines: Sequence[np.ndarray]) -> np.ndarray:
    """The outline (4, 2) around the pieces of one line, given from the left."""
    if len(outlines) == 1:
        return outlines[0]
    corners = np.array([outlines[0][0], outlines[-1][1], outlines[-1][2], outlines[0][3]], float)
    # The ends say where the line runs; what stands out above or below it in between lifts or lowers it as a whole.
    for sign, first, second in ((-1, 0, 1), (1, 3, 2)):
        points = np.concatenate([outline[[first, second]] for outline in outlines])
        share = (points[:, 0] - corners[first, 0]) / max(corners[second, 0] - corners[first, 0], 1e-6)
        line = corners[first, 1] + share * (corners[second, 1] - corners[first, 1])
        corners[[first, second], 1] += sign * max(0.0, float((sign * (points[:, 1] - line)).max()))
    return corners


def overlap(first: Sequence[Point] | np.ndarray, second: Sequence[Point] | np.ndarray) -> float:
    """Intersection over union of two outlines' convex hulls."""
    one, other = (cv2.convexHull(np.asarray(outline, np.float32)) for outline in (first, second))
    common, _ = cv2.intersectConvexConvex(one, other)
    return common / max(cv2.contourArea(one) + cv2.contourArea(other) - common, 1e-6)
