"""The results of reading: a `Reading` of one line, a `Line` on a page, a `Page`."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Literal, TypeVar

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


class LineRecord(ReadingRecord):
    """The result of `Line.to_dict`."""

    box: list[int]
    outline: list[list[int]]
    kind: Literal["text", "formula"]
    corrected: bool


class PageRecord(TypedDict):
    """The result of `Page.to_dict`."""

    width: int
    height: int
    text: str
    lines: list[LineRecord]


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
        complete: False if the line is longer than the decoder can write; `text` is then its beginning.
    """

    text: str
    confidence: float
    character_confidences: tuple[float, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    complete: bool = True

    def to_dict(self) -> ReadingRecord:
        """The reading as plain values, ready for JSON."""
        return {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "character_confidences": [round(value, 4) for value in self.character_confidences],
            "alternatives": [{"text": other.text, "score": round(other.score, 4)} for other in self.alternatives],
            "complete": self.complete,
        }


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

    @property
    def corners(self) -> tuple[Point, ...]:
        """The corners of `outline`, or of the box if there is no outline."""
        left, top, right, bottom = self.box
        return self.outline or ((left, top), (right, top), (right, bottom), (left, bottom))

    def with_text(self, text: str) -> "Line":
        """The line with a person's correction: its confidences become 1. With the same text, the line itself."""
        if text == self.reading.text:
            return self
        return replace(self, reading=Reading(text, 1.0, (1.0,) * len(text)), corrected=True)

    def to_dict(self) -> LineRecord:
        """The line as plain values, ready for JSON."""
        return {
            "box": list(self.box),
            "outline": [list(corner) for corner in self.corners],
            "kind": "formula" if self.formula else "text",
            "corrected": self.corrected,
            **self.reading.to_dict(),
        }


@dataclass(frozen=True)
class Page:
    """A page that was read.

    Attributes:
        lines: the lines, in reading order.
        size: the page's width and height, in pixels, or in canvas units for ink.
    """

    lines: tuple[Line, ...]
    size: tuple[int, int]

    @property
    def text(self) -> str:
        """The texts of all lines, separated by line feeds."""
        return "\n".join(line.reading.text for line in self.lines)

    def to_dict(self) -> PageRecord:
        """The page as plain values, ready for JSON: size, text, and for each line its position and reading."""
        lines = [line.to_dict() for line in self.lines]
        return {"width": self.size[0], "height": self.size[1], "text": self.text, "lines": lines}
