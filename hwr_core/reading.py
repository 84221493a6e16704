"""What reading gives: a `Reading` of one line, a `Line` on a page, a `Page`."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Literal, TypeVar

from PIL import Image
from typing_extensions import (
    TypedDict,
)  # as pydantic, which the API describes its answers with, asks for before Python 3.12

Point = tuple[int, int]
Span = tuple[float, float]  # along a line: from and to
Box = tuple[int, int, int, int]  # left, top, right, bottom; in pixels of the page, or in canvas units for ink


class AlternativeRecord(TypedDict):
    text: str
    score: float


class ReadingRecord(TypedDict):
    """What `Reading.to_dict` gives."""

    text: str
    confidence: float
    character_confidences: list[float]
    alternatives: list[AlternativeRecord]
    complete: bool


class LineRecord(ReadingRecord):
    """What `Line.to_dict` gives."""

    box: list[int]
    outline: list[list[int]]
    kind: Literal["text", "formula"]
    corrected: bool


class PageRecord(TypedDict):
    """What `Page.to_dict` gives."""

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
    """Another reading of the same line; `score` in 0–1 is on the scale of `Reading.confidence`."""

    text: str
    score: float


@dataclass(frozen=True)
class Reading:
    """One line, read.

    `confidence` in 0–1 estimates how likely the whole line is right; `character_confidences` has one such value for
    each character of `text`. `alternatives` are other readings, best first. `complete` is false where the decoder ran
    out of positions before the line ended: then `text` is only its beginning.
    """

    text: str
    confidence: float
    character_confidences: tuple[float, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    complete: bool = True

    def to_dict(self) -> ReadingRecord:
        return {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "character_confidences": [round(value, 4) for value in self.character_confidences],
            "alternatives": [{"text": other.text, "score": round(other.score, 4)} for other in self.alternatives],
            "complete": self.complete,
        }


BLANK = Reading("", 1.0)


@dataclass(frozen=True)
class Line:
    """A line of a page: where it is, its picture as it was read, and its reading.

    `outline` has its corners on the page, clockwise from the top left, where it is known better than by `box`; `formula` tells
    that its text is LaTeX, `corrected` that a person has seen to it. `reach` is from where to where the picture goes, 0 and 1 being the outline's
    ends; None where these are the ink's. `gaps` in the ink, 0–1 of the picture, are only there where the picture was dropped.
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
        """`outline`, or else the corners of the box."""
        left, top, right, bottom = self.box
        return self.outline or ((left, top), (right, top), (right, bottom), (left, bottom))

    def with_text(self, text: str) -> "Line":
        """As a person corrected it; a line whose text stays is left as it is."""
        if text == self.reading.text:
            return self
        return replace(self, reading=Reading(text, 1.0, (1.0,) * len(text)), corrected=True)

    def to_dict(self) -> LineRecord:
        return {
            "box": list(self.box),
            "outline": [list(corner) for corner in self.corners],
            "kind": "formula" if self.formula else "text",
            "corrected": self.corrected,
            **self.reading.to_dict(),
        }


@dataclass(frozen=True)
class Page:
    """Lines in reading order on a page of `size` (width, height)."""

    lines: tuple[Line, ...]
    size: tuple[int, int]

    @property
    def text(self) -> str:
        return "\n".join(line.reading.text for line in self.lines)

    def to_dict(self) -> PageRecord:
        """Plain values, ready for JSON: size, text, and per line where it is and all of its reading."""
        lines = [line.to_dict() for line in self.lines]
        return {"width": self.size[0], "height": self.size[1], "text": self.text, "lines": lines}
