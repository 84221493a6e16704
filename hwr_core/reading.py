"""The results of reading: a `Reading` of one line, a `Line` on a page, a `Page`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Literal, TypeVar

import numpy as np
from PIL import Image
from typing_extensions import TypedDict  # before Python 3.12, pydantic needs this one for the API's schema

Point = tuple[int, int]  # x and y, in pixels of the page, or in canvas units for ink
Span = tuple[float, float]  # start and end along a line
Box = tuple[int, int, int, int]  # left, top, right and bottom, in the units of a point


class AlternativeRecord(TypedDict):
    """An `Alternative` as plain values."""

    text: str
    score: float


class ReadingRecord(TypedDict):
    """The result of `Reading.to_dict`."""

    text: str
    confidence: float
    character_confidences: list[float]
    alternatives: list[AlternativeRecord]
    complete: bool
    unread: list[list[float]]
    unreadable: bool
    struck: list[list[int]]


class LineRecord(ReadingRecord):
    """The result of `Line.to_dict`."""

    box: list[int]
    outline: list[list[int]]
    kind: Literal["text", "formula"]
    corrected: bool
    cell: list[int] | None


class PageRecord(TypedDict):
    """The result of `Page.to_dict`."""

    width: int
    height: int
    text: str
    lines: list[LineRecord]
    unread: list[list[int]]
    unreadable: list[LineRecord]


def box_corners(box: Box) -> tuple[Point, Point, Point, Point]:
    """The corners of a box, clockwise from the upper left."""
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


@dataclass(frozen=True)
class PageId:
    """Identifies a page of a document.

    Attributes:
        file: the document's name, with or without folders.
        number: the page's number in the document, from 1.
        count: how many pages the document has.
    """

    file: str
    number: int = 1
    count: int = 1

    @property
    def title(self) -> str:
        """The name to display: the file's name, with the page number if the document has several pages."""
        return self.file if self.count == 1 else f"{self.file}, page {self.number}"

    @property
    def stem(self) -> str:
        """The name of a file that is written for this page, without folders and suffix."""
        stem = PurePath(self.file.replace("\\", "/")).stem or "page"
        return stem if self.count == 1 else f"{stem}, page {self.number}"

    def __str__(self) -> str:
        return self.title


# Type of the keys of a mapping of pages: the pages' identities, or the names of their pictures.
PageName = TypeVar("PageName", bound=PageId | str)


@dataclass(frozen=True)
class Cell:
    """Where a line stands in a table or form of the page; all count from 0.

    Attributes:
        table: Number of the table or form on the page.
        row: Number of the row in it.
        column: Number of the column in it.
    """

    table: int
    row: int
    column: int


@dataclass(frozen=True)
class Alternative:
    """Another possible text of a line.

    Attributes:
        text: the text.
        score: how likely it is right, 0–1, comparable to `Reading.confidence`.
    """

    text: str
    score: float


