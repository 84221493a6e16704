"""Finds the lines of a page with `rapidocr`'s text detector and puts them in reading order."""

import threading
from dataclasses import dataclass, replace

import cv2
import numpy as np

from hwr_core.imaging.grey_levels import median_grey
from hwr_core.imaging.ink_mask import ink_box, is_blank
from hwr_core.imaging.line_image import darkened
from hwr_core.imaging.resize import shrunk
from hwr_core.layout.detector import detector
from hwr_core.layout.marks import Mark, leading_mark, with_bullets, without_mark
from hwr_core.layout.missed_lines import missed_outlines
from hwr_core.layout.outlines import joined, line_height, overlap
from hwr_core.layout.reading_order import Ordered, reading_order, rows_of
from hwr_core.reading import Cell, Span
from hwr_core.runtime.scheduling import exclusive_if_memory_is_short
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import spread

DETECTOR_SIDE = 1280  # pixels of the page's longest side that the detector sees; bounds its time and memory
LARGE_LINE = 120  # pixels of a line's height there: the detector breaks larger writing into pieces
USUAL_LINE = 60  # pixels of a line's height to which a page of large writing is scaled
DETECTED_AT_ONCE = 700_000  # pixels that the detector sees at once: larger pages are seen in bands
PARTS = (2,)  # numbers of bands that are tried
PARTS_LOW = (3, 2)  # the same in low-memory mode
PARTS_OVERLAP = 96  # pixels that a band sees of its neighbour
SEAM = 4  # pixels around the border of two bands where either may find a line
DETECTOR_MARGIN = 32  # pixels of paper put around a page: the detector misses text at the edge
EXPAND_SIDE = 0.2  # of a line's height, added to both ends of the detector's outline
EXPAND_UP = 0.06  # of a line's height, added above and below the detector's outline
_DETECTING = threading.Lock()


@dataclass(frozen=True)
class FoundLine:
    """A line on a cleaned page.

    Attributes:
        outline: Its corners on the page in pixels, (4, 2) float, clockwise from the top left.
        image: Its picture, levelled, with a little paper around, (height, width) uint8.
        reach: As of `Line`.
        cell: As of `Line`.
        mark: The list mark that it starts with.
        depth: As of `Line`.
    """

    outline: np.ndarray
    image: np.ndarray
    reach: Span = (0.0, 1.0)
    cell: Cell | None = None
    mark: Mark | None = None
    depth: Span = (0.0, 1.0)

    @property
    def to_read(self) -> np.ndarray:
        """The line's picture without its list mark, (height, width) uint8; very faint ink is darkened."""
        return darkened(self.image if self.mark is None else without_mark(self.image, self.mark))


def find_lines(grey: np.ndarray) -> list[FoundLine]:
    """Finds the lines of a page. A picture of one line is taken whole: the detector is made for pages.

    Args:
        grey: The page, dark on light, (height, width) uint8.

    Returns:
        The lines in reading order; none for a blank page.
    """
    # Between the parts other requests get their turn.
    with exclusive_if_memory_is_short(grey.size):
        if is_blank(grey):
            return []
    outlines = detect(grey)
    with exclusive_if_memory_is_short(grey.size):
        return _lines_of(grey, outlines)


def _lines_of(grey: np.ndarray, outlines: list[np.ndarray]) -> list[FoundLine]:
    """The lines of a page, from the outlines of its pieces."""
    box = ink_box(grey) if _is_one_line(outlines) else None
    if box is not None and box[2] - box[0] > 2 * (box[3] - box[1]):
        left, top, right, bottom = box
        outline = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
        reach = -left / (right - left), (grey.shape[1] - left) / (right - left)
        depth = -top / (bottom - top), (grey.shape[0] - top) / (bottom - top)
        return [FoundLine(outline, grey, reach, depth=depth)]
    outlines = with_bullets(grey, outlines)

    def found(line: Ordered) -> FoundLine:
        cut_out = cut_line(grey, joined([outlines[piece] for piece in line.pieces]))
        return replace(cut_out, cell=line.cell, mark=leading_mark(cut_out.image))

    return spread(found, reading_order(outlines))


def _is_one_line(outlines: list[np.ndarray]) -> bool:
    """Whether the pieces are those of one line. Single characters in a row may be the lines of a page on its side."""
    if len(outlines) > 1 and all(np.ptp(outline[:, 0]) < 1.5 * np.ptp(outline[:, 1]) for outline in outlines):
        return False
    return len(rows_of(outlines)) <= 1


