"""Small components in the browser that both pages use. Their JavaScript and CSS are files in `static`."""

import itertools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

STATIC = Path(__file__).parent / "static"
ICON = str(STATIC / "icon.svg")  # of both pages; a Material icon would be fetched from another host
COPY_WIDTH = 110  # pixels of the copy button
PROCESS = secrets.token_hex(4)  # tells this server from one before it

_calls = itertools.count()


def static(name: str) -> str:
    """The text of a file in `static`."""
    return (STATIC / name).read_text(encoding="utf-8")


def style(name: str) -> None:
    """Puts a CSS file of `static` on the page."""
    st.html(STATIC / name)


def component(name: str, js: str, html: str = "<div></div>", **options: Any) -> Callable[..., Any]:
    """A component in the browser that shows its newest data, in whatever order the browser gets to them.

    Args:
        name: Of the component.
        js: Its module. The function that it exports returns at once if `isOld` says so (see `static/newest.js`).
        html: Its first content.
        options: Others of `st.components.v2.component`.

    Returns:
        A function that shows it. It takes `data`, a dictionary, and what Streamlit's takes.
    """
    mount = st.components.v2.component(name, html=html, js=static("newest.js") + js, **options)

    def show(*, data: dict[str, Any], **others: Any) -> Any:
        return mount(data={**data, "order": [PROCESS, next(_calls)]}, **others)

    return show


_copy = component(
    "copy_text",
    html="<button class='copy' type='button'>Copy</button>",
    css=static("copy.css"),
    js=static("copy.js"),
)


def copy_button(text: str, key: str, label: str = "Copy") -> None:
    """A button that puts `text` on the clipboard."""
    _copy(data={"text": text, "label": label}, key=key, width=COPY_WIDTH if label == "Copy" else "stretch")
