"""Joins the broken lines of a page into paragraphs, for formats that write flowing text."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from hwr_core.reading import Box, Line, Page, Reading, join_readings

WIDE_GAP = 1.7  # times the page's usual distance of lines: a wider one starts a paragraph
INDENT = 0.8  # times the usual distance of lines by which the first line of a paragraph is moved in at least
ROOM = 1.1  # a line that had this many times the room for the next word ended its paragraph
COLUMN_SHARE = 0.5  # of the narrower of two lines that must lie above the other, to be in one column
LIST_MARK = re.compile(r"^\s*([-–•*·]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])(\s|$)")
HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐=¬]$")  # at a line's end, after a letter


def in_paragraphs(page: Page) -> Page:
    """The page with each paragraph as one line. Formulas and the rows of tables stay as they are.

    A line starts a paragraph in four cases. The line before had room for its first word. It is moved in. It has a list
    mark. The gap above it is wide. A word that is broken by a hyphen is joined.

    Args:
        page: The page as it was read.

    Returns:
        A page whose lines have the boxes around their paragraphs and no outlines.
    """
    lines = page.lines
    step = _usual_step(lines)
    joined: list[list[Line]] = []
    for place, line in enumerate(lines):
        if place and _goes_on(lines[place - 1], line, _column(lines, line), step):
            joined[-1].append(line)
        else:
            joined.append([line])
    return replace(page, lines=tuple(map(_joined, joined)))


def _goes_on(before: Line, line: Line, column: Box, step: float) -> bool:
    """Whether a line goes on the paragraph of the line before."""
    if before.formula or line.formula or before.cell or line.cell or not line.reading.text.strip():
        return False
    if LIST_MARK.match(line.reading.text):
        return False
    if line.box[1] < before.box[1]:  # at the top of the next column
        before_room = 0.0
    else:
        if _middle(line) - _middle(before) > WIDE_GAP * step:
            return False
        before_room = column[2] - before.box[2]
    if line.box[0] - column[0] > INDENT * step and line.box[0] > before.box[0] + 0.5 * INDENT * step:
        return False
    text = line.reading.text.strip()
    word = len(text.split(" ")[0]) + 1  # with the space before it
    return before_room < ROOM * word * (line.box[2] - line.box[0]) / max(1, len(text))


def _column(lines: Sequence[Line], line: Line) -> Box:
    """The box around the lines that lie above or below a line."""
    boxes = [other.box for other in lines if other is line or _overlap(other.box, line.box) >= COLUMN_SHARE]
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _overlap(one: Box, other: Box) -> float:
    """The share of the narrower box's width that both have in common."""
    common = min(one[2], other[2]) - max(one[0], other[0])
    return common / max(1, min(one[2] - one[0], other[2] - other[0]))


def _usual_step(lines: Sequence[Line]) -> float:
    """The usual distance of lines below each other, in pixels."""
    steps = [_middle(line) - _middle(before) for before, line in itertools.pairwise(lines)]
    down = sorted(step for step in steps if step > 0)
    return down[(len(down) - 1) // 2] if down else 0.0


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _joined(lines: Sequence[Line]) -> Line:
    if len(lines) == 1:
        return lines[0]
    reading = lines[0].reading
    for line in lines[1:]:
        reading = _with_next(reading, line.reading)
    left, top, right, bottom = zip(*(line.box for line in lines), strict=True)
    box = min(left), min(top), max(right), max(bottom)
    corrected = any(line.corrected for line in lines)
    return Line(box, lines[0].image, reading, corrected=corrected)


def _with_next(reading: Reading, following: Reading) -> Reading:
    """Two readings as one text. A hyphen that breaks a word goes if the next line starts with a small letter."""
    text = reading.text.rstrip()
    if HYPHEN.search(text) and following.text.lstrip()[:1].islower():
        confidences = reading.character_confidences[: len(text) - 1]
        broken = replace(
            reading,
            text=text[:-1],
            character_confidences=confidences,
            word_confidences=reading.word_confidences[: len(text) - 1],
        )
        return join_readings([broken, following], "")
    return join_readings([reading, following], " ")