def cut_line(grey: np.ndarray, outline: np.ndarray) -> FoundLine:
    """The line that `outline` (4, 2) encloses on `grey`."""
    more = EXPAND_SIDE * line_height(outline) / max(float(np.linalg.norm(outline[1] - outline[0])), 1e-6)
    return FoundLine(
        outline, cut(grey, _expand(outline)), (-float(more), 1 + float(more)), depth=(-EXPAND_UP, 1 + EXPAND_UP)
    )


def detect(grey: np.ndarray) -> list[np.ndarray]:
    """The outlines (4, 2) of the pieces of text on `grey`, in its pixels. What a first search missed, a second one finds."""
    small = shrunk(grey, DETECTOR_SIDE)
    found = _detected(small)
    if found:
        height = float(np.median([line_height(outline) for outline in found]))
        if height > LARGE_LINE:
            smaller = shrunk(grey, max(64, round(max(small.shape) * USUAL_LINE / height)))
            if again := _detected(smaller):
                small, found = smaller, again
    found = [*found, *missed_outlines(small, found, _detected)]
    scale = max(small.shape) / max(grey.shape)
    return [quad / scale for quad in found]


def _detected(small: np.ndarray) -> list[np.ndarray]:
    """The outlines on the page as the detector sees it, in its pixels."""
    with _DETECTING:
        found = _in_parts(small) if small.size > DETECTED_AT_ONCE else _quads(small)
        if found is not None:
            return found
        if not low_memory():
            return _quads(small)
        # The whole page, in fewer pixels.
        smaller = shrunk(small, round(max(small.shape) * (DETECTED_AT_ONCE / small.size) ** 0.5))
        scale = max(smaller.shape) / max(small.shape)
        return [quad / scale for quad in _quads(smaller)]


def _quads(small: np.ndarray) -> list[np.ndarray]:
    margin = DETECTOR_MARGIN
    small = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=median_grey(small))
    with exclusive_if_memory_is_short(small.size):
        return [quad - margin for quad in detector()(small)]


def _in_parts(small: np.ndarray) -> list[np.ndarray] | None:
    """Detects the page in as few parts as memory allows. None if lines reach beyond the parts: large or upright writing."""
    for count in PARTS_LOW if low_memory() else PARTS:
        if small.shape[0] > 2 * count * PARTS_OVERLAP and (found := _in_bands(small, count)) is not None:
            return found
    return None


def _in_bands(small: np.ndarray, count: int) -> list[np.ndarray] | None:
    """Detects the page in bands, from top to bottom: two bands take half the memory.

    Each band sees a part of its neighbours. It keeps lines with their middle on its own rows. Returns None if one of
    these is not wholly seen.
    """
    height = small.shape[0]
    found: list[np.ndarray] = []
    for number in range(count):
        start, end = round(height * number / count), round(height * (number + 1) / count)
        top, bottom = max(0, start - PARTS_OVERLAP), min(height, end + PARTS_OVERLAP)
        for quad in _quads(small[top:bottom]):
            rows = quad[:, 1] + top
            if (number and rows.mean() < start - SEAM) or (number < count - 1 and rows.mean() >= end + SEAM):
                continue
            if (number and rows.min() < top + SEAM) or (number < count - 1 and rows.max() > bottom - SEAM):
                return None
            if all(overlap(quad + (0, top), other) < 0.5 for other in found):
                found.append(quad + (0, top))
    return found


def _expand(outline: np.ndarray) -> np.ndarray:
    """Some more room than the detector leaves: for ascenders, descenders and the ends of words."""
    height = line_height(outline)
    along = (outline[1] - outline[0]) / max(np.linalg.norm(outline[1] - outline[0]), 1e-6)
    down = (outline[3] - outline[0]) / max(np.linalg.norm(outline[3] - outline[0]), 1e-6)
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return outline + signs[:, :1] * along * EXPAND_SIDE * height + signs[:, 1:] * down * EXPAND_UP * height


def cut(grey: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """The piece of `grey` inside `outline`, levelled, at its own size."""
    width = max(1, round(float(np.linalg.norm(outline[1] - outline[0]) + np.linalg.norm(outline[2] - outline[3])) / 2))
    height = max(1, round(line_height(outline)))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(outline.astype(np.float32), target)
    return cv2.warpPerspective(grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
