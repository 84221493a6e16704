"""Pages as a Word document."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_BREAK
from docx.text.run import Run

from hwr_core.errors import HandwritingError
from hwr_core.export.formulas import omml
from hwr_core.export.tables import Row, blocks_of, grid_of
from hwr_core.export.xml_common import xml_text
from hwr_core.reading import Page, PageName, cells_of

TABLE_STYLE = "Table Grid"  # Word's own name of a table with all its borders


def to_docx(pages: Mapping[PageName, Page], paragraphs: bool = False) -> bytes:
    """Writes pages as one Word document.

    Text is written in paragraphs that keep the line breaks. A table of at least two rows is a Word table. Several
    pages get a heading and a new sheet each. Formulas are equations; those that Word cannot show are written as LaTeX.

    Args:
        pages: the pages, each by its identity or the name of its picture.
        paragraphs: whether each line is a paragraph of its own.
    """
    document = Document()
    for number, (name, page) in enumerate(pages.items()):
        if number:
            document.add_page_break()
        if len(pages) > 1:
            document.add_heading(xml_text(name), level=1)
        _add_blocks(document, page, paragraphs)
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()


def _add_blocks(document: WordDocument, page: Page, paragraphs: bool) -> None:
    run: Run | None = None  # of the paragraph that the next line continues
    for rows in blocks_of(page):
        if len(rows) > 1:
            _add_table(document, rows)
            run = None
            continue
        if (equation := _equation(rows[0])) is not None:
            document.add_paragraph()._p.append(equation)
            run = None
            continue
        if run is None or paragraphs:
            run = document.add_paragraph().add_run()
        else:
            run.add_break(WD_BREAK.LINE)
        run.add_text(xml_text("\t".join(cells_of(rows[0]))))


def _equation(row: Row) -> Any | None:
    """The equation of a row that is one formula; None if it is text, or LaTeX that is not well formed."""
    if len(row) != 1 or not row[0].formula:
        return None
    try:
        return omml(row[0].reading.text)
    except HandwritingError:
        return None


def _add_table(document: WordDocument, rows: Sequence[Row]) -> None:
    grid = grid_of(rows)
    table = document.add_table(len(grid), len(grid[0]), TABLE_STYLE)
    for place, cells in zip(table.rows, grid, strict=True):
        for cell, lines in zip(place.cells, cells, strict=True):
            cell.text = xml_text("\n".join(line.reading.text for line in lines))
