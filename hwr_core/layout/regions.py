"""The lines of a page as people may change them: regions that are added, deleted, joined and put in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from hwr_core.layout.line_detection import FoundLine, cut_line
from hwr_core.layout.outlines import overlap
from hwr_core.layout.reading_order import reading_order
from hwr_core.reading import Box, Page, Point

Outline = tuple[Point, ...]

SAME_LINE = 0.5  # intersection over union of two outlines of the same line at least
ENCLOSED = 0.8  # share of a line's box inside a drawn box from which the drawn box replaces the line


@dataclass(frozen=True)
class Region:
    """A line on the photo.

    Attributes:
        outline: Its corners in pixels of the photo, clockwise from the upper left of the writing.
        formula: Whether to read it as a formula.
    """

    outline: Outline
    formula: bool = False


def regions_of(found: Sequence[FoundLine], to_photo: np.ndarray) -> tuple[Region, ...]:
    """The found lines of a cleaned page as regions of the photo. `to_photo` as in `Preprocessed`."""
    return tuple(Region(_rounded(_mapped(line.outline, to_photo))) for line in found)


def lines_at(regions: Sequence[Region], grey: np.ndarray, to_photo: np.ndarray) -> list[FoundLine]:
    """The regions' lines, cut out of the cleaned page `grey` (height, width) uint8."""
    from_photo = np.linalg.inv(to_photo)
    return [cut_line(grey, _mapped(region.outline, from_photo)) for region in regions]


def region_at(box: Box, to_photo: np.ndarray, formula: bool = False) -> Region:
    """The region of a box (left, top, right, bottom) on a picture whose pixels `to_photo` (3, 3) takes to the photo's."""
    left, top, right, bottom = box
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)
    return region_of(corners, to_photo, formula)


def region_of(corners: np.ndarray, to_photo: np.ndarray, formula: bool = False) -> Region:
    """The region of four corners (4, 2), clockwise from the upper left; `to_photo` as for `region_at`."""
    return Region(_rounded(_mapped(corners, to_photo)), formula)


def box_on(region: Region, to_photo: np.ndarray) -> Box:
    """The upright box around a region, on a picture whose pixels `to_photo` (3, 3) takes to the photo's."""
    corners = _mapped(region.outline, np.linalg.inv(to_photo))
    (left, top), (right, bottom) = (
        corners.min(0).round().astype(int).tolist(),
        corners.max(0).round().astype(int).tolist(),
    )
    return left, top, right, bottom


def joined(regions: Sequence[Region]) -> Region:
    """One region around several, in the direction of the widest; it is a formula if the widest is one."""
    widest = max(regions, key=lambda region: np.linalg.norm(np.subtract(region.outline[1], region.outline[0])))
    corners = np.array(widest.outline, float)
    across = corners[1] - corners[0]
    across = across / max(np.linalg.norm(across), 1e-6)
    down = np.array([-across[1], across[0]])
    points = np.array([corner for region in regions for corner in region.outline], float)
    along, depth = points @ across, points @ down
    ends = [
        (along.min(), depth.min()),
        (along.max(), depth.min()),
        (along.max(), depth.max()),
        (along.min(), depth.max()),
    ]
    return Region(_rounded([x * across + y * down for x, y in ends]), widest.formula)


def with_added(regions: Sequence[Region], added: Region, to_photo: np.ndarray) -> tuple[Region, ...]:
    """The regions, whose order stays, and a further one where it comes in reading order. `to_photo` as for `region_at`."""
    from_photo = np.linalg.inv(to_photo)
    outlines = [_mapped(region.outline, from_photo) for region in (*regions, added)]
    order = [piece for line in reading_order(outlines) for piece in line.pieces]
    before = order[: order.index(len(regions))]
    place = before[-1] + 1 if before else 0
    return (*regions[:place], added, *regions[place:])


def with_drawn(regions: Sequence[Region], drawn: Region, to_photo: np.ndarray) -> tuple[Region, ...]:
    """The regions and one that a person drew. It replaces those that it encloses. `to_photo` as for `region_at`."""
    box = box_on(drawn, to_photo)
    rest = [region for region in regions if not _encloses(box, box_on(region, to_photo))]
    return with_added(rest, drawn, to_photo)


def _encloses(outer: Box, inner: Box) -> bool:
    common = [max(0, min(outer[side + 2], inner[side + 2]) - max(outer[side], inner[side])) for side in (0, 1)]
    return common[0] * common[1] >= ENCLOSED * (inner[2] - inner[0]) * (inner[3] - inner[1])


def same_line(outline: Sequence[Point], others: Sequence[Sequence[Point]]) -> int | None:
    """Which of `others` is of the line that `outline` is of, by their overlap; None where none is."""
    shares = [overlap(outline, other) for other in others]
    best = int(np.argmax(shares)) if shares else -1
    return best if best >= 0 and shares[best] >= SAME_LINE else None


def corrected(page: Page, corrections: Mapping[Outline, str]) -> Page:
    """The page with each line's correction, which holds for the line that was at its outline, also where it is now found a little aside."""
    left = dict(corrections)
    texts = [left.pop(line.corners, None) for line in page.lines]
    missing = [index for index, text in enumerate(texts) if text is None]
    for outline, text in left.items():
        place = same_line(outline, [page.lines[index].corners for index in missing])
        if place is not None:
            texts[missing.pop(place)] = text
    lines = (line if text is None else line.with_text(text) for line, text in zip(page.lines, texts, strict=True))
    return replace(page, lines=tuple(lines))


def _mapped(points: Sequence[Point] | np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(np.asarray(points, float)[None], np.asarray(matrix, float))[0]


def _rounded(points: Sequence[np.ndarray] | np.ndarray) -> Outline:
    return tuple((round(float(x)), round(float(y))) for x, y in points)
