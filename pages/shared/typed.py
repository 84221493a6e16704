"""What a person typed into a field. What the browser still sends of a field that is gone is left out.

While a page runs, the browser may send the text of a field that this run no longer has. Streamlit takes that for a change
and calls the field's callback. Without this check the old text would replace a correction, or what Undo brought back.
"""

import streamlit as st
from cachetools import LRUCache

STATE = "fields"
KNOWN = 500  # fields of a session whose texts are kept


def note_shown(field: str, text: str) -> None:
    """Notes the text that a field starts with. Call it where the field is shown.

    Args:
        field: The key of the field.
        text: Its text.
    """
    _known()[field] = text


def typed_text(field: str) -> str | None:
    """The text of a field if a person changed it since it was shown, else None. Call it in the field's callback."""
    text = str(st.session_state[field])
    if _known().get(field) == text:
        return None
    _known()[field] = text
    return text


def _known() -> LRUCache[str, str]:
    return st.session_state.setdefault(STATE, LRUCache(KNOWN))
