"""The text of the page that is shown: its header, and the lines to read and copy."""

import html

import streamlit as st

from hwr_core.layout.words import spans_of
from hwr_core.reading import Line, Page
from pages.shared.components import copy_button
from pages.shared.reading_view import shaded_characters
from pages.workbench.state import PageState

TEXT, CORRECT = "Text", "Correct"


def text_header(shown: Page) -> str:
    """Shows the choice between reading and correcting, and Copy. Returns the choice."""
    view = st.segmented_control(
        "View", [TEXT, CORRECT], default=TEXT, required=True, key="view", label_visibility="collapsed"
    )
    copy_button(shown.text, key="copy-page")
    return view


def undo_button(page: PageState) -> None:
    """Shows the button that takes the last change of the page back, if there is one."""
    if page.undo_stack:
        st.button(
            "Undo",
            key="undo",
            icon=":material/undo:",
            type="tertiary",
            on_click=page.undo,
            help="Takes back the last correction or change of a line.",
        )


def show_lines(shown: Page) -> None:
    """Shows the lines below each other, numbered as on the picture; the cells of a row side by side. Renders formulas too.

    The viewer's script finds lines and words by their numbers in `data-line` and `data-word`.
    """
    waiting, number = "", 0
    for row in shown.rows:
        texts = [_marked(line, number + place) for place, line in enumerate(row)]
        text = "\t".join(f"<span class='cell'>{cell}</span>" for cell in texts) if len(row) > 1 else texts[0]
        waiting += f"<div><span class='number'>{number + 1}</span><span class='reading small'>{text}</span></div>"
        number += len(row)
        if row[0].formula or number == len(shown.lines):
            st.html(f"<div class='lines' data-testid='lines'>{waiting}</div>")
            waiting = ""
        if row[0].formula and row[0].reading.text:
            st.latex(row[0].reading.text)
    st.caption("Highlighted letters are unsure. Click a word to find it in the picture, and the other way round.")


def _marked(line: Line, number: int) -> str:
    """The text of a line as HTML, shaded by confidence, its words numbered as `hwr_core.layout.words.words_of` has them."""
    reading = line.reading
    known = len(reading.character_confidences) == len(reading.text)
    characters = shaded_characters(reading) if known else list(map(html.escape, reading.text))
    parts, start = [], 0
    for word, (left, right) in enumerate(spans_of(line)):
        inner = "".join(characters[left:right])
        parts.append(f"{''.join(characters[start:left])}<span data-word='{word}'>{inner}</span>")
        start = right
    return f"<span data-line='{number}'>{''.join(parts) or '…'}</span>"
