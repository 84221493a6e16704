"""Small components in the browser that both pages use. Their JavaScript and CSS are files in `static`."""

from pathlib import Path

import streamlit as st

STATIC = Path(__file__).parent / "static"
COLUMN_WIDTH = 704  # pixels, until the browser has reported the column's width
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
_width = st.components.v2.component("column_width", html="<div></div>", js=static("column_width.js"))


def copy_button(text: str, key: str, label: str = "Copy") -> None:
    """A button that puts `text` on the clipboard."""
    _copy(data={"text": text, "label": label}, key=key, width=COPY_WIDTH if label == "Copy" else "stretch")


def column_width(default: int = COLUMN_WIDTH) -> int:
    """The width of the current column in pixels; `default` until the browser has reported it."""
    result = _width(key="column_width", default={"width": default}, on_width_change=lambda: None, height=1)
    return int(result.get("width") or default)
