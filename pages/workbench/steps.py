"""What the preprocessing did: a picture of each step, and the histogram with the threshold."""

import numpy as np
import streamlit as st

from pages.workbench.reading import Prepared

STEP_WIDTH = 140  # pixels of a step's picture
MARKS = (0, 64, 128, 192, 255)  # grey levels named under the histogram


def show_steps(prepared: Prepared) -> None:
    """The histogram, and the steps in their order."""
    with st.container(horizontal=True, key="steps", gap="small"):
        with st.container(width=STEP_WIDTH, gap=None):
            _histogram(prepared)
        for name, image in prepared.steps:
            with st.container(width=STEP_WIDTH, gap=None):
                st.image(image, caption=name, width="stretch", alt=f"Preprocessing step: {name}")


def _histogram(prepared: Prepared) -> None:
    """Of the greys that the threshold is applied to. As SVG: the chart libraries take 100 MB of memory."""
    heights = 90 * np.sqrt(prepared.greys / max(1.0, prepared.greys.max()))
    bars = "".join(
        f"<rect x='{4 * place}' y='{100 - height:.1f}' width='3.4' height='{height:.1f}'/>"
        for place, height in enumerate(heights)
    )
    level = prepared.threshold_level
    rule = "" if level is None else f"<rect x='{level:.1f}' y='0' width='2' height='100' fill='#d6453d'/>"
    marks = "".join(f"<text x='{grey}' y='120'>{grey}</text>" for grey in MARKS)
    st.image(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='-20 0 298 124'>"
        f"<g fill='#6f86e8'>{bars}</g>{rule}"
        f"<g font-size='17' font-family='sans-serif' text-anchor='middle' fill='#888'>{marks}</g></svg>",
        width="stretch",
        alt="Number of pixels of each grey level",
    )
    st.caption("Grey levels" if level is None else f"Threshold at {level:.0f}")
