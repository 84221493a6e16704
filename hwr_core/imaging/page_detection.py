"""The sheet in a photo: its corners, which way up it is, and the lines printed on it."""

import cv2
import numpy as np

from hwr_core.imaging.ink_mask import BLANK_CONTRAST, is_light_on_dark
from hwr_core.imaging.resize import shrunk

DARK_SIDE = 800  # pixels at which light writing is told from dark
PAGE_SIDE = 480  # pixels at which the sheet is looked for
LEAST_SHARE = 0.2  # of the picture that a sheet fills at least
LEAST_STEP = 12.0  # of colour across each of its sides, in 8-bit Lab
LEAST_CHANGE = (
    0.012  # of the picture's size that a corner is away from the picture's own, or there is nothing to straighten
)


def page_corners(image: np.ndarray) -> np.ndarray | None:
    """The corners (4, 2) of a sheet on something else, in pixels of `image` (height, width, 3) RGB or (height, width) uint8, clockwise
    from the upper left; None where no sheet is clearly seen, or it fills the picture.

    Candidates are the largest convex quadrangles above some thresholds of brightness and of colour (Lab); one is believed
    where every side of it has a clear step from outside to inside, and that with the clearest steps is taken.
    """
    if min(image.shape[:2]) < max(100, 0.2 * max(image.shape[:2])):
        return None
    scale = max(image.shape[:2]) / PAGE_SIDE
    colour = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    small = cv2.resize(
        colour, (round(image.shape[1] / scale), round(image.shape[0] / scale)), interpolation=cv2.INTER_AREA
    )
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (5, 5), 0), cv2.COLOR_RGB2LAB)
    chroma = np.hypot(*(lab[..., 1:].astype(np.float32) - 128).transpose(2, 0, 1)).clip(0, 255).astype(np.uint8)
    found = []
    for channel in (lab[..., 0], 255 - chroma, 255 - lab[..., 2]):
        otsu, _ = cv2.threshold(channel, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        low, high = np.percentile(channel, (2, 98))
        levels = {
            round(otsu),
            *np.linspace(low, high, 8)[1:-1].round().astype(int).tolist(),
        }  # Otsu's often parts shadow from light
        found += [corners for level in sorted(levels) if (corners := _sheet_above(channel, level)) is not None]
    steps = [_least_step(lab.astype(np.float32), corners) for corners in found]
    if not found or max(steps) < LEAST_STEP:
        return None
    corners = found[int(np.argmax(steps))]
    height, width = lab.shape[:2]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    return corners * scale if np.abs(corners - frame).max() > LEAST_CHANGE * max(height, width) else None


def _sheet_above(channel: np.ndarray, level: int) -> np.ndarray | None:
    """The corners of the largest region above a threshold, if it is a plausible sheet."""
    above = cv2.morphologyEx((channel > level).astype(np.uint8), cv2.MORPH_CLOSE, _disc(13))
    above = cv2.morphologyEx(above, cv2.MORPH_OPEN, _disc(9))
    contours, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(largest)
    area = cv2.contourArea(hull)
    if area < LEAST_SHARE * channel.size or cv2.contourArea(largest) < 0.88 * area:
        return None
    corners = _quadrangle(hull)
    if corners is None or abs(cv2.contourArea(corners) / area - 1) > 0.1 or not _plausible(corners):
        return None
    return clockwise(corners)


def _least_step(lab: np.ndarray, corners: np.ndarray) -> float:
    """The smallest difference of colour, of those across each side of the quadrangle, a few pixels outside and inside; what lies along
    the picture's edge is not judged, but no more than one side may."""
    height, width = lab.shape[:2]
    middle = corners.mean(0)
    steps, at_edge = [], 0
    for start, end in zip(corners, np.roll(corners, -1, 0), strict=True):
        along = (end - start) / np.linalg.norm(end - start)
        out = np.array([along[1], -along[0]])
        out = -out if out @ (middle - start) > 0 else out
        points = start + np.linspace(0.06, 0.94, 40)[:, None] * (end - start)
        sides = [(points + distance * out).round().astype(int) for distance in (7, -7)]
        inside = [((side >= 0) & (side < (width, height))).all(1) for side in sides]
        both = inside[0] & inside[1]
        if both.mean() < 0.5:
            at_edge += 1
            continue
        outer, inner = (lab[side[both][:, 1], side[both][:, 0]] for side in sides)
        # Of short pieces the least: a side that runs half through the sheet is none.
        differences = np.linalg.norm(outer - inner, axis=1)
        steps.append(min(float(np.median(piece)) for piece in np.array_split(differences, 4)))
    return min(steps) if steps and at_edge <= 1 else 0.0


def _quadrangle(hull: np.ndarray) -> np.ndarray | None:
    """Four corners (4, 2) that the hull is nearly, from the finest tolerance that leaves four."""
    length = cv2.arcLength(hull, True)
    for tolerance in np.arange(0.01, 0.09, 0.005):
        found = cv2.approxPolyDP(hull, tolerance * length, True)
        if len(found) == 4:
            return found[:, 0].astype(np.float32)
        if len(found) < 4:
            return None
    return None


def _plausible(corners: np.ndarray) -> bool:
    """Angles of 55° to 125°, opposite sides of similar length: a sheet, not a lamp's light."""
    sides = np.roll(corners, -1, 0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    if lengths.min() < 20:
        return False
    cosines = np.abs((sides * np.roll(sides, -1, 0)).sum(1) / (lengths * np.roll(lengths, -1)))
    pairs = lengths[:2] / lengths[2:]
    return bool(cosines.max() < 0.57 and pairs.max() < 1.8 and pairs.min() > 1 / 1.8)


def clockwise(corners: np.ndarray) -> np.ndarray:
    """From the upper left, clockwise with y downwards."""
    middle = corners.mean(0)
    corners = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    return np.roll(corners, -int(np.argmin(corners.sum(1))), 0).astype(float)


def is_dark(grey: np.ndarray) -> bool:
    """Whether a page (height, width) uint8 has light writing on a dark ground, in whatever light.

    What stands out of its neighbourhood's median is writing, neither shadow nor a table beside the page. Where nothing thin does, as in
    one word in bold letters, the greys of the whole picture tell.
    """
    small = shrunk(grey, DARK_SIDE)
    if min(small.shape) < DARK_SIDE // 5:  # one line, which is in one light
        return is_light_on_dark(grey)
    size = 31
    darker, lighter = np.percentile(small.astype(np.int16) - cv2.medianBlur(small, size), (0.5, 99.5)) * (-1, 1)
    clear = max(darker, lighter) >= BLANK_CONTRAST and not 1 / 1.1 < lighter / max(darker, 1) < 1.1
    return bool(lighter > darker) if clear else is_light_on_dark(grey)


def straightened(grey: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sheet inside `corners` as a rectangle, and the 3×3 matrix from its pixels to `grey`'s."""
    top, right, bottom, left = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    width, height = round(max(top, bottom)), round(max(left, right))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flat, np.linalg.inv(matrix)


def turned(grey: np.ndarray, degrees: int) -> tuple[np.ndarray, np.ndarray]:
    """Turned counter-clockwise by a multiple of 90 degrees, and the 3×3 matrix from its pixels to `grey`'s."""
    height, width = grey.shape
    back = {
        0: np.eye(3),
        90: np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], float),
        180: np.array([[-1, 0, width], [0, -1, height], [0, 0, 1]], float),
        270: np.array([[0, 1, 0], [-1, 0, height], [0, 0, 1]], float),
    }[degrees % 360]
    return np.ascontiguousarray(np.rot90(grey, degrees // 90)), back


def without_ruling(grey: np.ndarray, least: float = 0.2) -> np.ndarray:
    """Without the printed lines: level or upright ones that go through at least `least` of the page. Strokes across them stay.

    What is dark along a long straight run and not darker (an opening with a long thin element) is line; where a
    stroke crosses, it is darker than the line, and stays as it was. Expects flattened, level paper.
    """
    found = grey
    for axis in (1, 0):
        found = _without_lines(found, axis, least)
    return found


def _without_lines(grey: np.ndarray, axis: int, least: float) -> np.ndarray:
    flat = grey if axis == 1 else np.ascontiguousarray(grey.T)
    height, width = flat.shape
    run = max(15, width // 40) | 1
    if height < 8 or width < 4 * run:
        return grey
    paper = int(np.median(flat))
    dark = np.clip(paper - flat.astype(np.int16), 0, 255).astype(np.uint8)
    # A line that climbs a little stays a line: seen through three rows at once.
    lines = cv2.morphologyEx(cv2.dilate(dark, np.ones((3, 1), np.uint8)), cv2.MORPH_OPEN, np.ones((1, run), np.uint8))
    mask = cv2.morphologyEx((lines > 8).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, run), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    thick = max(4, round(height / 200))
    # Long, thin for its length, and level enough: a scratched-out word or a dark edge is none.
    keep = (stats[:, cv2.CC_STAT_WIDTH] > least * width) & (
        stats[:, cv2.CC_STAT_AREA] < (thick + 3) * stats[:, cv2.CC_STAT_WIDTH]
    )
    keep[0] = False
    if not keep.any():
        return grey
    # As dark as the line is for most of its way: a stem that stands on it is darker.
    usual = np.zeros(len(keep), np.uint8)
    for number in np.flatnonzero(keep):
        left, top, wide, high, _ = stats[number]
        part = slice(top, top + high), slice(left, left + wide)
        usual[number] = np.median(lines[part][labels[part] == number])
    ruled = np.minimum(lines, usual[labels])
    # Darker than the line is a stroke; beside it, the line's own soft edge goes too.
    stroke = dark > ruled.astype(np.int16) * 1.25 + 12
    taken = np.where((ruled > 0) & ~stroke, paper, flat).astype(np.uint8)
    return taken if axis == 1 else np.ascontiguousarray(taken.T)


def _disc(size: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
