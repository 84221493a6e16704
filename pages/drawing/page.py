"""Draw: write on the canvas and get the text."""

import functools
from pathlib import Path

import streamlit as st

from hwr_core import pipeline
from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.errors import HandwritingError
from hwr_core.ink.strokes import Strokes
from hwr_core.reading import Page
from hwr_core.text_or_formula import in_doubt
from pages.drawing.canvas import canvas, write_example
from pages.drawing.edits import receive
from pages.drawing.history import show_history
from pages.drawing.result import show_result
from pages.drawing.saved import DRAWING, PAST, document_of, drawing_values, edits_of, history_values
from pages.drawing.state import DrawnReading, DrawState, draw_state, fingerprint
from pages.hand.state import hand_state
from pages.shared import browser_storage
from pages.shared.about import about
from pages.shared.components import ICON, style
from pages.shared.model_picker import BUILT_IN, Reader, load_ahead, model_picker, recognizer_for
from pages.shared.my_words import KEY as WORDS
from pages.shared.my_words import forget_words, join_switch, my_words, words_wait
from pages.shared.reading_view import PROBABLE, escaped

AUTO, TEXT, MATH = MODES = "Auto", "Text", "Math"
CHECKPOINT = {AUTO: "auto", TEXT: "text", MATH: "math"}
HINT = {
    AUTO: "Write a word or two, or a formula,",
    TEXT: "Write a word or two",
    MATH: "Write a formula",
}
LOOKS = {AUTO: "text and formulas", TEXT: "text", MATH: "a formula"}
SWITCH = {AUTO: "Read both", TEXT: "Read as text", MATH: "Read as math"}
WITHOUT_STRUCK = "without_struck"  # key of the toggle that leaves struck-out words out
STYLE = Path(__file__).parent / "static" / "draw.css"


def draw_page() -> None:
    """The Draw page."""
    st.set_page_config(page_title="Draw · Handwriting Recognition", page_icon=ICON, layout="centered")
    st.html(STYLE)
    # Here, where no rerun of a part of the page removes it: the page would jump under the pen.
    style("reading.css")
    state = draw_state()
    restore(state)
    if st.session_state.get("mode") not in MODES:
        st.session_state["mode"] = AUTO
    mode = st.session_state["mode"]
    with st.sidebar:
        live, pen, colour = canvas_settings()
        words = my_words()
        join_switch()
        browser_storage.storage_controls(functools.partial(forget, state))
    reader = model_picker(CHECKPOINT[mode])
    about()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="head"):
        st.title("Handwriting to text")
        st.segmented_control(
            "Mode", MODES, required=True, key="mode", persist_state="session", label_visibility="collapsed"
        )
    if reader.checkpoint in BUILT_IN.values():
        load_ahead(reader.checkpoint, reader.device)
    canvas_and_reading(reader, mode, words, live, pen, colour)


def restore(state: DrawState) -> None:
    """Brings back what the browser has stored. What was drawn meanwhile stays."""
    drawing, history = browser_storage.taken(DRAWING), browser_storage.taken(PAST)
    if not (drawing or history):
        return
    try:
        document, mode = document_of(drawing, history)
    except ValueError:
        return
    state.restored = edits_of(drawing)
    if state.bring_back(document) and mode in MODES:
        st.session_state["mode"] = mode


def forget(state: DrawState) -> None:
    """Removes the page's work, the word list and a learned hand from the session."""
    state.forget()
    hand_state().forget()
    forget_words()


def canvas_settings() -> tuple[bool, int, str]:
    """The sidebar's controls of the canvas: whether to read while one writes, the pen's width and its colour."""
    st.subheader("Canvas")
    live = st.toggle(
        "Read while I write",
        True,
        key="live",
        persist_state="session",
        help="Reads at the end of each stroke. Off: reads when you press Read.",
    )
    pen = st.slider(
        "Pen width",
        2,
        14,
        5,
        key="pen",
        persist_state="session",
        help="Appearance only. Does not affect recognition.",
    )
    return live, pen, st.color_picker("Pen colour", "#1c2340", key="colour", persist_state="session")


