"""Shows what a formula means, folded away below its reading. SymPy runs in a process of its own (`solve.py`)."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import streamlit as st

from hwr_core.decoding.latex import canonical
from hwr_core.errors import HandwritingError

PROGRAM = Path(__file__).with_name("solve.py")
PATIENCE = 15  # seconds that a formula may take
KEPT = 64  # formulas whose meaning is remembered
AT_ONCE = 2  # formulas that are calculated with at the same time
LONGEST = 400  # characters of a formula that is calculated with
WIDTH, HEIGHT, MARGIN = 480, 260, 12  # pixels of the graph
GREY = "#8a8a8a"  # seen on light and on dark paper
STEEPEST = 0.04  # share of the points above and below that the graph leaves out, where it grows without bounds
BUSY = "The server is busy; try again in a few seconds."
_slots = threading.BoundedSemaphore(AT_ONCE)


class BusyError(Exception):
    """Too many formulas are calculated with at the moment."""


def fault_of(latex: str) -> str | None:
    """Why a formula is not well formed, in a sentence; None if it is."""
    try:
        canonical(latex)
    except HandwritingError as error:
        return str(error)
    return None


def show_meaning(formula: str, number: int = 0, count: int = 1) -> None:
    """A closed expander that calculates when it is opened.

    Args:
        formula: LaTeX.
        number: Of the formula on the page, from 0.
        count: Of the formulas on the page.
    """
    label = "Calculate" if count == 1 else f"Calculate formula {number + 1}"
    expander = st.expander(
        label, key=f"meaning-{number}", icon=":material/calculate:", on_change="rerun", type="compact"
    )
    with expander:
        if not expander.open:
            return
        try:
            with st.spinner("Calculating …"):
                found = meaning(formula)
        except BusyError as error:  # not remembered, unlike other answers
            st.caption(str(error))
            return
        if "error" in found:
            st.caption(found["error"])
            return
        for title, latex in found["results"]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(title, width="content")
                st.latex(latex, width="content")
        if len(found["points"]) > 1:
            st.image(graph(found["points"]), width=WIDTH, alt=f"Graph of {formula}")
        if not found["results"] and not found["points"]:
            st.caption("There is nothing to calculate here.")


@st.cache_data(show_spinner=False, max_entries=KEPT)
def meaning(formula: str) -> dict[str, Any]:
    """What `solve.py` says of a formula."""
    if len(formula) > LONGEST:
        return {"error": "This formula is too long to calculate with."}
    if not _slots.acquire(timeout=PATIENCE):
        raise BusyError(BUSY)
    try:
        # -I: neither the environment nor the working directory chooses what is imported.
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM)], input=formula, capture_output=True, text=True, timeout=PATIENCE
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"error": "This formula takes too long to calculate."}
    except (OSError, ValueError):
        return {"error": "This formula cannot be calculated with."}
    finally:
        _slots.release()


def graph(points: list[list[float]]) -> str:
    """A graph as SVG, on a light or dark page alike.

    Args:
        points: x and y of each, from left to right.
    """
    heights = sorted(y for _, y in points)
    cut = int(len(heights) * STEEPEST)
    low, high = min(0.0, heights[cut]), max(0.0, heights[-1 - cut])
    left, right = points[0][0], points[-1][0]
    span, rise = (right - left) or 1.0, (high - low) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = (x - left) / span, (y - low) / rise
        return MARGIN + across * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)

    step = 1.5 * span / max(1, len(points) - 1)
    parts, before = [], None
    for x, y in points:
        joined = before is not None and x - before[0] <= step and abs(y - before[1]) <= 2 * rise
        across, down = place(x, max(low - rise, min(high + rise, y)))
        parts.append(f"{'L' if joined else 'M'}{across:.1f} {down:.1f}")
        before = (x, y)
    zero_x, zero_y = place(min(max(0.0, left), right), 0.0)
    style = f'font-family="sans-serif" font-size="11" fill="{GREY}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="M0 {zero_y:.1f}H{WIDTH}M{zero_x:.1f} 0V{HEIGHT}" stroke="{GREY}" fill="none"/>'
        f'<path d="{"".join(parts)}" stroke="#4f6ef0" stroke-width="2" fill="none"/>'
        f'<text x="2" y="{zero_y - 4:.1f}" {style}>{left:g}</text>'
        f'<text x="{WIDTH - 2}" y="{zero_y - 4:.1f}" text-anchor="end" {style}>{right:g}</text>'
        f'<text x="{zero_x + 4:.1f}" y="11" {style}>{high:.4g}</text>'
        f'<text x="{zero_x + 4:.1f}" y="{HEIGHT - 3}" {style}>{low:.4g}</text></svg>'
    )
