"""Copies of the result in other formats: LaTeX in delimiters, MathML, a Word document."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hwr_core.errors import HandwritingError
from hwr_core.export import FORMATS, export
from hwr_core.export.formulas import aligned, display, inline, mathml
from hwr_core.reading import Line, Page
from pages.drawing.correction import Correction
from pages.shared.components import copy_button


def corrected_lines(page: Page, text: str, only_formulas: bool) -> list[Line]:
    """The lines as they were corrected.

    Args:
        page: As it was read.
        text: The corrected text.
        only_formulas: Whether lines that a person added are formulas.
    """
    texts = [text] if [line.formula for line in page.lines] == [True] else text.split("\n")
    if len(texts) == len(page.lines):
        return [line.with_text(now) for line, now in zip(page.lines, texts, strict=True)]
    blank = (page.lines or page.unreadable)[0]
    return [replace(blank, formula=only_formulas, cell=None).with_text(now) for now in texts]


def show_formats(page: Page, correction: Correction, only_formulas: bool) -> None:
    """The popover with the formats that Copy and Download do not give."""
    lines = corrected_lines(page, correction.current, only_formulas)
    formulas = [line.reading.text for line in lines if line.formula]
    with st.popover("Formats", icon=":material/ios_share:"):
        left, right = (
            st.columns(2, gap="small") if formulas else (st.container(), st.container())
        )  # all fit on a laptop
        if formulas:
            _copies(formulas, left, right)
        right.download_button(
            "Word",
            lambda: export({"handwriting": replace(page, lines=tuple(lines))}, "docx"),
            "handwriting.docx",
            FORMATS["docx"].mime,
            key="word",
            icon=":material/description:",
            on_click="ignore",
            help="Formulas are equations that Word can edit." if formulas else None,
            width="stretch",
        )


def _copies(formulas: Sequence[str], left: DeltaGenerator, right: DeltaGenerator) -> None:
    with left:
        copy_button("\n".join(formulas), "copy-latex", "Copy LaTeX")
        copy_button(inline(formulas), "copy-inline", "Copy $…$")
        copy_button(display(formulas), "copy-display", r"Copy \[…\]")
    with right:
        copy_button(aligned(formulas), "copy-aligned", "Copy align*")
        try:
            copy_button("\n".join(map(mathml, formulas)), "copy-mathml", "Copy MathML")
        except HandwritingError as error:
            st.caption(str(error))
