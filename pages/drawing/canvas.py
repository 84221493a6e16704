"""The canvas and its tools: pen, eraser, selection, undo, redo, clear, an example."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import st_canvas

from hwr_core.ink.canvas import CANVAS_REACH
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import Strokes
from pages.drawing.edits import TOOLS
from pages.drawing.state import DrawState
from pages.shared import browser_storage
from pages.shared.components import component

STATIC = Path(__file__).parent / "static"
COLUMN_WIDTH = 704  # pixels, until the browser has reported the column's width
LEAST_WIDTH = 340  # pixels of the column of a phone, on which an example must fit until then
HEIGHT, TALLEST = 340, 3000  # pixels of the canvas
LOW = 60  # pixels above the canvas's lower edge; ink that is lower makes the canvas taller
ROOM = 160  # pixels that a canvas that grew has below its ink
EDGE = 12  # pixels to the right of ink that reaches beyond the column
EXAMPLE = "see you at 7:30"
EXAMPLE_HEIGHT = 90  # pixels of the example's letters, at most
EXAMPLE_SHARE = 0.85  # of the canvas that the example fills at most
LABEL = "Canvas to write on with a mouse, a pen or a finger. The reading is below it."


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


_tools = component(
    "canvas_tools",
    html="<div class='tools' role='group' aria-label='Tools'></div>",
    css=_static("canvas_tools.css"),
    js=_static("canvas_tools.js"),
)


def canvas(state: DrawState, live: bool, pen: int, colour: str) -> bool:
    """The tools and the canvas. The state takes what was drawn.

    Args:
        state: Of the page.
        live: Whether the drawing is read while one writes.
        pen: Width of the pen in pixels.
        colour: Its colour.

    Returns:
        Whether Read was pressed.
    """

    if TOOLS not in st.session_state and state.objects:
        state.give()  # after a visit to another page the component has forgotten the drawing
    if not state.width:
        _take_size(state)  # a session on a server that was started again: the tools reported the size to the one before
    width, height = size_of(state)
    row = st.container(horizontal=True, gap="small", key="canvas_tools_row")
    with row:
        _show_tools(state, width, height)  # before the canvas, whose first stroke they note
    with st.container(key="canvas_column"):
        st_canvas(
            stroke_width=pen,
            stroke_color=colour,
            initial_drawing=state.given,
            height=height,
            width=width,
            update_streamlit=False,  # it would send the whole drawing; the tools send each stroke
            key="canvas",
        )
    with row:
        return _buttons(state, live)


def size_of(state: DrawState) -> tuple[int, int]:
    """Width and height of the canvas in pixels: as its column is wide, and as large as its ink needs."""
    right, bottom = map(float, np.concatenate(state.strokes).max(0)) if state.objects and state.strokes else (0.0, 0.0)
    width = max(state.width or COLUMN_WIDTH, int(right) + EDGE if right > (state.width or COLUMN_WIDTH) else 0)
    height = max(HEIGHT, state.height)
    if bottom > height - LOW:
        height = int(bottom) + ROOM
    return width, min(height, TALLEST)


def write_example(state: DrawState, formulas: bool, pen: int, colour: str) -> None:
    """Writes an example, a text or a formula, in the middle of the canvas."""
    width = size_of(state)[0] if state.width else LEAST_WIDTH
    strokes = (
        write_formula(EXAMPLE_HEIGHT)
        if formulas
        else write(EXAMPLE, height=EXAMPLE_HEIGHT, slant=0.1, unsteadiness=0.008, seed=3)
    )
    far = max(float(stroke[:, 0].max()) for stroke in strokes)
    high = max(float(stroke[:, 1].max()) for stroke in strokes)
    scale = min(1.0, EXAMPLE_SHARE * width / far, EXAMPLE_SHARE * (HEIGHT - LOW) / high)
    offset = ((width - far * scale) / 2, (HEIGHT - LOW - high * scale) / 2)
    state.write([stroke * scale + offset for stroke in strokes], pen, colour)


def _show_tools(state: DrawState, width: int, height: int) -> None:
    """The component of the tools. It reports what is done on the canvas. It also reports the column's width, and the height that the canvas was dragged to."""
    _tools(
        key=TOOLS,
        data={
            # Always, since the choice of a tool is the browser's: it needs no answer of a busy server.
            "boxes": _boxes(state.objects, state.strokes),
            "css": _static("canvas.css"),
            "label": LABEL,
            "width": width,
            "height": height,
            "least": HEIGHT,
            "most": TALLEST,
            "session": state.session,
            "ready": browser_storage.has_answered(),  # before, the drawing to which the operations belong may come back
            "applied": state.edits,
            "restored": list(state.restored),
            "version": state.times_given,
        },
        default={"width": 0, "height": 0},
        on_width_change=lambda: _take_size(state),
        on_height_change=lambda: _take_size(state),
        on_edits_change=state.receive,
        width="content",
    )


def _buttons(state: DrawState, live: bool) -> bool:
    def after_edits(change: Callable[[], None]) -> None:
        state.receive()  # strokes that the browser sent with the click came before it
        change()

    empty = not state.objects
    pressed = not live and st.button("Read", type="primary", icon=":material/visibility:", disabled=empty)
    for name, icon, off, change, explanation in (
        ("Undo", "undo", not state.past, state.undo, "Ctrl+Z"),
        ("Redo", "redo", not state.future, state.redo, "Ctrl+Shift+Z"),
        ("Clear", "delete", empty, state.clear, "Clears the canvas. The text stays in History."),
    ):
        st.button(
            name,
            key=name.lower(),
            icon=f":material/{icon}:",
            disabled=off,
            on_click=after_edits,
            args=(change,),
            help=explanation,
        )
    return pressed


def _told(name: str) -> Any:
    """What the tools reported under this name; anything, as a browser can send anything."""
    return (st.session_state.get(TOOLS) or {}).get(name)


def _take_size(state: DrawState) -> None:
    for name, most in (("width", int(CANVAS_REACH)), ("height", TALLEST)):
        if isinstance(value := _told(name), int | float) and 0 < value <= most:
            setattr(state, name, int(value))


def _boxes(objects: tuple[dict, ...], strokes: Strokes) -> list[list[int]]:
    """The box of each object; empty boxes if an object is no stroke, because then the numbers differ."""
    if len(objects) != len(strokes):
        return []
    return [[*map(int, stroke.min(0)), *map(int, np.ceil(stroke.max(0)))] for stroke in strokes]