@st.fragment
def canvas_and_reading(reader: Reader, mode: str, words: str, live: bool, pen: int, colour: str) -> None:
    """The canvas, its tools and the reading: the part of the page that runs again at the end of each stroke."""
    state = draw_state()
    state.receive = functools.partial(receive, state, pen, colour)
    state.receive()  # also what a run without callbacks was sent
    if st.session_state.get("mode", mode) != mode or (st.session_state.get(WORDS) or "") != words or words_wait():
        st.rerun()  # a button below the reading, or a correction, has changed them
    above, below, kept = st.container(), st.container(), st.container()
    with kept:
        # First: the tools forget an operation once they know that it was made, and a reload then needs the stored drawing.
        browser_storage.save(DRAWING, drawing_values(state.document, mode, (state.session, state.edits)))
        browser_storage.save(PAST, history_values(state.history))
    with above:
        read_pressed = canvas(state, live, pen, colour)
    with below:
        if strokes := state.strokes:
            read_and_show(state, strokes, reader, mode, words, live or read_pressed)
        else:
            # Below the canvas: what disappears above it would move it under the pen.
            st.html(f"<p class='hint'>{HINT[mode]} with the mouse, a pen or a finger, or try an example.</p>")
            st.button(
                "Try an example",
                icon=":material/auto_awesome:",
                on_click=write_example,
                args=(state, mode == MATH, pen, colour),
            )
        show_history(state)


def read_and_show(state: DrawState, strokes: Strokes, reader: Reader, mode: str, words: str, wanted: bool) -> None:
    """Shows the reading of the strokes. If it is `wanted` and not known, reads them first."""
    recognizer, reader = recognizer_for(reader, mode == MATH)
    key = ((reader, words), fingerprint(strokes))
    if wanted and (state.reading is None or state.reading.key != key):
        try:
            state.reading = DrawnReading(
                key, pipeline.read_ink(strokes, recognizer, beams=reader.beams, words=words, readings=state.known)
            )
        except HandwritingError as error:  # more writing than is read at once, or too many words
            st.error(escaped(str(error)), icon=":material/error:")
            return
    # With other words in the list the reading stays until Read is pressed.
    if state.reading is None or (state.reading.key[0][0], state.reading.key[1]) != (reader, key[1]):
        st.html("<p class='hint'>Press Read when you have finished.</p>")
        return
    page = state.reading.page
    if page.has_struck and st.session_state.get(WITHOUT_STRUCK, False):
        page = page.without_struck()
    correction = state.correction_of(page, strokes)
    if state.take_typed(page, correction):
        st.rerun()  # the browser stores it
    switch = st.container()
    show_result(page, correction, strokes, formulas=recognizer.reads_formulas)
    if state.reading.page.has_struck:
        st.toggle("Leave out struck-out words", key=WITHOUT_STRUCK, persist_state="session")
    if mode != AUTO and reader.checkpoint in BUILT_IN.values():
        with switch:
            offer_other_mode(state, state.reading, strokes, mode)


def offer_other_mode(state: DrawState, drawn: DrawnReading, strokes: Strokes, mode: str) -> None:
    """Offers Text for what looks like text in Math, the other way round, and Auto for both. Reads again only if the reading
    is unsure."""
    if drawn.key not in state.better_modes:
        state.better_modes = {drawn.key: better_mode(drawn.page, strokes, mode)}
    if better := state.better_modes[drawn.key]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"This looks like {LOOKS[better]}.", width="content")
            st.button(SWITCH[better], key="other_mode", on_click=_switch, args=(better,))


def better_mode(page: Page, strokes: Strokes, mode: str) -> str | None:
    """The mode that suits a drawing better than `mode`; None if there is none."""
    readings = [line.reading for line in (*page.lines, *page.unreadable)]
    unsure = [reading for reading in readings if reading.confidence < PROBABLE]
    if mode == TEXT and not any(in_doubt(reading) for reading in unsure):
        return None
    if mode == MATH and readings and not unsure:
        return None
    mixed = pipeline.read_ink(strokes, load_recognizer("auto")).lines
    formulas = [line.formula for line in mixed]
    if not formulas:
        return None
    better = MATH if all(formulas) else AUTO if any(formulas) else TEXT
    return better if better != mode else None


def _switch(mode: str) -> None:
    st.session_state["mode"] = mode
