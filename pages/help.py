"""Help: the user guide."""

import streamlit as st

from pages.shared import streamlit_patches
from pages.shared.about import about
from pages.shared.components import ICON, style
from pages.shared.guide import guide


def help_page() -> None:
    """The Help page."""
    st.set_page_config(page_title="Help · Handwriting Recognition", page_icon=ICON, layout="centered")
    style("reading.css")
    about()
    st.markdown(guide())


if not streamlit_patches.uses_navigation():
    st.rerun()
help_page()
