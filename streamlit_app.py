"""Draw: write on the canvas and get the text. The app's main page; declares the pages."""

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from hwr_core.errors import HandwritingError
from hwr_core.ink.canvas import path_object, strokes_of
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import Strokes
from hwr_core.pipeline import read_ink
from pages.drawing.result import show_formula, show_text
from pages.drawing.state import CANVAS, DrawnReading, DrawState, draw_state, fingerprint
from pages.shared import streamlit_patches
from pages.shared.components import ICON, column_width, style
from pages.shared.model_picker import BUILT_IN, Reader, load_ahead, model_picker, recognizer_for
from pages.shared.reading_view import escaped

TEXT, MATH = "Text", "Math"
EXAMPLE = "see you at 7:30"
EXAMPLE_HEIGHT = 90  # pixels of the example's letters, at most
EXAMPLE_SHARE = 0.85  # of the canvas that the example fills at most
HEIGHT = 340  # pixels of the canvas
PICTURE_WIDTH = 200  # pixels of a drawing in the history
PAGE_STYLE = "<style>[data-testid=stMainBlockContainer] { max-width: 66rem; }</style>"  # the canvas fills the column


def main() -> None:
    """Declares the pages and runs the chosen one."""
    streamlit_patches.apply()
    draw_page = st.Page(draw_on_canvas, title="Draw", icon="✏️", default=True)
    photo_page = st.Page("pages/photo.py", title="Photo", icon="📷")
    st.navigation([draw_page, photo_page]).run()


def draw_on_canvas() -> None:
    """The Draw page."""
    st.set_page_config(page_title="Draw · Handwriting Recognition", page_icon=ICON, layout="centered")
    st.html(PAGE_STYLE)
    # Here, where no rerun of a part of the page removes it: the page would jump under the pen.
    style("reading.css")
    formulas = st.session_state.get("mode") == MATH
    with st.sidebar:
        live, pen, colour = canvas_settings()
    reader = model_picker(formulas)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Handwriting to text")
        st.segmented_control(
            "Mode",
            [TEXT, MATH],
            default=TEXT,
            required=True,
            key="mode",
            persist_state="session",
            label_visibility="collapsed",
        )
    if reader.checkpoint == BUILT_IN[formulas]:
        load_ahead(reader.checkpoint, reader.device)
    canvas_and_reading(reader, formulas, live, pen, colour)


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
def canvas_and_reading(reader: Reader, formulas: bool, live: bool, pen: int, colour: str) -> None:
    """The canvas, its tools and the reading: the part of the page that runs again at the end of each stroke."""
    state = draw_state()
    if CANVAS not in st.session_state and state.objects:
        state.give(state.objects)  # after a visit to another page the component has forgotten the drawing
    width = column_width()
    result = st_canvas(
        stroke_width=pen,
        stroke_color=colour,
        background_color="#ffffff",
        initial_drawing=state.given,
        height=HEIGHT,
        width=width,
        key=CANVAS,
    )
    strokes = strokes_of(state.receive((result.json_data or {}).get("objects", [])))
    read_pressed = tools(state, formulas, live, (width, pen, colour))
    if strokes:
        read_and_show(state, strokes, reader, formulas, live or read_pressed)
    else:
        what = "a formula" if formulas else "a word or two"
        st.html(f"<p class='hint'>Write {what} with the mouse, a pen or a finger, or try an example.</p>")
    show_history(state)


def tools(state: DrawState, formulas: bool, live: bool, look: tuple[int, int, str]) -> bool:
    """The row of buttons under the canvas. Returns whether Read was pressed."""
    empty = not state.objects
    with st.container(horizontal=True, gap="small"):
        pressed = not live and st.button("Read", type="primary", icon=":material/visibility:", disabled=empty)
        st.button("Undo", icon=":material/undo:", disabled=empty, on_click=state.undo)
        st.button("Redo", icon=":material/redo:", disabled=not state.undone, on_click=state.redo)
        st.button(
            "Clear",
            icon=":material/delete:",
            disabled=empty,
            on_click=state.clear,
            help="Clears the canvas. The text stays in History.",
        )
        if empty:
            st.button(
                "Try an example",
                icon=":material/auto_awesome:",
                on_click=write_example,
                args=(state, formulas, *look),
            )
    return pressed


def write_example(state: DrawState, formulas: bool, width: int, pen: int, colour: str) -> None:
    """Writes an example in the middle of the canvas."""
    strokes = (
        write_formula(EXAMPLE_HEIGHT)
        if formulas
        else write(EXAMPLE, height=EXAMPLE_HEIGHT, slant=0.1, unsteadiness=0.008, seed=3)
    )
    far = max(float(stroke[:, 0].max()) for stroke in strokes)
    high = max(float(stroke[:, 1].max()) for stroke in strokes)
    scale = min(1.0, EXAMPLE_SHARE * width / far, EXAMPLE_SHARE * HEIGHT / high)
    offset = ((width - far * scale) / 2, (HEIGHT - high * scale) / 2)
    state.give([path_object(stroke * scale + offset, pen, colour) for stroke in strokes])


def read_and_show(state: DrawState, strokes: Strokes, reader: Reader, formulas: bool, wanted: bool) -> None:
    """Shows the reading of the strokes. If it is `wanted` and not known, reads them first."""
    recognizer, reader = recognizer_for(reader, formulas)
    key = (reader, fingerprint(strokes))
    if wanted and (state.reading is None or state.reading.key != key):
        try:
            state.reading = DrawnReading(key, read_ink(strokes, recognizer, beams=reader.beams))
        except HandwritingError as error:  # more writing than is read at once
            st.error(escaped(str(error)), icon=":material/error:")
            return
    if state.reading is None or state.reading.key != key:
        st.html("<p class='hint'>Press Read when you have finished.</p>")
        return
    show = show_formula if recognizer.reads_formulas else show_text
    page = state.reading.page
    correction = state.correction_of(page, strokes)
    show(page, correction, strokes)
    state.remember_lines(page, correction.current)


def show_history(state: DrawState) -> None:
    """The drawings that were cleared, with their texts."""
    if not state.history:
        return
    st.subheader("History")
    for earlier in state.history:
        picture, words = st.columns([1, 2], vertical_alignment="center")
        picture.image(
            earlier.picture,
            width=min(PICTURE_WIDTH, earlier.picture.width),
            alt=f"A drawing that reads: {earlier.text}",
        )
        if earlier.formula:
            words.latex(earlier.text)
        words.code(earlier.text, language="latex" if earlier.formula else None, wrap_lines=True)


main()