@dataclass(frozen=True)
class Reading:
    """The text of a line.

    Attributes:
        text: the text.
        confidence: the estimated probability that the whole text is right, 0–1.
        character_confidences: the same for each character of `text`.
        alternatives: other possible texts, best first.
        complete: False if the line is longer than the decoder can write, or if the decoder began to repeat itself;
            `text` is then its beginning.
        unread: stretches of the line that the text does not cover: from and to, 0–1 of the width of its ink.
        unreadable: whether the ink looks like no text. `text` is then empty, and `alternatives` holds the best guess.
        formula: whether the text is LaTeX.
        struck: where words that are struck out on the paper start and end in `text`.
        word_confidences: for each character of `text` the estimated probability that its whole word and the space after
            it are right, 0–1; 1 for spaces. Empty if the checkpoint has no such estimate.
    """

    text: str
    confidence: float
    character_confidences: tuple[float, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    complete: bool = True
    unread: tuple[Span, ...] = ()
    unreadable: bool = False
    formula: bool = False
    struck: tuple[tuple[int, int], ...] = ()
    word_confidences: tuple[float, ...] = ()

    def to_dict(self) -> ReadingRecord:
        """The reading as plain values, ready for JSON."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "character_confidences": [round(value, 4) for value in self.character_confidences],
            "alternatives": [{"text": other.text, "score": round(other.score, 4)} for other in self.alternatives],
            "complete": self.complete,
            "unread": [[round(start, 4), round(end, 4)] for start, end in self.unread],
            "unreadable": self.unreadable,
            "struck": [list(span) for span in self.struck],
        }

    def is_struck(self, start: int, end: int) -> bool:
        """Whether the characters from `start` to `end` belong to one struck-out word."""
        return any(first <= start and end <= last for first, last in self.struck)

    def word_confidence(self, start: int, end: int) -> float | None:
        """The probability that the word from `start` to `end` is right; None without an estimate."""
        return min(self.word_confidences[start:end], default=None)

    @property
    def stretches(self) -> tuple[tuple[str, bool], ...]:
        """The text in parts, each with whether it is a struck-out word."""
        parts, end = [], 0
        for start, stop in self.struck:
            parts += [(self.text[end:start], False), (self.text[start:stop], True)]
            end = stop
        return tuple(part for part in [*parts, (self.text[end:], False)] if part[0])

    def without_struck(self) -> "Reading":
        """The reading without its struck-out words, and without the alternatives, which do not tell them."""
        if not self.struck:
            return self
        text, confidences, words = self.text, self.character_confidences, self.word_confidences
        for start, end in reversed(self.struck):
            # One of the spaces around the word goes with it.
            if text[end : end + 1] == " ":
                end += 1
            elif text[:start].endswith(" "):
                start -= 1
            text, confidences = text[:start] + text[end:], confidences[:start] + confidences[end:]
            words = words[:start] + words[end:]
        return replace(
            self,
            text=text,
            character_confidences=confidences,
            alternatives=(),
            struck=(),
            word_confidences=words,
        )

    def after(self, mark: str) -> "Reading":
        """The reading with a list mark before its text; the mark is told by its shape and changes no confidence."""
        start = f"{mark} " if self.text else mark
        others = tuple(Alternative(start + other.text, other.score) for other in self.alternatives)
        sure = (1.0,) * len(start)
        return replace(
            self,
            text=start + self.text,
            character_confidences=sure + self.character_confidences,
            alternatives=others,
            struck=_moved(self.struck, len(start)),
            word_confidences=sure + self.word_confidences if self.word_confidences or not self.text else (),
        )


def join_readings(readings: Sequence[Reading], separator: str, spans: Sequence[Span] | None = None) -> Reading:
    """The reading of parts that were read one by one.

    Args:
        readings: Those of the parts, in order. Parts without text are left out.
        separator: Stands between the parts' texts.
        spans: From where to where each part goes, 0–1 of the whole's width. None: all are of one length.

    Returns:
        A reading whose alternatives change one part each.
    """
    parts = [reading for reading in readings if reading.text]
    if len(parts) < 2:
        return parts[0] if parts else readings[0] if readings else BLANK
    confidence = float(np.prod([part.confidence for part in parts]))
    confidences: tuple[float, ...] = ()
    words: tuple[float, ...] = ()
    struck: tuple[tuple[int, int], ...] = ()
    others = []
    for place, part in enumerate(parts):
        struck += _moved(part.struck, len(confidences) + len(separator) * (place > 0))
        confidences += (1.0,) * len(separator) * (place > 0) + part.character_confidences
        words += (1.0,) * len(separator) * (place > 0) + part.word_confidences
        for other in part.alternatives:
            texts = [other.text if number == place else one.text for number, one in enumerate(parts)]
            others.append(Alternative(separator.join(texts), confidence * other.score / max(part.confidence, 1e-9)))
    ranked = sorted(others, key=lambda other: -other.score)[: max(len(part.alternatives) for part in parts)]
    return Reading(
        separator.join(part.text for part in parts),
        confidence,
        confidences,
        tuple(Alternative(other.text, min(1.0, other.score)) for other in ranked),
        all(part.complete for part in parts),
        _spans_of_parts(readings, spans),
        formula=all(part.formula for part in parts),
        struck=struck,
        word_confidences=words if all(part.word_confidences for part in parts) else (),
    )


def _moved(spans: Sequence[tuple[int, int]], by: int) -> tuple[tuple[int, int], ...]:
    return tuple((start + by, end + by) for start, end in spans)


def _spans_of_parts(readings: Sequence[Reading], spans: Sequence[Span] | None) -> tuple[Span, ...]:
    """The unread stretches of parts in shares of the whole; an unreadable part is one."""
    edges = spans or [(place / len(readings), (place + 1) / len(readings)) for place in range(len(readings))]
    return tuple(
        (left + start * (right - left), left + end * (right - left))
        for part, (left, right) in zip(readings, edges, strict=True)
        for start, end in ([(0.0, 1.0)] if part.unreadable else part.unread)
    )


BLANK = Reading("", 1.0)  # the reading of a line without ink


@dataclass(frozen=True)
class Line:
    """A line of a page.

    Attributes:
        box: the line's position on the page.
        image: the picture that was read.
        reading: the line's text.
        outline: the line's corners on the page, clockwise from the upper left; empty if only `box` is known.
        formula: whether the text is LaTeX.
        corrected: whether a person corrected the text.
        reach: horizontal extent of `image` relative to `outline` (0 left end, 1 right end); None if `image` is cropped
            to the ink.
        depth: the same vertically (0 upper edge of `outline`, 1 lower edge).
        cell: where it stands in a table or form; None outside of one.
        base: heights of the baseline at the first and the last ink, 0–1 of the way down `outline`; None as long as
            `image` is kept, which tells them.
        gaps: the gaps in the ink, 0–1 of the picture's width; None as long as `image` is kept, which tells them.
    """

    box: Box
    image: Image.Image = field(repr=False, compare=False)
    reading: Reading
    outline: tuple[Point, ...] = ()
    formula: bool = False
    corrected: bool = False
    reach: Span | None = None
    gaps: tuple[Span, ...] | None = None
    cell: Cell | None = None
    depth: Span | None = None
    base: Span | None = None

    @property
    def corners(self) -> tuple[Point, ...]:
        """The corners of `outline`, or of the box if there is no outline."""
        return self.outline or box_corners(self.box)

    def with_text(self, text: str) -> "Line":
        """The line with a person's correction: its confidences become 1. With the same text, the line itself."""
        if text == self.reading.text:
            return self
        return replace(self, reading=Reading(text, 1.0, (1.0,) * len(text), formula=self.formula), corrected=True)

    def without_struck(self) -> "Line":
        """The line without its struck-out words."""
        return replace(self, reading=self.reading.without_struck()) if self.reading.struck else self

    def to_dict(self) -> LineRecord:
        """The line as plain values, ready for JSON."""
        return {
            "box": list(self.box),
            "outline": [list(corner) for corner in self.corners],
            "kind": "formula" if self.formula else "text",
            "corrected": self.corrected,
            "cell": None if self.cell is None else [self.cell.table, self.cell.row, self.cell.column],
            **self.reading.to_dict(),
        }


def cells_of(row: Sequence[Line]) -> list[str]:
    """The texts of the cells of a row of `Page.rows`; lines of one cell are separated by spaces."""
    cells: dict[int, list[str]] = {}
    for line in row:
        cells.setdefault(0 if line.cell is None else line.cell.column, []).append(line.reading.text)
    return [" ".join(texts) for texts in cells.values()]


@dataclass(frozen=True)
class Page:
    """A page that was read.

    Attributes:
        lines: the lines, in reading order.
        size: the page's width and height, in pixels, or in canvas units for ink.
        unread: boxes of ink that is in no line, or that a line's text does not cover.
        unreadable: lines whose ink looks like no text. Their texts are empty; the best guess is their first alternative.
    """

    lines: tuple[Line, ...]
    size: tuple[int, int]
    unread: tuple[Box, ...] = ()
    unreadable: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """The lines in reading order, one below the other; the cells of a row of a table or form with tabs between them."""
        return "\n".join("\t".join(cells_of(row)) for row in self.rows)

    @property
    def rows(self) -> tuple[tuple[Line, ...], ...]:
        """The lines in reading order; the cells of a row of a table or form together."""
        rows: list[list[Line]] = []
        for line in self.lines:
            before = rows[-1][-1].cell if rows else None
            same = line.cell and before and (line.cell.table, line.cell.row) == (before.table, before.row)
            if same:
                rows[-1].append(line)
            else:
                rows.append([line])
        return tuple(map(tuple, rows))

    @property
    def has_struck(self) -> bool:
        """Whether a word of the page is struck out."""
        return any(line.reading.struck for line in self.lines)

    def without_struck(self) -> "Page":
        """The page without its struck-out words."""
        return replace(self, lines=tuple(line.without_struck() for line in self.lines)) if self.has_struck else self

    def to_dict(self) -> PageRecord:
        """The page as plain values, ready for JSON: size, text, and for each line its position and reading."""
        lines = [line.to_dict() for line in self.lines]
        return {
            "width": self.size[0],
            "height": self.size[1],
            "text": self.text,
            "lines": lines,
            "unread": [list(box) for box in self.unread],
            "unreadable": [line.to_dict() for line in self.unreadable],
        }
