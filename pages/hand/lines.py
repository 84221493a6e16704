"""The lines of a session from which a hand is learned."""

import base64
import io
import json
from collections.abc import Callable, Iterable, Mapping

from hwr_core.reading import Line, Page, PageId
from pages.workbench.state import PageKey


def corrected_lines(page: Page) -> list[Line]:
    """The lines of text that a person corrected."""
    return [line for line in page.lines if line.corrected and not line.formula and line.reading.text.strip()]


def lines_of(page: Page, unchanged: bool) -> list[Line]:
    """The lines of a page to learn from: the corrected ones.

    Args:
        page: With corrections.
        unchanged: Whether to take the other lines of text too, if any line was corrected.
    """
    found = corrected_lines(page)
    if not (found and unchanged):
        return found
    return [line for line in page.lines if not line.formula and line.reading.text.strip()]


def rows_of(
    pages: Mapping[PageKey, Page],
    name_of: Callable[[PageKey], PageId],
    with_pictures: Callable[[PageKey], Page],
    unchanged: bool,
) -> bytes:
    """The lines as rows for `hwr train fine-tune --data -`.

    Args:
        pages: All pages that were read, with corrections, without their lines' pictures.
        name_of: Gives the name of a page.
        with_pictures: Gives a page with its lines' pictures.
        unchanged: As for `lines_of`.
    """
    rows: list[str] = []
    for key, page in pages.items():
        if corrected_lines(page):
            rows += _rows(lines_of(with_pictures(key), unchanged), name_of(key).title)
    return "\n".join(rows).encode()


def _rows(lines: Iterable[Line], title: str) -> Iterable[str]:
    for number, line in enumerate(lines, 1):
        picture = io.BytesIO()
        line.image.convert("L").save(picture, "PNG")
        row = {"text": line.reading.text, "png": base64.b64encode(picture.getvalue()).decode()}
        yield json.dumps(row | {"name": f"{title}, line {number}"})
