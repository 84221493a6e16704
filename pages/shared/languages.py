"""The sidebar's choice of the language that is read."""

from pathlib import Path

import streamlit as st

from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL, MODELS
from hwr_core.decoding.language_model import languages_in

KEY = "language"
EACH_LINE = "Told by each line"  # a choice of its own: an empty one could be cleared by a button
NAMES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
}


def choose_language(checkpoint: str) -> str | None:
    """Shows the choice where the model of text knows several languages. Returns the language; None: each line tells it."""
    languages = known_languages(MODELS / checkpoint / LANGUAGE_MODEL)
    if not languages:
        return None
    chosen = st.selectbox(
        "Language",
        [EACH_LINE, *sorted(languages, key=lambda code: NAMES.get(code, code))],
        format_func=lambda code: NAMES.get(code, code),
        key=KEY,
        persist_state="session",
        help="Words of this language are expected. Choose one if the model takes your lines for another language.",
    )
    return None if chosen == EACH_LINE else chosen


@st.cache_data(show_spinner=False)
def known_languages(file: Path) -> tuple[str, ...]:
    """The languages of a language model's file."""
    return languages_in(file)
