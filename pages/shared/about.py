"""The product's name and version, with links to the user guide and the API, at the end of the sidebar."""

import streamlit as st

import hwr_core


def about() -> None:
    """Shows them."""
    # The addresses are relative, for servers below a path.
    st.sidebar.caption(f"Handwriting Recognition {hwr_core.__version__} · [Help](help) · [HTTP API](api/docs)")
