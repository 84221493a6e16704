"""The fields of the lines in the browser: the keys between them, the way to the picture, and the text that is being typed."""

from hwr_core.layout.words import spans_of
from hwr_core.reading import Line, Page
from pages.shared.components import component
from pages.shared.doubt import unsure_words
from pages.workbench.editor import field_key
from pages.workbench.edits import page_id
from pages.workbench.files import STATIC, Sheet
from pages.workbench.reading import ReadSheet

_keys = component("page_keys", js=(STATIC / "keys.js").read_text(encoding="utf-8"))


def use_keys(sheet: Sheet, read: ReadSheet, shown: Page, correcting: bool) -> None:
    """Has the browser use them for the page that is shown.

    Args:
        sheet: The page.
        read: The page as it was read.
        shown: The page with the person's corrections.
        correcting: Whether there are fields.
    """
    doubts = [[number, *span] for number, line in enumerate(shown.lines) for span in _doubtful(line)]
    fields = {
        field_key(sheet, line, machine.reading): [line.corners, line.reading.text]
        for line, machine in (zip(shown.lines, read.page.lines, strict=True) if correcting else ())
    }
    typed = {"page": page_id(sheet.key), "name": sheet.document.name, "fields": fields}
    _keys(key="keys", data={"doubts": doubts, "typed": typed}, width=1, height=1)


def _doubtful(line: Line) -> list[tuple[int, int]]:
    """Where the unsure words of a line start and end in its text."""
    return [span for span, unsure in zip(spans_of(line), unsure_words(line), strict=True) if unsure]
