"""Files that an uploader refused in the browser: too large, or of another kind. Each gets a sentence.

Such a file never reaches the server. Streamlit shows it with a red icon and gives the reason only in a tooltip.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from hwr_core.documents.image_reader import too_large, unknown_format
from pages.shared.reading_view import counted, escaped
from pages.workbench.state import PhotoState, photo_state

KEY = "refused"
STATIC = Path(__file__).parent / "static"
MOST = 100  # refusals that are looked at in one message
SHOWN = 5  # files that get a sentence; the others are counted
LONGEST_NAME = 200  # characters

_refused = st.components.v2.component(
    "refused_files", html="<div></div>", js=(STATIC / "refused.js").read_text(encoding="utf-8")
)


def watch_uploaders(state: PhotoState) -> None:
    """Has the browser tell which files the uploaders of the page refuse."""
    _refused(key=KEY, data={"taken": state.refusals}, on_refused_change=_take, width=1, height=1)


def take_refused(state: PhotoState, refusals: object) -> None:
    """Notes why files were refused.

    Args:
        state: The session.
        refusals: What the browser sent. Nonsense in it is ignored.
    """
    for refusal in refusals[:MOST] if isinstance(refusals, Sequence) else ():
        if not isinstance(refusal, Mapping) or not isinstance(number := refusal.get("n"), int):
            continue
        if number <= state.refusals:
            continue
        state.refusals = number
        name = str(refusal.get("name"))[:LONGEST_NAME] or "The file"
        if refusal.get("uploader") == "settings":
            state.settings_error = f"{name} has no settings: choose a file that Save these settings wrote."
        else:
            state.refused[name] = _sentence(name, refusal.get("reason"))


def refuse_large(state: PhotoState, name: str) -> None:
    """Notes that a picture is too large to be taken."""
    state.refused[name] = str(too_large(name))


def show_refused(state: PhotoState) -> None:
    """Says of each refused file why it was refused, until that is dismissed."""
    if not state.refused:
        return
    sentences = list(state.refused.values())
    if len(sentences) > SHOWN:
        sentences[SHOWN:] = [f"{counted(len(sentences) - SHOWN, 'other file')} could not be added either."]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error("\n\n".join(map(escaped, sentences)), icon=":material/broken_image:")
        st.button("Dismiss", key="dismiss-refused", on_click=state.refused.clear)


def _sentence(name: str, reason: object) -> str:
    if reason == "size":
        return str(too_large(name))
    if reason == "kind":
        return str(unknown_format(name))
    return f"{name} did not arrive: add it again."


def _take() -> None:
    take_refused(photo_state(), (st.session_state.get(KEY) or {}).get("refused"))
