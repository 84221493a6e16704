"""The words of a line that was read: the text tells the words, the gaps in the ink tell their places."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from hwr_core.imaging.ink_mask import ink_mask
from hwr_core.imaging.lighting import is_light_on_dark
from hwr_core.layout.baselines import ink_base
from hwr_core.reading import Box, Line, Page, Point, Span

NO_PICTURE = Image.new("L", (1, 1), 255)
USUAL_BASE = 0.75  # of a line's height from its top: the baseline of a line without a picture
NARROW = set("iIjl.,;:'!|()[]- t1")  # characters half as wide as others
LEAST_WIDTH = 0.5  # of a word's usual width, where no gap shows its end
NO_ROOM = 0.1  # of a word's usual width; a narrower one gets `LEAST_WIDTH`
WIDE = set("mwMWœæ—%")  # characters half as wide again as others


@dataclass(frozen=True)
class Word:
    """A word of a line.

    Attributes:
        text: The word.
        confidence: Estimated probability that the word is right, 0 to 1.
        character_confidences: The same for each character.
        corners: Its corners on the page, clockwise from the top left.
        struck: Whether it is struck out.
    """

    text: str
    confidence: float
    character_confidences: tuple[float, ...]
    corners: tuple[Point, ...]
    struck: bool = False

    @property
    def box(self) -> Box:
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def words_of(line: Line) -> list[Word]:
    """The words between the spaces of the line's text, from the left; a formula is one."""
    text, spans = line.reading.text, spans_of(line)
    if not spans:
        return []
    ends = _ends(line, spans)
    confidences = line.reading.character_confidences or (line.reading.confidence,) * len(text)
    words = []
    for (start, end), (left, right) in zip(spans, ends, strict=True):
        own = confidences[start:end]
        struck = line.reading.is_struck(start, end)
        sure = line.reading.word_confidence(start, end)
        confidence = float(np.prod(own)) if sure is None else sure
        words.append(Word(text[start:end], confidence, own, _corners(line, left, right), struck))
    return words


def spans_of(line: Line) -> list[tuple[int, int]]:
    """Where each word of a line starts and ends in its text; a formula is one word."""
    text = line.reading.text
    if line.formula:
        return [(0, len(text))] if text.strip() else []
    return word_spans(text)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where each word between the spaces of a text starts and ends."""
    spans, start = [], 0
    for word in text.split(" "):
        if word:
            spans.append((start, start + len(word)))
        start += len(word) + 1
    return spans


def gaps_of(image: Image.Image) -> tuple[Span, ...]:
    """Where there is white from top to bottom, before the line's first ink and after its last too: from and to, 0–1 of the picture."""
    grey = np.asarray(image.convert("L"))
    return gaps_in(ink_mask(255 - grey if is_light_on_dark(grey) else grey)) if grey.size > 1 else ()


def gaps_in(mask: np.ndarray) -> tuple[Span, ...]:
    """As `gaps_of`, from the ink of the picture: (height, width) bool."""
    columns, width = np.flatnonzero(mask.any(0)), mask.shape[1]
    if len(columns) < 2:
        return ()
    edges = np.concatenate([[-1], columns, [width]])
    ends = np.flatnonzero(np.diff(edges) > 1)
    return tuple(((edges[end] + 1) / width, edges[end + 1] / width) for end in ends.tolist())


def without_pictures(page: Page) -> Page:
    """The page without its lines' pictures, for keeping many: words and baselines still lie at the same places."""
    lines = (replace(line, gaps=gaps_of(line.image), base=base_of(line), image=NO_PICTURE) for line in page.lines)
    unreadable = (replace(line, image=NO_PICTURE) for line in page.unreadable)
    return replace(page, lines=tuple(lines), unreadable=tuple(unreadable))


def base_of(line: Line) -> Span:
    """The heights of a line's baseline at its first and its last ink: 0 at the outline's upper edge, 1 at the lower."""
    if line.base is not None:
        return line.base
    found = ink_base(line.image)
    if found is None:
        return USUAL_BASE, USUAL_BASE
    (left, right), ink = found
    if line.depth is None:
        return (left - ink[0]) / (ink[1] - ink[0]), (right - ink[0]) / (ink[1] - ink[0])
    top, bottom = line.depth
    return top + left * (bottom - top), top + right * (bottom - top)


