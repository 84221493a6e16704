"""Keeps a person's work in the browser's own storage, so that a reload loses nothing. The server stores none of it.

`load` asks the browser once per session. `taken` gives a page what was stored, and `save` stores it again after each
change. What comes from a browser can be anything: a page checks it before it uses it.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.shared.components import static

STATE = "browser storage"
KEEP = "keep"  # key of the switch, and the slot that says "no" once it was switched off
LONGEST = 4_000_000  # characters stored in a slot; browsers allow 5 million in all

SCRIPTS = ("sidebar.js", "leaving.js", "merging.js", "browser_storage.js")  # of every page; together one module

_storage = st.components.v2.component(
    "browser_storage", html="<div></div>", js="\n".join(static(name) for name in SCRIPTS)
)


@dataclass
class StorageState:
    """What a session knows of the browser's storage.

    Attributes:
        question: Identifies this session's question to the browser.
        answered: Whether the browser has answered.
        stored: Values that were stored when the page was loaded and that no page has taken yet, by slot.
        times_forgotten: How often the person pressed Forget.
    """

    question: str = field(default_factory=lambda: secrets.token_hex(8))
    answered: bool = False
    stored: dict[str, Any] = field(default_factory=dict)
    times_forgotten: int = 0


def load() -> None:
    """Asks the browser for what it has stored. Its answer runs the page again."""
    state = _state()
    data = {"question": None if state.answered else state.question}
    answer = _storage(data=data, key="storage-load", height=1, on_stored_change=lambda: None).get("stored")
    if not isinstance(answer, dict) or answer.get("question") != state.question or state.answered:
        return
    state.answered = True
    values = answer.get("values")
    for slot, text in values.items() if isinstance(values, dict) else ():
        try:
            state.stored[str(slot)] = json.loads(text)
        except (TypeError, ValueError):
            continue  # another version's, or a person's own doing
    if state.stored.pop(KEEP, True) is False:
        st.session_state[KEEP] = False


def has_answered() -> bool:
    """Whether the browser has told what it had stored."""
    return _state().answered


def taken(slot: str) -> Any:
    """What the browser had stored in a slot when the page was loaded: once per session, then None."""
    return _state().stored.pop(slot, None)


def save(slot: str, value: Any) -> None:
    """Stores a value in the browser, in place of the slot's earlier one.

    Nothing is stored before the browser has answered `load`, and if the person switched storing off.

    Args:
        slot: Its name. Each page has its own.
        value: Anything that JSON can hold. None empties the slot.
    """
    state = _state()
    if not state.answered or slot in state.stored:  # nobody has taken what was stored: it must not be lost
        return
    text = None if value is None or not st.session_state.get(KEEP, True) else json.dumps(value, separators=(",", ":"))
    if text is None or len(text) <= LONGEST:
        _storage(data={"slot": slot, "text": text}, key=f"storage-save-{slot}", height=1)


def storage_controls(on_forget: Callable[[], None]) -> None:
    """The sidebar's switch of the storage, and the button that forgets.

    Args:
        on_forget: Removes a page's work from the session.
    """
    keep = st.toggle(
        "Keep my work in this browser",
        True,
        key=KEEP,
        persist_state="session",
        help="After a reload your work comes back. It is stored in this browser, never on the server.",
    )
    state = _state()
    data: dict[str, str | None] = {
        "forget": f"{state.question}-{state.times_forgotten}" if state.times_forgotten else None
    }
    if state.answered:  # else the browser would forget that storing is off before it has told so
        data |= {"slot": KEEP, "text": None if keep else "false"}
    _storage(
        data=data,
        key=f"storage-forget-{state.times_forgotten}",
        height=1,
    )
    st.button(
        "Forget",
        key="forget",
        icon=":material/delete_forever:",
        on_click=_forget,
        args=(on_forget,),
        help="Removes your work from this browser and this page.",
    )


def warn_before_reload(wanted: bool) -> None:
    """Has the browser ask before it reloads or leaves the page, if `wanted`."""
    _storage(data={"warn": wanted}, key="storage-warn", height=1)


def _forget(on_forget: Callable[[], None]) -> None:
    state = _state()
    state.times_forgotten += 1
    state.stored.clear()
    on_forget()


def _state() -> StorageState:
    return st.session_state.setdefault(STATE, StorageState())
