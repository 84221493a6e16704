"""A person's own words, such as names and terms, which the reading favours. They are kept in the browser."""

import streamlit as st

from pages.shared import browser_storage

KEY = "my words"  # of the field in the sidebar
SLOT = "words"  # of the browser's storage
LONGEST = 100_000  # characters of the list


def my_words() -> str:
    """Shows the list as a field. Returns it, with spaces, commas or line breaks between the words."""
    stored = browser_storage.taken(SLOT)
    if isinstance(stored, str) and not st.session_state.get(KEY):
        st.session_state[KEY] = stored[:LONGEST]
    words = st.text_area(
        "My words",
        key=KEY,
        persist_state="session",
        max_chars=LONGEST,
        height=80,
        placeholder="Names and terms that you write often",
        help="These words are read right more often. Put spaces, commas or line breaks between them.",
    )
    browser_storage.save(SLOT, words or None)
    return words or ""


def add_word(word: str) -> None:
    """Adds a word to the list, if it is not there."""
    words = str(st.session_state.get(KEY) or "")
    if word and word not in words.replace(",", " ").split():
        st.session_state[KEY] = f"{words.rstrip()}\n{word}".strip()[:LONGEST]


def forget_words() -> None:
    """Empties the list."""
    st.session_state[KEY] = ""
