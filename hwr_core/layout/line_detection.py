"""From a page to its lines: `rapidocr`'s text detector, and the order in which to read them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from hwr_core.imaging.line_image import shrunk
from hwr_core.imaging.preprocess import ink_box
from hwr_core.reading import Point, Span

DETECTOR_SIDE = 1280  # pixels of the page's longest side that the detector sees; bounds its time and memory
LARGE, USUAL = (
    120,
    60,
)  # pixels of a line's height there: above the first, the page is seen smaller, with lines of the second
WHOLE, OVERLAP, SEAM = (
    700_000,
    96,
    4,
)  # pixels there: of a picture that is seen at once, of the halves' overlap, and of what is uncertain
EXPAND_SIDE, EXPAND_UP = 0.2, 0.06  # of a line's height, added to the detector's outline
NARROW_GUTTER = (
    0.3  # of a line's height: how far the outlines of two columns, which the detector draws widely, may overlap
)
LEANS = (0.0, 0.007, -0.007, 0.014, -0.014, 0.021, -0.021, 0.035, -0.035, 0.05, -0.05)  # of the white between columns
_DETECTING = threading.Lock()


@dataclass(frozen=True)
class FoundLine:
    """`outline` (4, 2) float: the corners on the page in pixels, clockwise from the top left; `image`
    (height, width) uint8: what they enclose and a little round it, levelled; `reach` as of `Line`."""

    outline: np.ndarray
    image: np.ndarray
    reach: Span = (0.0, 1.0)


def find_lines(grey: np.ndarray) -> list[FoundLine]:
    """The lines of a page (height, width) uint8, dark on light, in reading order; none on a blank page.

    A picture of one line, which a detector made for pages finds badly, is taken whole.
    """
    box = ink_box(grey)
    if box is None:
        return []
    outlines = detect(grey)
    if len(_rows(outlines)) <= 1 and box[2] - box[0] > 2 * (box[3] - box[1]):
        left, top, right, bottom = box
        outline = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
        return [FoundLine(outline, grey, (-left / (right - left), (grey.shape[1] - left) / (right - left)))]
    return [cut_line(grey, outline) for outline in reading_order(outlines)]


def cut_line(grey: np.ndarray, outline: np.ndarray) -> FoundLine:
    """The line that `outline` (4, 2) encloses on `grey`."""
    more = EXPAND_SIDE * _height(outline) / max(np.linalg.norm(outline[1] - outline[0]), 1e-6)
    return FoundLine(outline, cut(grey, _expand(outline)), (-float(more), 1 + float(more)))


def detect(grey: np.ndarray) -> list[np.ndarray]:
    """The outlines (4, 2) of the pieces of text on `grey`, in its pixels."""
    found = _detected(grey, DETECTOR_SIDE)
    if found:
        scale = min(1.0, DETECTOR_SIDE / max(grey.shape))
        height = scale * float(np.median([_height(outline) for outline in found]))
        if height > LARGE:  # the detector breaks large writing into pieces
            found = _detected(grey, max(64, round(scale * max(grey.shape) * USUAL / height))) or found
    return found


def _detected(grey: np.ndarray, side: int) -> list[np.ndarray]:
    """As seen at `side` pixels of the longest side."""
    small = shrunk(grey, side)
    scale = max(small.shape) / max(grey.shape)
    with _DETECTING:
        found = _in_halves(small) if small.size > WHOLE and small.shape[0] > 4 * OVERLAP else None
        return [quad / scale for quad in (_quads(small) if found is None else found)]


def _quads(small: np.ndarray) -> list[np.ndarray]:
    margin = 32  # text that touches the edge is missed without some paper round it
    small = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=int(np.median(small)))
    found = _detector()(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), use_det=True, use_cls=False, use_rec=False).boxes
    return [] if found is None else [np.asarray(quad, float) - margin for quad in found]


def _in_halves(small: np.ndarray) -> list[np.ndarray] | None:
    """The upper half, then the lower one, which takes half the memory; each sees a little of the other, and finds what has its middle on
    its own side. None where something found does not end within what its half sees: large or upright writing."""
    middle = small.shape[0] // 2
    upper = [quad for quad in _quads(small[: middle + OVERLAP]) if quad[:, 1].mean() < middle + SEAM]
    lower = [quad + (0, middle - OVERLAP) for quad in _quads(small[middle - OVERLAP :])]
    lower = [quad for quad in lower if quad[:, 1].mean() >= middle - SEAM]
    if any(quad[:, 1].max() > middle + OVERLAP - SEAM for quad in upper) or any(
        quad[:, 1].min() < middle - OVERLAP + SEAM for quad in lower
    ):
        return None
    return upper + [quad for quad in lower if all(overlap(quad, other) < 0.5 for other in upper)]


def overlap(first: Sequence[Point] | np.ndarray, second: Sequence[Point] | np.ndarray) -> float:
    """Intersection over union of two outlines' convex hulls."""
    hulls = [cv2.convexHull(np.asarray(outline, np.float32)) for outline in (first, second)]
    common, _ = cv2.intersectConvexConvex(*hulls)
    return common / max(sum(map(cv2.contourArea, hulls)) - common, 1e-6)


