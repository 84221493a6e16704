"""Draw: write on the canvas and read it back. The app's main page; declares the pages."""

import time

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from hwr_core.errors import HandwritingError
from hwr_core.ink.canvas import path_object, strokes_of
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import Strokes, draw
from hwr_core.pipeline import read_ink
from hwr_core.reading import Page
from pages.common import (
    Correction,
    Reader,
    as_is,
    column_width,
    copy_button,
    differing,
    load_ahead,
    reader_sidebar,
    recognizer_for,
    shipped,
    show_reading,
)  # fmt: skip
from pages.formulas import show_formula

CANVAS = "canvas"
TEXT, MATH = "Text", "Math"
EXAMPLE = "see you at 7:30"
HEIGHT = 340
HISTORY = 20
THUMBNAIL = 400  # pixels of the longest side of what was written, in the history


def main() -> None:
    draw_page = st.Page(draw_on_canvas, title="Draw", icon=":material/draw:", default=True)
    photo_page = st.Page("pages/photo.py", title="Photo", icon=":material/photo_camera:")
    st.navigation([draw_page, photo_page]).run()


def draw_on_canvas() -> None:
    st.set_page_config(page_title="Draw · Handwriting Recognition", page_icon=":material/draw:", layout="centered")
    st.html(
        "<style>[data-testid=stMainBlockContainer] { max-width: 66rem; }</style>"
    )  # the canvas is as wide as the column
    formulas = st.session_state.get("mode") == MATH
    reader = reader_sidebar(formulas)
    with st.sidebar:
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
            help="In pixels. Only for the eye: reading draws your strokes anew.",
        )
        colour = st.color_picker("Pen colour", "#1c2340", key="colour", persist_state="session")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Write, and read it back")
        st.segmented_control(
            "What you write",
            [TEXT, MATH],
            default=TEXT,
            required=True,
            key="mode",
            persist_state="session",
            label_visibility="collapsed",
        )
    if reader.checkpoint == shipped(formulas):
        load_ahead(reader.checkpoint, reader.device)
    canvas_and_reading(reader, formulas, live, pen, colour)


@st.fragment
def canvas_and_reading(reader: Reader, formulas: bool, live: bool, pen: int, colour: str) -> None:
    """The canvas, its tools and the prediction: the part of the page that reruns at the end of a stroke."""
    state = st.session_state
    if CANVAS not in state and state.get("objects"):
        set_drawing(state.objects)  # back from another page: the component has forgotten what was drawn
    width = column_width()
    result = st_canvas(
        stroke_width=pen,
        stroke_color=colour,
        background_color="#ffffff",
        initial_drawing=state.get("drawing"),
        height=HEIGHT,
        width=width,
        key=CANVAS,
    )
    strokes = strokes_of(drawn((result.json_data or {}).get("objects", [])))
    wants_reading = tools(formulas, live, width, pen, colour)
    if strokes:
        read_and_show(strokes, reader, formulas, live or wants_reading)
    else:
        what = "a formula" if formulas else "a word or two"
        st.html(
            f"<p class='hint'>Write {what} with the mouse, a pen or a finger, or let the app show you an example.</p>"
        )
    show_history()


def read_and_show(strokes: Strokes, reader: Reader, formulas: bool, wanted: bool) -> None:
    state = st.session_state
    recognizer, reader = recognizer_for(reader, formulas)
    key = (reader, fingerprint(strokes))
    if wanted and state.get("read_key") != key:
        started = time.perf_counter()
        try:
            state.page = read_ink(strokes, recognizer, beams=reader.beams)
        except HandwritingError as error:  # more writing than can be read at once
            st.error(as_is(str(error)), icon=":material/error:")
            return
        state.read_key, state.seconds = key, time.perf_counter() - started
    if state.get("read_key") == key:
        show = show_math if recognizer.reads_formulas else show_prediction
        show(state.page, correction_of(state.page, strokes), state.seconds)
    else:
        st.html("<p class='hint'>Press Read when you have finished.</p>")


def correction_of(page: Page, strokes: Strokes) -> Correction:
    """Of one drawing: another one that is read alike, and the same one after Clear, starts as it was read."""
    return Correction(f"drawn-{st.session_state.get('cleared', 0)}-{fingerprint(strokes)}", page.text)


def fingerprint(strokes: Strokes) -> int:
    return hash(tuple(stroke.tobytes() for stroke in strokes))


def drawn(sent: list) -> list:
    """What is on the canvas: what it sent last, or, until it has answered to it, what it was given last."""
    state = st.session_state
    if state.get("unanswered") is None or sent != state.unanswered:
        if len(sent) > len(state.get("objects", [])):
            state.undone = []  # a new stroke: what was undone is gone
        state.objects, state.unanswered = sent, None
    return state.objects


def set_drawing(objects: list) -> None:
    """Replaces what is on the canvas. The component loads a drawing only when it differs from the last one it was given."""
    state = st.session_state
    sent = (((state.get(CANVAS) or {}).get("drawing") or {}).get("raw") or {}).get("objects", [])
    state.unanswered = sent if sent != objects else None
    state.objects = objects
    state.drawings = state.get("drawings", 0) + 1
    state.drawing = {"objects": objects, "version": str(state.drawings)}


