"""Pages as a Word document."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_BREAK
from docx.text.paragraph import Paragraph

from hwr_core.errors import HandwritingError
from hwr_core.export.formulas import omml
from hwr_core.export.tables import Row, blocks_of, grid_of
from hwr_core.export.xml_common import xml_text
from hwr_core.reading import Line, Page, PageName

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
    paragraph: Paragraph | None = None  # the one that the next line continues
    for rows in blocks_of(page):
        if len(rows) > 1:
            _add_table(document, rows)
            paragraph = None
            continue
        if (equation := _equation(rows[0])) is not None:
            document.add_paragraph()._p.append(equation)
            paragraph = None
            continue
        if paragraph is None or paragraphs:
            paragraph = document.add_paragraph()
        else:
            paragraph.add_run().add_break(WD_BREAK.LINE)
        _add_texts(paragraph, [cell for cell in grid_of(rows)[0] if cell], "\t", " ")


def _add_texts(paragraph: Paragraph, cells: Sequence[Sequence[Line]], between_cells: str, between_lines: str) -> None:
    """Adds the texts of the lines of cells, with their struck-out words struck out."""
    for number, lines in enumerate(cells):
        for place, line in enumerate(lines):
            if place or number:
                paragraph.add_run(between_lines if place else between_cells)
            for text, struck in line.reading.stretches:
                paragraph.add_run(xml_text(text)).font.strike = True if struck else None


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
            _add_texts(cell.paragraphs[0], [lines], "", "\n")