@lru_cache(maxsize=1)
def _detector():
    from rapidocr import RapidOCR

    # The page comes scaled as it should be seen; its own default would enlarge a narrow one to 736 pixels.
    return RapidOCR(params={"Det.limit_type": "max", "Det.limit_side_len": 4096, "Global.log_level": "warning"})


def _height(outline: np.ndarray) -> float:
    return float((np.linalg.norm(outline[3] - outline[0]) + np.linalg.norm(outline[2] - outline[1])) / 2)


def reading_order(outlines: list[np.ndarray]) -> list[np.ndarray]:
    """Top to bottom, columns one after the other: cut where white runs through the page (recursive XY-cut, Nagy 1984)."""
    if not outlines:
        return []
    height = float(np.median([_height(outline) for outline in outlines]))
    # White as wide as a line is high parts columns of a few lines; a narrower strip only those of many.
    for gap, lines in ((height, 3), (-NARROW_GUTTER * height, 8)):
        columns = _columns(outlines, gap, lines)
        if len(columns) > 1:
            return [outline for column in columns for outline in reading_order(column)]
    rows = _split(outlines, 1, 0.3 * height)
    if len(rows) > 1:
        return [outline for row in rows for outline in reading_order(row)]
    return [outline for row in _rows(outlines) for outline in row]


def _columns(outlines: list[np.ndarray], gap: float, lines: int) -> list[list[np.ndarray]]:
    """Columns from the left, parted by white that may lean as a page's fold does; one where there are none.

    Each has at least so many lines: two words side by side are no columns, and a page number between two belongs to the one before it.
    """
    best = [outlines]
    for lean in LEANS:
        columns: list[list[np.ndarray]] = []
        for group in _split(outlines, 0, gap, lean):
            if columns and min(len(group), len(columns[-1])) < lines:
                columns[-1].extend(group)
            else:
                columns.append(group)
        if len(columns) > len(best):
            best = columns
    return best


def _split(outlines: list[np.ndarray], axis: int, gap: float, lean: float = 0.0) -> list[list[np.ndarray]]:
    """Groups along one axis with more than `gap` pixels of white between them, which runs `lean` pixels aside a pixel down."""
    groups: list[list[np.ndarray]] = []
    reach = float("-inf")
    places = [outline[:, axis] - lean * outline[:, 1 - axis] for outline in outlines]
    for index in sorted(range(len(outlines)), key=lambda index: places[index].min()):
        if places[index].min() - reach > gap or not groups:
            groups.append([])
        groups[-1].append(outlines[index])
        reach = max(reach, places[index].max())
    return groups


def _rows(outlines: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Rows from the top, each from the left; one belongs to a row whose middle it is level with."""
    rows: list[list[np.ndarray]] = []
    for outline in sorted(outlines, key=lambda outline: outline[:, 1].mean()):
        if rows and abs(outline[:, 1].mean() - rows[-1][0][:, 1].mean()) < 0.45 * _height(outline):
            rows[-1].append(outline)
        else:
            rows.append([outline])
    return [sorted(row, key=lambda outline: outline[:, 0].min()) for row in rows]


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
