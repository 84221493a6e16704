"""The reading of a drawing: its text and formulas, the editable field, and other readings."""

import functools
import html
import itertools

import streamlit as st

from hwr_core.ink.strokes import Strokes
from hwr_core.reading import Line, Page, Reading
from pages.drawing.correction import Correction
from pages.drawing.formats import corrected_lines, show_formats
from pages.drawing.history import unread_picture
from pages.drawing.meaning import fault_of, show_meaning
from pages.drawing.words import show_words
from pages.shared.components import copy_button, style
from pages.shared.doubt import seems_unknown
from pages.shared.reading_view import advice, best_guess, differing, escaped, percent, shaded

FORMULAS_SHOWN = 3  # other readings of a formula, side by side
UNREAD_WIDTH = 160  # pixels of the picture of unread parts


def show_result(page: Page, correction: Correction, strokes: Strokes, formulas: bool) -> None:
    """What was read, or as it was corrected, and everything to do with it.

    Args:
        page: The reading.
        correction: Its editable field.
        strokes: The drawing.
        formulas: Whether only formulas are read.
    """
    _unread(page, correction, strokes)
    if not page.lines and not correction.current:
        what = "No formula was recognized yet." if formulas else "Nothing was recognized yet."
        st.html(f"<p class='hint'>{what} Keep writing.</p>")
        return
    style("formula.css")
    only_formulas = all(line.formula for line in page.lines) if page.lines else formulas
    with st.container(border=True, key="result"):
        # Above the text: what is written makes the canvas taller, and the buttons stay within the first screen longer.
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="result_actions"):
            _remark(page, correction, only_formulas)
            copy_button(correction.current, key="copy")
            name = "formula.tex" if only_formulas else "handwriting.txt"
            st.download_button("Download", correction.current, name, icon=":material/download:", on_click="ignore")
            show_formats(page, correction, only_formulas)
            if any(line.formula for line in page.lines) and len(page.lines) > 1:
                with st.popover("Other readings", icon=":material/alt_route:"):
                    _other_readings(page, correction)
        original = _original_is_wanted(correction)
        _show_lines(page, correction, page.text if original else correction.current, only_formulas)
        if not all(line.reading.complete for line in page.lines):
            st.warning("A line is too long for this model. Only its beginning is shown.")
        if seems_unknown(page):
            st.warning(
                "Most words are uncertain. The model may not read this language or hand.", icon=":material/translate:"
            )
        _earlier(correction)
        _meanings(page, correction, only_formulas)
    correction.show("Edit LaTeX" if only_formulas else "Edit text")
    if (formula := _single_formula(page)) is not None:
        _other_formulas(formula, correction)


def _show_lines(page: Page, correction: Correction, text: str, only_formulas: bool) -> None:
    """Shows text in large letters and renders formulas, each line in its own kind."""
    shown = corrected_lines(page, text, only_formulas)
    same = len(shown) == len(page.lines)
    readings = [line.reading for line in (page.lines if same else shown)]
    for formula, numbers in itertools.groupby(range(len(shown)), lambda number: shown[number].formula):
        if formula:
            for number in numbers:
                _show_formula(readings[number], shown[number].reading.text, number)
            continue
        first, *_ = block = list(numbers)
        show_words(
            [(readings[number], shown[number].reading.text) for number in block],
            f"words-{first}",
            functools.partial(_choose_in_block, correction, text, first),
        )


def _show_formula(reading: Reading, text: str, number: int) -> None:
    """A formula, rendered, and its LaTeX with shaded signs."""
    if not text or fault_of(text) is None:  # else a sentence says why
        with st.container(key=f"rendered-{number}"):
            st.latex(text or r"\;")
    source = shaded(reading) if text == reading.text else html.escape(text)
    st.html(f'<div class="source" data-testid="latex">{source}</div>')


def _choose_in_block(correction: Correction, text: str, first: int, number: int, chosen: str) -> None:
    """Puts the new text of a line into the field, in a text that is shown as lines from `first` on."""
    if text == correction.current:
        correction.replace_line(first + number, chosen)
        return
    lines = text.split("\n")  # the original
    lines[first + number] = chosen
    correction.replace("\n".join(lines))


def _meanings(page: Page, correction: Correction, only_formulas: bool) -> None:
    """What each formula means, or why its LaTeX is not well formed."""
    formulas = [line.reading.text for line in corrected_lines(page, correction.current, only_formulas) if line.formula]
    for number, formula in enumerate(formulas):
        if fault := fault_of(formula):
            st.warning(escaped(fault), icon=":material/error:")
        else:
            show_meaning(formula, number, len(formulas))


def _single_formula(page: Page) -> Reading | None:
    """The reading of a page that is one formula."""
    return page.lines[0].reading if len(page.lines) == 1 and page.lines[0].formula else None


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
    text = correction.latest()
    lines = text.split("\n") if text else []
    above = sum(other.box[1] < line.box[1] for other in page.lines)
    correction.replace("\n".join([*lines[:above], guess, *lines[above:]]))


def _original_is_wanted(correction: Correction) -> bool:
    """Whether to show the original reading: if nothing was edited, or on request."""
    return not correction.edited or bool(st.session_state.get(_original_key(correction)))


def _remark(page: Page, correction: Correction, only_formulas: bool) -> None:
    """How sure the reading is; of an edited one, a switch to the original."""
    sure = min((line.reading.confidence for line in page.lines), default=0.0)
    remark = f"{advice(sure, 'signs' if only_formulas else 'letters')} · {percent(sure)}"
    if not correction.edited:
        st.caption(remark)
        return
    st.caption(f"Edited{' · ' + remark if _original_is_wanted(correction) else ''}", width="content")
    st.toggle("Show original", key=_original_key(correction))


def _earlier(correction: Correction) -> None:
    """Offers the corrections of lines that were written on since."""
    now = correction.current.split("\n")
    for number, text in enumerate(correction.earlier):
        if text and number < len(now) and text != now[number]:
            label = f"Use your correction again: {differing(text.strip(), now[number])}"
            icon = ":material/history:"
            st.button(label, key=f"again-{number}", icon=icon, on_click=_choose, args=(correction, number, text))


def _original_key(correction: Correction) -> str:
    return f"original-{correction.key}"


def _other_readings(page: Page, correction: Correction) -> None:
    """Other readings of the formulas among other lines. Those of text are offered word by word."""
    now = correction.current.split("\n")
    formulas = [(number, line.reading) for number, line in enumerate(page.lines[: len(now)]) if line.formula]
    for number, reading in formulas:
        texts = [reading.text, *(other.text for other in reading.alternatives)]
        for rank, text in enumerate([text for text in texts if text != now[number]][:FORMULAS_SHOWN]):
            st.latex(text)
            st.button(
                escaped(text),
                key=f"other-{number}-{rank}",
                on_click=_choose,
                args=(correction, number, text),
                width="stretch",
            )


def _choose(correction: Correction, number: int, chosen: str) -> None:
    """Puts another reading of one line into the field. The other lines stay as they were corrected."""
    correction.replace_line(number, chosen)


def _other_formulas(reading: Reading, correction: Correction) -> None:
    others = [other for other in reading.alternatives if other.text != correction.current][:FORMULAS_SHOWN]
    if not others:
        return
    st.caption("Did you mean … ?")
    for number, (column, other) in enumerate(zip(st.columns(FORMULAS_SHOWN), others, strict=False)):
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
