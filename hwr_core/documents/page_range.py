"""Page ranges such as `3-7` or `1,4,9-`: which pages of a document are read."""

import re
from dataclasses import dataclass

from hwr_core.errors import HandwritingError

_PART = re.compile(r"\s*(\d{1,9})?\s*(?:(-)\s*(\d{1,9})?)?\s*")


@dataclass(frozen=True)
class PageRange:
    """Ranges of page numbers.

    Attributes:
        text: The ranges as they were written.
        ranges: The first and the last page of each, counted from 1; None as the last means the document's end.
    """

    text: str = ""
    ranges: tuple[tuple[int, int | None], ...] = ((1, None),)

    @classmethod
    def parse(cls, text: str) -> "PageRange":
        """Reads `3`, `3-7`, `9-`, `-4`, or several of them with commas between them.

        Raises:
            HandwritingError: `text` is none of these.
        """
        return cls(text, tuple(_bounds(part, text) for part in text.split(",")))

    def indices(self, count: int, name: str) -> list[int]:
        """Returns the chosen pages of a document, counted from 0, in ascending order.

        Args:
            count: The number of pages of the document.
            name: The name of the document, for the message.

        Raises:
            HandwritingError: The document has none of the pages.
        """
        chosen = sorted(
            {page - 1 for first, last in self.ranges for page in range(first, min(count, last or count) + 1)}
        )
        if not chosen:
            pages = "1 page" if count == 1 else f"{count} pages"
            raise HandwritingError(f"{name} has {pages}, but none of the pages {self.text}: choose others.")
        return chosen


def _bounds(part: str, text: str) -> tuple[int, int | None]:
    match = _PART.fullmatch(part)
    first, dash, last = match.groups() if match else (None, None, None)
    if not first and not last:
        raise HandwritingError(
            f"The pages {text[:50]!r} cannot be used: write numbers and ranges, such as 3-7 or 1,4,9-."
        )
    start = int(first or 1)
    end = int(last) if last else (None if dash else start)
    if start < 1 or (end is not None and end < start):
        raise HandwritingError(f"The pages {text[:50]!r} cannot be used: pages count from 1 and ranges ascend.")
    return start, end


ALL_PAGES = PageRange()