def tools(formulas: bool, live: bool, width: int, pen: int, colour: str) -> bool:
    """The row of buttons under the canvas; whether Read was pressed."""
    empty, undone = not st.session_state.objects, st.session_state.get("undone")
    with st.container(horizontal=True, gap="small"):
        pressed = not live and st.button("Read", type="primary", icon=":material/visibility:", disabled=empty)
        st.button("Undo", icon=":material/undo:", disabled=empty, on_click=undo)
        st.button("Redo", icon=":material/redo:", disabled=not undone, on_click=redo)
        st.button(
            "Clear", icon=":material/delete:", disabled=empty, on_click=clear, help="What was read goes to the history."
        )
        if empty:
            st.button(
                "Show me",
                icon=":material/auto_awesome:",
                on_click=show_example,
                args=(formulas, width, pen, colour),
                help="Writes an example.",
            )
    return pressed


def undo() -> None:
    state = st.session_state
    if state.objects:
        state.undone = [*state.get("undone", []), state.objects[-1]]
        set_drawing(state.objects[:-1])


def redo() -> None:
    state = st.session_state
    if state.get("undone"):
        *state.undone, stroke = state.undone
        set_drawing([*state.objects, stroke])


def clear() -> None:
    state = st.session_state
    strokes = strokes_of(state.objects)
    page = state.get("page")
    if strokes and page and page.text and state.get("read_key", (None, None))[1] == fingerprint(strokes):
        entry = (thumbnail(strokes), correction_of(page, strokes).current, page.lines[0].formula)
        state.history = [entry, *state.get("history", [])][:HISTORY]
    state.undone = []
    state.cleared = state.get("cleared", 0) + 1
    set_drawing([])


def show_example(formulas: bool, width: int, pen: int, colour: str) -> None:
    strokes = write_formula(90) if formulas else write(EXAMPLE, height=90, slant=0.1, unsteadiness=0.008, seed=3)
    far = max(float(stroke[:, 0].max()) for stroke in strokes)
    high = max(float(stroke[:, 1].max()) for stroke in strokes)
    scale = min(1.0, 0.85 * width / far, 0.85 * HEIGHT / high)
    offset = ((width - far * scale) / 2, (HEIGHT - high * scale) / 2)
    set_drawing([path_object(stroke * scale + offset, pen, colour) for stroke in strokes])


def show_math(page: Page, correction: Correction, seconds: float) -> None:
    if not page.lines:
        st.html("<p class='hint'>No formula was read there: keep writing.</p>")
        return
    show_formula(page.lines[0].reading, correction, f" · read in {seconds:.2f} s")


def show_prediction(page: Page, correction: Correction, seconds: float) -> None:
    readings = [line.reading for line in page.lines]
    if not readings:
        st.html("<p class='hint'>Nothing to read there yet: keep writing.</p>")
        return
    with st.container(border=True):
        show_reading(readings)
        sure = min(reading.confidence for reading in readings)
        advice = (
            "Right, most likely" if sure > 0.9 else "Probably right" if sure > 0.5 else "Look at the shaded letters"
        )
        if correction.current != page.text:
            st.caption(f"As it was read, in {seconds:.2f} s; below, as you corrected it")
        else:
            st.caption(f"{advice} · {sure:.0%} sure that every letter is right · read in {seconds:.2f} s")
    edited = correction.show("Correct it if need be")
    with st.container(horizontal=True, gap="small"):
        copy_button(edited, key="copy")
        st.download_button("Download", edited, "handwriting.txt", icon=":material/download:", on_click="ignore")
        with st.popover("Other readings", icon=":material/alt_route:"):
            show_alternatives(page, correction)


def show_alternatives(page: Page, correction: Correction) -> None:
    now = correction.current.split("\n")
    for number, line in enumerate(page.lines):
        if number < len(now) and now[number] != line.reading.text:
            st.button(
                differing(line.reading.text, now[number]), key=f"as-read-{number}", icon=":material/undo:", on_click=choose,
                args=(correction, number, line.reading.text), help="As it was read", width="stretch",
            )  # fmt: skip
        for rank, other in enumerate(line.reading.alternatives):
            st.button(
                differing(other.text, line.reading.text), key=f"other-{number}-{rank}", on_click=choose, args=(correction, number, other.text),
                help=f"{other.score:.0%} sure", width="stretch",
            )  # fmt: skip
    if not any(line.reading.alternatives for line in page.lines):
        st.caption("There is no other reading worth showing.")


def choose(correction: Correction, number: int, chosen: str) -> None:
    """Puts another reading of one line into the editable field; the other lines stay as they were corrected."""
    lines = correction.current.split("\n")
    lines[min(number, len(lines) - 1)] = chosen
    correction.replace("\n".join(lines))


def thumbnail(strokes: list[np.ndarray]) -> Image.Image:
    low, high = np.concatenate(strokes).min(0), np.concatenate(strokes).max(0)
    scale = min(1.0, THUMBNAIL / float((high - low).max() + 1))
    width, height = ((high - low) * scale + 17).astype(int).tolist()
    return Image.fromarray(
        draw([(stroke - low) * scale + 8 for stroke in strokes], (height, width), max(2.0, 4 * scale))
    )


def show_history() -> None:
    history = st.session_state.get("history", [])
    if history:
        st.subheader("Earlier in this session")
        for image, text, formula in history:
            picture, words = st.columns([1, 2], vertical_alignment="center")
            picture.image(image, width=min(200, image.width), alt=f"What was written: {text}")
            if formula:
                words.latex(text)
            words.code(text, language="latex" if formula else None, wrap_lines=True)


main()
