"""Draw: write on the canvas and read it back. The app's main page; declares the pages."""

import time

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from hwr_core.canvas import path_object, strokes_of
from hwr_core.handprint import write
from hwr_core.ink import draw
from hwr_core.pipeline import read_ink
from hwr_core.reading import Page
from pages.common import Reader, column_width, copy_button, load_ahead, reader_sidebar, recognizer_for, show_reading

CANVAS = "canvas"
EXAMPLE = "see you at 7:30"
HEIGHT = 340
HISTORY = 20


def main() -> None:
    draw_page = st.Page(draw_on_canvas, title="Draw", icon=":material/draw:", default=True)
    photo_page = st.Page("pages/photo.py", title="Photo", icon=":material/photo_camera:")
    st.navigation([draw_page, photo_page]).run()


def draw_on_canvas() -> None:
    st.set_page_config(page_title="Draw · Handwriting Recognition", page_icon=":material/draw:", layout="centered")
    st.html("<style>[data-testid=stMainBlockContainer] { max-width: 66rem; }</style>")  # the canvas is as wide as the column
    reader = reader_sidebar()
    with st.sidebar:
        st.subheader("Canvas")
        live = st.toggle("Read while I write", True, key="live", help="Reads at the end of each stroke. Off: reads when you press Read.")
        pen = st.slider("Pen width", 2, 14, 5, key="pen", help="In pixels. Only for the eye: reading draws your strokes anew.")
        colour = st.color_picker("Pen colour", "#1c2340", key="colour")
    st.title("Write, and read it back")
    if reader.checkpoint == "text":
        load_ahead(reader.checkpoint, reader.device)
    canvas_and_reading(reader, live, pen, colour)


@st.fragment
def canvas_and_reading(reader: Reader, live: bool, pen: int, colour: str) -> None:
    """The canvas, its tools and the prediction: the part of the page that reruns at the end of a stroke."""
    state = st.session_state
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
    objects = (result.json_data or {}).get("objects", [])
    strokes = strokes_of(objects)
    wants_reading = tools(objects, live, width, pen, colour)
    if not strokes:
        st.html("<p class='hint'>Write a word or two with the mouse, a pen or a finger, or let the app show you an example.</p>")
        show_history()
        return
    key = (reader, *(stroke.tobytes() for stroke in strokes))
    if state.get("read_key") != key and (live or wants_reading):
        recognizer = recognizer_for(reader)
        started = time.perf_counter()
        state.page = read_ink(strokes, recognizer, beams=reader.beams)
        state.read_key, state.seconds = key, time.perf_counter() - started
    if state.get("read_key") == key:
        show_prediction(state.page, state.seconds)
    else:
        st.html("<p class='hint'>Press Read when you have finished.</p>")
    show_history()


def tools(objects: list, live: bool, width: int, pen: int, colour: str) -> bool:
    """The row of buttons under the canvas; whether Read was pressed."""
    state = st.session_state
    state.setdefault("undone", [])
    if objects and state.get("seen") != len(objects) and len(objects) > state.get("seen", 0) and not state.pop("redoing", False):
        state.undone = []  # a new stroke: what was undone is gone
    state.seen = len(objects)
    with st.container(horizontal=True, gap="small"):
        pressed = not live and st.button("Read", type="primary", icon=":material/visibility:", disabled=not objects)
        st.button("Undo", icon=":material/undo:", disabled=not objects, on_click=undo)
        st.button("Redo", icon=":material/redo:", disabled=not state.undone, on_click=redo)
        st.button(
            "Clear",
            icon=":material/delete:",
            disabled=not objects,
            on_click=clear,
            help="Empties the canvas; what was read goes to the history.",
        )
        if not objects:
            st.button(
                "Show me", icon=":material/auto_awesome:", on_click=show_example, args=(width, pen, colour), help="Writes an example."
            )
    return pressed


def current_objects() -> list:
    canvas = st.session_state.get(CANVAS) or {}
    return list((((canvas.get("drawing") or {}).get("raw")) or {}).get("objects", []))


