"""A person's own words, such as names and terms, which the reading favours. They are kept in the browser."""

import streamlit as st
from streamlit.errors import StreamlitAPIException

from hwr_core.decoding.word_list import split_words
from hwr_core.errors import HandwritingError
from hwr_core.own_words import checked_words
from pages.shared import browser_storage

JOIN = "join corrected words"  # key of the switch
LEAST_LETTERS = 3  # of a corrected word that joins the list
MARKS = ".,;:!?…()[]\"'“”„«»‘’-–—"  # which may stand around a word
KEY = "my words"  # of the field in the sidebar
WAITING = "words that join"  # in the session
SLOT = "words"  # of the browser's storage
LONGEST = 100_000  # characters of the list


def my_words() -> str:
    """Shows the list as a field. Returns it, with spaces, commas or line breaks between the words."""
    stored = browser_storage.taken(SLOT)
    if isinstance(stored, str) and not st.session_state.get(KEY):
        st.session_state[KEY] = stored[:LONGEST]
    for word in st.session_state.pop(WAITING, ()):
        add_word(word)
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
    if word and word not in split_words(words):
        try:
            st.session_state[KEY] = f"{words.rstrip()}\n{word}".strip()[:LONGEST]
        except StreamlitAPIException:  # this run shows the list already
            st.session_state.setdefault(WAITING, []).append(word)


def words_wait() -> bool:
    """Whether words join the list with the next run of the whole page."""
    return bool(st.session_state.get(WAITING))


def join_switch() -> None:
    """Shows the switch that lets the words of corrections join the list."""
    st.toggle(
        "Add corrected words",
        True,
        key=JOIN,
        persist_state="session",
        help="Words that you correct join My words, and are read right more often on the next pages.",
    )


def join_corrected(before: str, after: str) -> None:
    """Adds the words of a correction that the text before it lacks, if the person wants that."""
    if not st.session_state.get(JOIN, True):
        return
    known = {word.strip(MARKS) for word in before.split()}
    for word in (word.strip(MARKS) for word in after.split()):
        if word not in known and sum(map(str.isalpha, word)) >= LEAST_LETTERS:
            add_word(word)


def fault_of(words: str) -> str | None:
    """Why a list cannot be used, in a sentence; None if it can."""
    try:
        checked_words(words)
    except HandwritingError as error:
        return str(error)
    return None


def forget_words() -> None:
    """Empties the list."""
    st.session_state[KEY] = ""
    st.session_state.pop(WAITING, None)
