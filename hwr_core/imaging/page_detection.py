"""The sheet in a photo: its corners, and turning it."""

import cv2
import numpy as np

PAGE_SIDE = 480  # pixels of the longer side at which the sheet is searched for
MIN_SHARE = 0.2  # of the picture: a smaller sheet is none
OTHER_SHARE = 0.5  # of the sheet: a second one of this size is a sheet that is read, too
MIN_FILLED = 0.88  # of its convex hull: a sheet fills more
MOST_SHEETS = 4  # that are looked at
MIN_COLOUR_STEP = 12.0  # in 8-bit Lab: the difference of colour across each side of a sheet
MIN_SIDE = 20  # pixels of a sheet's side, at `PAGE_SIDE`
MAX_COSINE = 0.57  # of a sheet's angles: they are 55° to 125°
MAX_SIDE_RATIO = 1.8  # of a sheet's opposite sides
# Of the picture's longer side: if all corners are nearer to the picture's own, there is nothing to straighten.
MIN_CORNER_DISTANCE = 0.012


def page_corners(image: np.ndarray) -> np.ndarray | None:
    """Finds a sheet that lies on something else.

    Candidates are the largest convex quadrangles above several thresholds of brightness and of colour (Lab). Every
    side of a sheet must have a clear step of colour from outside to inside; the candidate with the clearest steps wins.
    Where another sheet lies beside it, none is cut out: the writing on the other would be lost.

    Args:
        image: the photo, (height, width, 3) uint8 RGB or (height, width) uint8.

    Returns:
        The sheet's corners, (4, 2) float, in pixels, clockwise from the upper left. None if no sheet is clearly
        visible, or if it fills the picture.
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
    found: list[np.ndarray] = []
    beside: list[np.ndarray] = []
    for channel in (lab[..., 0], 255 - chroma, 255 - lab[..., 2]):
        otsu, _ = cv2.threshold(channel, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        low, high = np.percentile(channel, (2, 98))
        # Otsu's threshold alone often separates shadow from light.
        levels = {round(otsu), *np.linspace(low, high, 8)[1:-1].round().astype(int).tolist()}
        for level in sorted(levels):
            sheets = _sheets_above(channel, level)
            found += [sheet for sheet in sheets[:1] if sheet is not None]
            beside += [sheet for sheet in sheets[1:] if sheet is not None]
    colours = lab.astype(np.float32)
    steps = [_least_step(colours, corners) for corners in found]
    if not found or max(steps) < MIN_COLOUR_STEP:
        return None
    corners = found[int(np.argmax(steps))]
    apart = [other for other in (*found, *beside) if _is_beside(other, corners)]
    if any(_least_step(colours, other) >= MIN_COLOUR_STEP for other in apart):
        return None
    height, width = lab.shape[:2]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    return corners * scale if np.abs(corners - frame).max() > MIN_CORNER_DISTANCE * max(height, width) else None


def _sheets_above(channel: np.ndarray, level: int) -> list[np.ndarray | None]:
    """The corners (4, 2) of the largest region above a threshold, then of others; None for one that is no plausible sheet."""
    above = cv2.morphologyEx((channel > level).astype(np.uint8), cv2.MORPH_CLOSE, _disc(13))
    above = cv2.morphologyEx(above, cv2.MORPH_OPEN, _disc(9))
    contours, _ = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    least = MIN_SHARE * channel.size
    largest = sorted(contours, key=cv2.contourArea, reverse=True)[:MOST_SHEETS]
    return [_sheet(contour, OTHER_SHARE * least if place else least) for place, contour in enumerate(largest)]


def _sheet(contour: np.ndarray, least: float) -> np.ndarray | None:
    """The corners (4, 2) of a region; None if it is no plausible sheet of `least` pixels."""
    hull = cv2.convexHull(contour)
    area = cv2.contourArea(hull)
    if area < least or cv2.contourArea(contour) < MIN_FILLED * area:
        return None
    corners = _quadrangle(hull)
    if corners is None or abs(cv2.contourArea(corners) / area - 1) > 0.1 or not _plausible(corners):
        return None
    return clockwise(corners)


def _is_beside(other: np.ndarray, corners: np.ndarray) -> bool:
    """Whether a sheet lies outside another one, and is not much smaller."""
    areas = [cv2.contourArea(sheet.astype(np.float32)) for sheet in (other, corners)]
    if areas[0] < OTHER_SHARE * areas[1]:
        return False
    overlap, _ = cv2.intersectConvexConvex(other.astype(np.float32), corners.astype(np.float32))
    return overlap < 0.1 * min(areas)


def _least_step(lab: np.ndarray, corners: np.ndarray) -> float:
    """The smallest step of colour across the sides of a quadrangle, from 7 pixels outside to 7 pixels inside.

    One side may lie along the picture's edge and is not judged; the result is 0 if more do.

    Args:
        lab: the photo, (height, width, 3) float32 in 8-bit Lab.
        corners: (4, 2) float, in pixels.
    """
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
        # The smallest of four pieces counts: a side of a sheet does not run through the sheet.
        differences = np.linalg.norm(outer - inner, axis=1)
        steps.append(min(float(np.median(piece)) for piece in np.array_split(differences, 4)))
    return min(steps) if steps and at_edge <= 1 else 0.0


def _quadrangle(hull: np.ndarray) -> np.ndarray | None:
    """The four corners (4, 2) of a hull that is nearly a quadrangle; None for other hulls.

    The tolerance grows until the hull has four corners.
    """
    length = cv2.arcLength(hull, True)
    for tolerance in np.arange(0.01, 0.09, 0.005):
        found = cv2.approxPolyDP(hull, tolerance * length, True)
        if len(found) == 4:
            return found[:, 0].astype(np.float32)
        if len(found) < 4:
            return None
    return None


def _plausible(corners: np.ndarray) -> bool:
    """Whether the angles and sides are a sheet's in perspective, not those of a lamp's light."""
    sides = np.roll(corners, -1, 0) - corners
    lengths = np.linalg.norm(sides, axis=1)
    if lengths.min() < MIN_SIDE:
        return False
    cosines = np.abs((sides * np.roll(sides, -1, 0)).sum(1) / (lengths * np.roll(lengths, -1)))
    pairs = lengths[:2] / lengths[2:]
    return bool(cosines.max() < MAX_COSINE and pairs.max() < MAX_SIDE_RATIO and pairs.min() > 1 / MAX_SIDE_RATIO)


def clockwise(corners: np.ndarray) -> np.ndarray:
    """Sorts corners (4, 2) clockwise from the upper left; y grows downwards."""
    middle = corners.mean(0)
    corners = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    return np.roll(corners, -int(np.argmin(corners.sum(1))), 0).astype(float)


def straightened(grey: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cuts a sheet out of a photo and makes it a rectangle.

    Args:
        grey: the photo, (height, width) uint8.
        corners: the sheet's corners, (4, 2) float, in pixels, clockwise from the upper left.

    Returns:
        The sheet, and the (3, 3) matrix that maps its pixels to `grey`'s.
    """
    top, right, bottom, left = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    width, height = round(max(top, bottom)), round(max(left, right))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return flat, np.linalg.inv(matrix)


def turned(grey: np.ndarray, degrees: int) -> tuple[np.ndarray, np.ndarray]:
    """Turns a page by a right angle.

    Args:
        grey: the page, (height, width) uint8.
        degrees: a multiple of 90, counter-clockwise.

    Returns:
        The turned page, and the (3, 3) matrix that maps its pixels to `grey`'s.
    """
    height, width = grey.shape
    back = {
        0: np.eye(3),
        90: np.array([[0, -1, width], [1, 0, 0], [0, 0, 1]], float),
        180: np.array([[-1, 0, width], [0, -1, height], [0, 0, 1]], float),
        270: np.array([[0, 1, 0], [-1, 0, height], [0, 0, 1]], float),
    }[degrees % 360]
    return np.ascontiguousarray(np.rot90(grey, degrees // 90)), back


def _disc(size: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