def set_drawing(objects: list) -> None:
    """Replaces what is on the canvas. The component loads a drawing only when it differs from the last one it was given."""
    st.session_state.drawings = st.session_state.get("drawings", 0) + 1
    st.session_state.drawing = {"objects": objects, "version": str(st.session_state.drawings)}


def undo() -> None:
    objects = current_objects()
    if objects:
        st.session_state.undone = [*st.session_state.get("undone", []), objects[-1]]
        set_drawing(objects[:-1])


def redo() -> None:
    undone = st.session_state.get("undone", [])
    if undone:
        st.session_state.undone, st.session_state.redoing = undone[:-1], True
        set_drawing([*current_objects(), undone[-1]])


def clear() -> None:
    keep_in_history(strokes_of(current_objects()))
    st.session_state.undone = []
    set_drawing([])


def show_example(width: int, pen: int, colour: str) -> None:
    strokes = write(EXAMPLE, height=90, slant=0.1, unsteadiness=0.008, seed=3)
    far = max(float(stroke[:, 0].max()) for stroke in strokes)
    scale = min(1.0, 0.85 * width / far)
    offset = ((width - far * scale) / 2, HEIGHT / 2 - 55 * scale)
    set_drawing([path_object(stroke * scale + offset, pen, colour) for stroke in strokes])


def show_prediction(page: Page, seconds: float) -> None:
    readings = [line.reading for line in page.lines]
    if not readings:
        st.html("<p class='hint'>Nothing to read there yet: keep writing.</p>")
        return
    with st.container(border=True):
        show_reading(readings)
        sure = min(reading.confidence for reading in readings)
        st.caption(
            f"{'All right' if sure > 0.9 else 'Probably right' if sure > 0.5 else 'Look twice'} · {sure:.0%} sure · read in {seconds:.1f} s"
        )
    edited = st.text_area("Correct it if need be", page.text, key=f"edited-{hash(page.text)}", height="content")
    with st.container(horizontal=True, gap="small"):
        copy_button(edited, key="copy")
        st.download_button("Download", edited, "handwriting.txt", icon=":material/download:", on_click="ignore")
        with st.popover("Other readings", icon=":material/alt_route:"):
            show_alternatives(page)


def show_alternatives(page: Page) -> None:
    for number, line in enumerate(page.lines):
        for other in line.reading.alternatives:
            lines = [entry.reading.text for entry in page.lines]
            lines[number] = other.text
            st.button(
                other.text, key=f"other-{number}-{other.text}", on_click=choose, args=(page.text, "\n".join(lines)),
                help=f"{other.score:.0%} sure", width="stretch",
            )  # fmt: skip
    if not any(line.reading.alternatives for line in page.lines):
        st.caption("There is no other reading worth showing.")


def choose(read: str, chosen: str) -> None:
    """Puts another reading into the editable field of the text that was read."""
    st.session_state[f"edited-{hash(read)}"] = chosen


def keep_in_history(strokes: list[np.ndarray]) -> None:
    page = st.session_state.get("page")
    if strokes and page is not None and page.text:
        text = st.session_state.get(f"edited-{hash(page.text)}", page.text)
        entry = (thumbnail(strokes), text)
        st.session_state.history = [entry, *st.session_state.get("history", [])][:HISTORY]


def thumbnail(strokes: list[np.ndarray]) -> Image.Image:
    low = np.concatenate(strokes).min(0) - 8
    size = np.concatenate(strokes).max(0) + 8 - low
    return Image.fromarray(draw([stroke - low for stroke in strokes], (int(size[1]) + 1, int(size[0]) + 1), 4))


def show_history() -> None:
    history = st.session_state.get("history", [])
    if history:
        st.subheader("Earlier in this session")
        for _number, (image, text) in enumerate(history):
            picture, words = st.columns([1, 2], vertical_alignment="center")
            picture.image(image, width=min(200, image.width), alt=f"What was written: {text}")
            words.code(text, language=None, wrap_lines=True)


main()
