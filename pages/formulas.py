"""Showing a formula that was read: rendered, as LaTeX with what is unsure shaded, and its other readings."""

import html

import streamlit as st

from hwr_core.reading import Reading
from pages.common import Correction, copy_button, shaded

STYLE = """<style>
[class*="st-key-rendered"] .katex { font-size: clamp(1.6rem, 4.6vw, 2.6rem); }
[class*="st-key-rendered"] .katex-display, [class*="st-key-other"] .katex-display { overflow-x: auto; overflow-y: hidden; padding: .25rem 0; }
.source { font-family: monospace; font-size: 1.1rem; overflow-wrap: anywhere; }
</style>"""
SHOWN = 3  # alternatives, side by side


def show_formula(reading: Reading, correction: Correction, remark: str) -> None:
    """The formula and everything to do with it, rendered as it was corrected. `remark` follows what is said of its confidence."""
    st.html(STYLE)
    with st.container(border=True):
        with st.container(key="rendered"):
            st.latex(correction.current or r"\;")
        changed = correction.current != reading.text
        source = html.escape(correction.current) if changed else shaded(reading)
        st.html(f'<div class="source" data-testid="latex">{source}</div>')
        if not reading.complete:
            st.warning("The formula is longer than this checkpoint can write; only its beginning is shown.")
        st.caption(
            "As you corrected it"
            if changed
            else f"{advice(reading.confidence)} · {reading.confidence:.0%} sure that all of it is right{remark}"
        )
    edited = correction.show("LaTeX: correct it if need be")
    with st.container(horizontal=True, gap="small"):
        copy_button(edited, key="copy")
        st.download_button(
            "Download", edited, "formula.tex", icon=":material/download:", on_click="ignore", key="download"
        )
    show_others(reading, correction)


def advice(confidence: float) -> str:
    return (
        "Right, most likely"
        if confidence > 0.9
        else "Probably right"
        if confidence > 0.5
        else "Look at the shaded signs"
    )


def show_others(reading: Reading, correction: Correction) -> None:
    if not reading.alternatives:
        return
    st.caption("Or is it one of these?")
    for number, (column, other) in enumerate(zip(st.columns(SHOWN), reading.alternatives[:SHOWN], strict=False)):
        with column, st.container(border=True, key=f"other-{number}"):
            st.latex(other.text)
            st.button(
                f"Use this · {other.score:.0%}", key=f"use-{number}", on_click=correction.replace, args=(other.text,), width="stretch",
                help=f"`{other.text}`",
            )  # fmt: skip
