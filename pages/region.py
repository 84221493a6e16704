"""Formulas in a photo: boxes drawn on it, each read as a formula."""

import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import st_canvas

from hwr_core.canvas import boxes_of
from hwr_core.checkpoints import default_beams
from hwr_core.pipeline import read_region
from hwr_core.reading import Box, Line
from hwr_core.settings import PreprocessSettings
from pages.common import Reader, recognizer_for, shipped
from pages.formulas import show_formula

MOST_HEIGHT = 700  # pixels of the picture on the page


@st.fragment
def formulas_in(photo: Image.Image, picture: str, settings: PreprocessSettings) -> None:
    """The photo to draw boxes on, and the formula in each. `picture` tells photos apart."""
    with st.expander("Formulas in this picture", icon=":material/function:"):
        if not st.toggle("Mark formulas", key=f"mark-{picture}", help="Shows the picture to draw boxes on."):
            return
        st.caption("Draw a box round a formula with the mouse; the arrow of the picture's toolbar moves boxes, the bin takes them away.")
        small = photo.convert("RGB")
        small.thumbnail((900, MOST_HEIGHT))
        result = st_canvas(
            drawing_mode="rect", stroke_width=2, stroke_color="#2b4acb", fill_color="rgba(43, 74, 203, 0.08)", background_image=small,
            width=small.width, height=small.height, key=f"regions-{picture}",
        )  # fmt: skip
        boxes = boxes_of((result.json_data or {}).get("objects", []))
        scale = photo.width / small.width
        for number, box in enumerate(box for box in boxes if box[2] - box[0] > 6 and box[3] - box[1] > 6):
            line = _read(photo, picture, tuple(round(value * scale) for value in box), settings)
            crop, formula = st.columns([1, 2])
            crop.image(line.image, caption=f"Formula {number + 1}")
            with formula:
                if line.reading.text:
                    show_formula(line.reading, f"{picture}-{number}")
                else:
                    st.html("<p class='hint'>No formula was read there: draw the box closely round one.</p>")


def _read(photo: Image.Image, picture: str, box: Box, settings: PreprocessSettings) -> Line:
    """Each box once: a redrawn or moved one is another."""
    known: dict = st.session_state.setdefault("formulas_read", {})
    key = (picture, box, settings)
    if key not in known:
        recognizer, reader = recognizer_for(Reader(shipped(True), "cpu", default_beams(shipped(True))), formulas=True)
        known[key] = read_region(photo, box, recognizer, settings, reader.beams)
    return known[key]
