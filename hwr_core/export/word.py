"""Pages as a Word document."""

import io
from collections.abc import Mapping

from docx import Document
from docx.enum.text import WD_BREAK

from hwr_core.export.xml_common import xml_text
from hwr_core.reading import Page, PageName


def to_docx(pages: Mapping[PageName, Page]) -> bytes:
    """Writes pages as one Word document.

    Each page is a paragraph that keeps the line breaks. Several pages get a heading and a new sheet each. Formulas
    are written as LaTeX.

    Args:
        pages: the pages, each by its identity or the name of its picture.
    """
    document = Document()
    for number, (name, page) in enumerate(pages.items()):
        if number:
            document.add_page_break()
        if len(pages) > 1:
            document.add_heading(xml_text(name), level=1)
        run = document.add_paragraph().add_run()
        for index, line in enumerate(page.lines):
            if index:
                run.add_break(WD_BREAK.LINE)
            run.add_text(xml_text(line.reading.text))
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()