def baseline_of(line: Line) -> tuple[Point, Point]:
    """The ends of the line on which a line's letters stand, on the page."""
    ((first, last),) = _on_outline(line, np.array([(0.0, 1.0)]))
    corners = np.array(line.corners, float)
    ends = []
    for along, down in zip((first, last), base_of(line), strict=True):
        upper = corners[0] + along * (corners[1] - corners[0])
        lower = corners[3] + along * (corners[2] - corners[3])
        x, y = upper + min(1.0, max(0.0, down)) * (lower - upper)
        ends.append((round(float(x)), round(float(y))))
    return ends[0], ends[1]


def unread_boxes(line: Line) -> list[Box]:
    """The boxes on the page of the stretches of a line that its text does not cover."""
    if not line.reading.unread:
        return []
    boxes = []
    for left, right in _on_outline(line, np.array(line.reading.unread)):
        xs, ys = zip(*_corners(line, left, right), strict=True)
        boxes.append((min(xs), min(ys), max(xs), max(ys)))
    return boxes


def parts_of(line: Line, spans: list[tuple[int, int]]) -> list[Span]:
    """For each word where it starts and ends, 0–1 of the way from the line's first ink to its last."""
    first, last, gaps = _ink_of(line)
    within = [
        ((left - first) / (last - first), (right - first) / (last - first))
        for left, right in gaps
        if first < right and left < last
    ]
    return _parts(line.reading.text, spans, within)


def _ends(line: Line, spans: list[tuple[int, int]]) -> list[Span]:
    """For each word where it starts and ends, 0–1 along the line's outline."""
    return _on_outline(line, np.array(parts_of(line, spans)))


def _ink_of(line: Line) -> tuple[float, float, Sequence[Span]]:
    """Where the ink of a line's picture starts and ends, 0–1 of its width, and the gaps in it."""
    gaps = gaps_of(line.image) if line.gaps is None else line.gaps
    first = gaps[0][1] if gaps and gaps[0][0] == 0 else 0.0
    last = gaps[-1][0] if gaps and gaps[-1][1] == 1 else 1.0
    return first, last, gaps


def _on_outline(line: Line, parts: np.ndarray) -> list[Span]:
    """Stretches (n, 2), 0–1 of the way from the line's first ink to its last, as shares of its outline."""
    if line.reach is not None:
        first, last, _ = _ink_of(line)
        start, end = line.reach
        parts = start + (first + parts * (last - first)) * (end - start)
    return parts.clip(0, 1).tolist()


def _parts(text: str, spans: list[tuple[int, int]], gaps: Sequence[Span]) -> list[Span]:
    """For each word where it starts and ends, 0–1 of the way from the line's first ink to its last, as `gaps` are.

    By the usual widths of letters first; then every space moves to the widest gap in the ink near it.
    """
    widths = np.cumsum([0.0, *(0.55 if c in NARROW else 1.5 if c in WIDE else 1.0 for c in text)])
    places = [(widths[start] / widths[-1], widths[end] / widths[-1]) for start, end in spans]
    if len(spans) < 2:
        return places
    parts = [list(place) for place in places]
    for index, (word, after) in enumerate(itertools.pairwise(places)):
        start = parts[index][0]
        middle = (word[1] + after[0]) / 2
        window = 0.6 * min(word[1] - word[0], after[1] - after[0]) + 0.02
        near = [gap for gap in gaps if abs((gap[0] + gap[1]) / 2 - middle) < window and gap[0] > start]
        if near:
            parts[index][1], parts[index + 1][0] = max(near, key=lambda gap: gap[1] - gap[0])
        else:  # its start may have moved beyond its usual end
            parts[index][1] = max(word[1], start + LEAST_WIDTH * (word[1] - word[0]))
            parts[index + 1][0] = max(after[0], parts[index][1])
    limit = 1.0
    for part, (left, right) in zip(reversed(parts), reversed(places), strict=True):
        part[1] = min(part[1], limit)
        if part[1] - part[0] < NO_ROOM * (right - left):  # the words before it took its room
            part[0] = max(0.0, part[1] - LEAST_WIDTH * (right - left))
        limit = part[0]
    return [(left, right) for left, right in parts]


def _corners(line: Line, left: float, right: float) -> tuple[Point, ...]:
    """The part of the line's outline from `left` to `right`, 0–1."""
    corners = np.array(line.corners, float)
    top, bottom = corners[1] - corners[0], corners[2] - corners[3]
    found = [corners[0] + left * top, corners[0] + right * top, corners[3] + right * bottom, corners[3] + left * bottom]
    return tuple((round(float(x)), round(float(y))) for x, y in found)
