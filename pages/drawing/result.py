"""The reading of a drawing: the text or formula, its editable field, and other readings."""

import html

import streamlit as st

from hwr_core.ink.strokes import Strokes
from hwr_core.reading import BLANK, Line, Page, Reading
from pages.drawing.state import unread_picture
from pages.shared.components import copy_button, style
from pages.shared.correction import Correction
from pages.shared.reading_view import advice, best_guess, differing, escaped, percent, shaded, show_large, show_reading

FORMULAS_SHOWN = 3  # other readings of a formula, side by side
UNREAD_WIDTH = 160  # pixels of the picture of unread parts


def show_text(page: Page, correction: Correction, strokes: Strokes) -> None:
    """The text that was read, or as it was corrected, and everything to do with it."""
    readings = [line.reading for line in page.lines]
    _unread(page, correction, strokes)
    if not readings and not correction.current:
        st.html("<p class='hint'>Nothing was recognized yet. Keep writing.</p>")
        return
    with st.container(border=True):
        original = _original_is_wanted(correction)
        if original:
            show_reading(readings)
        else:
            show_large(html.escape(correction.current))
        sure = min((reading.confidence for reading in readings), default=0.0)
        _remark(correction, f"{advice(sure)} · {percent(sure)}")
        _earlier(correction)
    edited = correction.show("Edit text")
    with st.container(horizontal=True, gap="small"):
        copy_button(edited, key="copy")
        st.download_button("Download", edited, "handwriting.txt", icon=":material/download:", on_click="ignore")
        with st.popover("Other readings", icon=":material/alt_route:"):
            _other_texts(page, correction)


def show_formula(page: Page, correction: Correction, strokes: Strokes) -> None:
    """The formula that was read, rendered, and everything to do with it."""
    _unread(page, correction, strokes)
    if not page.lines and not correction.current:
        st.html("<p class='hint'>No formula was recognized yet. Keep writing.</p>")
        return
    reading = page.lines[0].reading if page.lines else BLANK
    style("formula.css")
    with st.container(border=True):
        original = _original_is_wanted(correction)
        with st.container(key="rendered"):
            st.latex((reading.text if original else correction.current) or r"\;")
        source = shaded(reading) if original else html.escape(correction.current)
        st.html(f'<div class="source" data-testid="latex">{source}</div>')
        if not reading.complete:
            st.warning("The formula is too long for this model. Only its beginning is shown.")
        _remark(correction, f"{advice(reading.confidence, 'signs')} · {percent(reading.confidence)}")
        _earlier(correction)
    edited = correction.show("Edit LaTeX")
    with st.container(horizontal=True, gap="small"):
        copy_button(edited, key="copy")
        st.download_button("Download", edited, "formula.tex", icon=":material/download:", on_click="ignore")
    _other_formulas(reading, correction)


def _unread(page: Page, correction: Correction, strokes: Strokes) -> None:
    """The parts of the drawing that no text stands for: a picture of them, and guesses to accept."""
    if not page.unread:
        return
    lines = correction.current.split("\n")
    guessed = [(line, best_guess(line)) for line in page.unreadable]
    for number, (line, guess) in enumerate((line, guess) for line, guess in guessed if guess and guess not in lines):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Could not read this line. Did you mean …?", width="content")
            st.button(escaped(guess), key=f"guess-{number}", on_click=_accept, args=(page, correction, line, guess))
    if not page.lines:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.image(
            unread_picture(strokes, page.unread),
            width=UNREAD_WIDTH,
            alt="The drawing, with a frame around each unread part",
        )
        st.caption("A part of the drawing was not read.")


def _accept(page: Page, correction: Correction, line: Line, guess: str) -> None:
    """Puts the guess for an unreadable line into the field, at the line's place from top to bottom."""
    lines = correction.current.split("\n") if correction.current else []
    above = sum(other.box[1] < line.box[1] for other in page.lines)
    correction.replace("\n".join([*lines[:above], guess, *lines[above:]]))


def _original_is_wanted(correction: Correction) -> bool:
    """Whether to show the original reading: if nothing was edited, or on request."""
    return not correction.edited or bool(st.session_state.get(_original_key(correction)))


def _remark(correction: Correction, sure: str) -> None:
    """How sure the reading is; of an edited one, a switch to the original."""
    if not correction.edited:
        st.caption(sure)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Edited{' · ' + sure if _original_is_wanted(correction) else ''}", width="content")
        st.toggle("Show original", key=_original_key(correction))


def _earlier(correction: Correction) -> None:
    """Offers the corrections of lines that were written on since."""
    now = correction.current.split("\n")
    for number, text in enumerate(correction.earlier):
        if text and number < len(now) and text != now[number]:
            label = f"Use your correction again: {differing(text, now[number])}"
            icon = ":material/history:"
            st.button(label, key=f"again-{number}", icon=icon, on_click=_choose, args=(correction, number, text))


def _original_key(correction: Correction) -> str:
    return f"original-{correction.key}"


def _other_texts(page: Page, correction: Correction) -> None:
    now = correction.current.split("\n")
    for number, line in enumerate(page.lines):
        if number < len(now) and now[number] != line.reading.text:
            st.button(
                differing(line.reading.text, now[number]),
                key=f"as-read-{number}",
                icon=":material/undo:",
                on_click=_choose,
                args=(correction, number, line.reading.text),
                help="The original reading",
                width="stretch",
            )
        for rank, other in enumerate(line.reading.alternatives):
            st.button(
                differing(other.text, line.reading.text),
                key=f"other-{number}-{rank}",
                on_click=_choose,
                args=(correction, number, other.text),
                help=f"{percent(other.score)} sure",
                width="stretch",
            )
    if not any(line.reading.alternatives for line in page.lines):
        st.caption("No other likely readings.")


def _choose(correction: Correction, number: int, chosen: str) -> None:
    """Puts another reading of one line into the field. The other lines stay as they were corrected."""
    lines = correction.current.split("\n")
    lines[min(number, len(lines) - 1)] = chosen
    correction.replace("\n".join(lines))


def _other_formulas(reading: Reading, correction: Correction) -> None:
    if not reading.alternatives:
        return
    st.caption("Did you mean … ?")
    columns = st.columns(FORMULAS_SHOWN)
    for number, (column, other) in enumerate(zip(columns, reading.alternatives[:FORMULAS_SHOWN], strict=False)):
        with column, st.container(border=True, key=f"other-{number}"):
            st.latex(other.text)
            st.button(
                f"Use this · {percent(other.score)}",
                key=f"use-{number}",
                on_click=correction.replace,
                args=(other.text,),
                width="stretch",
                help=f"`{other.text}`",
            )
