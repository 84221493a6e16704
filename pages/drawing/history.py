"""The drawings that were cleared, and pictures of drawings."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageOps

from hwr_core.ink.strokes import Strokes, draw
from hwr_core.reading import Box
from pages.drawing.state import DrawState, Earlier

PICTURE_WIDTH = 200  # pixels of a drawing in the history
MARGIN, FRAME = 8, 3  # pixels around a small drawing, and of the frame around an unread part
UNREAD_COLOUR = "#c77700"
THUMBNAIL = 400  # pixels of the longest side of a drawing in the history


def show_history(state: DrawState) -> None:
    """The drawings that were cleared, with their texts."""
    if not state.history:
        return
    st.subheader("History")
    for number, earlier in enumerate(state.history):
        _show_earlier(state, earlier, number)


def _show_earlier(state: DrawState, earlier: Earlier, number: int) -> None:
    left, words = st.columns([1, 2], vertical_alignment="center")
    picture = thumbnail(earlier.strokes)
    alt = f"A drawing that reads: {earlier.text}" if earlier.text else "A drawing"
    left.image(picture, width=min(PICTURE_WIDTH, picture.width), alt=alt)
    formula = any(earlier.formula)
    if formula and len(earlier.formula) == 1:
        words.latex(earlier.text)
    if earlier.text:
        words.code(earlier.text, language="latex" if formula else None, wrap_lines=True)
    words.button(
        "Open",
        key=f"open-{number}-{earlier.number}",
        icon=":material/edit:",
        on_click=_open,
        args=(state, earlier),
        help="Puts the drawing back on the canvas.",
    )


def _open(state: DrawState, earlier: Earlier) -> None:
    state.receive()  # what was typed before belongs to the present drawing
    state.reopen(earlier)


def thumbnail(strokes: Strokes) -> Image.Image:
    """A small picture of the strokes."""
    return _small(strokes)[0]


def unread_picture(strokes: Strokes, unread: Sequence[Box]) -> Image.Image:
    """A small picture of the strokes, with a frame around each part that was not read."""
    grey, low, scale = _small(strokes)
    picture = grey.convert("RGB")
    for box in unread:
        corners = (np.array(box, float).reshape(2, 2) - low) * scale + MARGIN
        (left, top), (right, bottom) = corners[0] - FRAME, corners[1] + FRAME
        ImageDraw.Draw(picture).rectangle((left, top, right, bottom), outline=UNREAD_COLOUR, width=FRAME)
    return picture


def _small(strokes: Strokes) -> tuple[Image.Image, np.ndarray, float]:
    """A small picture of the strokes, their upper left corner, and the picture's scale. Dark paper in the dark theme."""
    low, high = np.concatenate(strokes).min(0), np.concatenate(strokes).max(0)
    scale = min(1.0, THUMBNAIL / float((high - low).max() + 1))
    width, height = ((high - low) * scale + 2 * MARGIN + 1).astype(int).tolist()
    moved = [(stroke - low) * scale + MARGIN for stroke in strokes]
    picture = Image.fromarray(draw(moved, (height, width), max(2.0, 4 * scale)))
    return ImageOps.invert(picture) if st.context.theme.type == "dark" else picture, low, scale
