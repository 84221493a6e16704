"""From a page to its lines: `rapidocr`'s text detector, its outlines joined into lines and put into reading order."""

import threading
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from hwr_core.line_image import crop_to_ink

DETECTOR_SIDE = 1280  # pixels of the page's longest side that the detector sees; bounds its time and memory
EXPAND_SIDE, EXPAND_UP = 0.2, 0.06  # of a line's height, added to the detector's outline
_DETECTING = threading.Lock()


@dataclass(frozen=True)
class FoundLine:
    """`outline` (4, 2) float: the corners on the page in pixels, clockwise from the top left; `image`
    (height, width) uint8: what they enclose and a little round it, levelled."""

    outline: np.ndarray
    image: np.ndarray


def find_lines(grey: np.ndarray) -> list[FoundLine]:
    """The lines of a page (height, width) uint8, dark on light, in reading order; none on a blank page.

    A picture of one line, which a detector made for pages finds badly, is taken whole.
    """
    whole = crop_to_ink(grey)
    if whole is None:
        return []
    outlines = join_pieces(detect(grey))
    if len(outlines) == 0 or (len(outlines) == 1 and whole.shape[1] > 2 * whole.shape[0]):
        height, width = grey.shape
        return [FoundLine(np.array([[0, 0], [width, 0], [width, height], [0, height]], float), grey)]
    return [FoundLine(outline, cut(grey, _expand(outline))) for outline in reading_order(outlines)]


def detect(grey: np.ndarray) -> list[np.ndarray]:
    """The outlines (4, 2) of the pieces of text on `grey`, in its pixels."""
    scale = min(1.0, DETECTOR_SIDE / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    margin = 32  # text that touches the edge is missed without some paper round it
    small = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=int(np.median(small)))
    with _DETECTING:
        found = _detector()(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), use_det=True, use_cls=False, use_rec=False).boxes
    return [] if found is None else [(np.asarray(quad, float) - margin) / scale for quad in found]


@lru_cache(maxsize=1)
def _detector():
    from rapidocr import RapidOCR

    # The page comes scaled as it should be seen; its own default would enlarge a narrow one to 736 pixels.
    return RapidOCR(params={"Det.limit_type": "max", "Det.limit_side_len": 4096, "Global.log_level": "warning"})


def join_pieces(outlines: list[np.ndarray]) -> list[np.ndarray]:
    """Joins pieces of one line that a wide gap between words has parted: level with each other and close for their size."""
    lines: list[np.ndarray] = []
    for piece in sorted(outlines, key=lambda outline: outline[:, 0].min()):
        near = [(gap, index) for index, line in enumerate(lines) if (gap := _gap(line, piece)) is not None]
        if near:
            index = min(near)[1]
            corners = cv2.boxPoints(cv2.minAreaRect(np.concatenate([lines[index], piece]).astype(np.float32)))
            lines[index] = _clockwise(corners.astype(float))
        else:
            lines.append(piece)
    return lines


def _gap(line: np.ndarray, piece: np.ndarray) -> float | None:
    """Pixels between the end of `line` and the start of `piece`, None where they are not on one line."""
    tall, other = _height(line), _height(piece)
    gap = piece[[0, 3], 0].mean() - line[[1, 2], 0].mean()
    if not -0.3 * min(tall, other) < gap < 0.3 * max(tall, other):
        return None
    # The heights at which the two would meet: the line's right side and the piece's left side.
    shared = min(line[2, 1], piece[3, 1]) - max(line[1, 1], piece[0, 1])
    return float(gap) if shared > 0.65 * min(tall, other) and max(tall, other) < 2.5 * min(tall, other) else None


def _height(outline: np.ndarray) -> float:
    return float((np.linalg.norm(outline[3] - outline[0]) + np.linalg.norm(outline[2] - outline[1])) / 2)


def _clockwise(corners: np.ndarray) -> np.ndarray:
    """Corners from the top left clockwise, for outlines tilted by less than 45°."""
    left = corners[np.argsort(corners[:, 0])]
    (top_left, bottom_left), (top_right, bottom_right) = (pair[np.argsort(pair[:, 1])] for pair in (left[:2], left[2:]))
    return np.array([top_left, top_right, bottom_right, bottom_left])


def reading_order(outlines: list[np.ndarray]) -> list[np.ndarray]:
    """Top to bottom, columns one after the other: cut where white runs through the page (recursive XY-cut, Nagy 1984)."""
    if len(outlines) <= 1:
        return outlines
    height = float(np.median([_height(outline) for outline in outlines]))
    # A gutter parts columns only where each side has several lines: two words side by side are no columns.
    columns = _split(outlines, 0, height)
    if len(columns) > 1 and all(len(column) >= 3 for column in columns):
        return [outline for column in columns for outline in reading_order(column)]
    rows = _split(outlines, 1, 0.3 * height)
    if len(rows) > 1:
        return [outline for row in rows for outline in reading_order(row)]
    return _by_rows(outlines)


def _split(outlines: list[np.ndarray], axis: int, gap: float) -> list[list[np.ndarray]]:
    """Groups along one axis with more than `gap` pixels of white between them."""
    groups: list[list[np.ndarray]] = []
    reach = float("-inf")
    for outline in sorted(outlines, key=lambda outline: outline[:, axis].min()):
        if outline[:, axis].min() - reach > gap or not groups:
            groups.append([])
        groups[-1].append(outline)
        reach = max(reach, outline[:, axis].max())
    return groups


def _by_rows(outlines: list[np.ndarray]) -> list[np.ndarray]:
    """Rows from the top, each from the left; one belongs to a row whose middle it is level with."""
    rows: list[list[np.ndarray]] = []
    for outline in sorted(outlines, key=lambda outline: outline[:, 1].mean()):
        if rows and abs(outline[:, 1].mean() - rows[-1][0][:, 1].mean()) < 0.45 * _height(outline):
            rows[-1].append(outline)
        else:
            rows.append([outline])
    return [outline for row in rows for outline in sorted(row, key=lambda outline: outline[:, 0].min())]


def _expand(outline: np.ndarray) -> np.ndarray:
    """Some more room than the detector leaves: for ascenders, descenders and the ends of words."""
    height = _height(outline)
    along = (outline[1] - outline[0]) / max(np.linalg.norm(outline[1] - outline[0]), 1e-6)
    down = (outline[3] - outline[0]) / max(np.linalg.norm(outline[3] - outline[0]), 1e-6)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return outline + signs[:, :1] * along * EXPAND_SIDE * height + signs[:, 1:] * down * EXPAND_UP * height


def cut(grey: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """The piece of `grey` inside `outline`, levelled, at its own size."""
    width = max(1, round(float(np.linalg.norm(outline[1] - outline[0]) + np.linalg.norm(outline[2] - outline[3])) / 2))
    height = max(1, round(_height(outline)))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(outline.astype(np.float32), target)
    return cv2.warpPerspective(grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
