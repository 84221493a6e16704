"""Small components in the browser that both pages use. Their JavaScript and CSS are files in `static`."""

from pathlib import Path

import streamlit as st

STATIC = Path(__file__).parent / "static"
ICON = str(STATIC / "icon.svg")  # of both pages; a Material icon would be fetched from another host
COPY_WIDTH = 110  # pixels of the copy button


def static(name: str) -> str:
    """The text of a file in `static`."""
    return (STATIC / name).read_text(encoding="utf-8")


def style(name: str) -> None:
    """Puts a CSS file of `static` on the page."""
    st.html(STATIC / name)


_copy = st.components.v2.component(
    "copy_text",
    html="<button class='copy' type='button'>Copy</button>",
    css=static("copy.css"),
    js=static("copy.js"),
)


def copy_button(text: str, key: str, label: str = "Copy") -> None:
    """A button that puts `text` on the clipboard."""
    _copy(data={"text": text, "label": label}, key=key, width=COPY_WIDTH if label == "Copy" else "stretch")
