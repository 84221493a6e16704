"""The product's name and version, with a link to the API, at the end of the sidebar."""

import streamlit as st

import hwr_core


def about() -> None:
    """Shows them."""
    # The address is relative, for servers below a path.
    st.sidebar.caption(f"Handwriting Recognition {hwr_core.__version__} · [HTTP API](api/docs)")
