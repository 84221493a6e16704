"""The keys between the fields of the lines, and the way from a field to the picture and back."""

import streamlit as st

from hwr_core.layout.words import spans_of
from hwr_core.reading import Line, Page
from pages.shared.doubt import unsure_words
from pages.workbench.files import STATIC

_keys = st.components.v2.component("page_keys", html="<div></div>", js=(STATIC / "keys.js").read_text(encoding="utf-8"))


def use_keys(shown: Page) -> None:
    """Has the browser use them for the page that is shown, with the person's corrections."""
    doubts = [[number, *span] for number, line in enumerate(shown.lines) for span in _doubtful(line)]
    _keys(key="keys", data={"doubts": doubts}, width=1, height=1)


def _doubtful(line: Line) -> list[tuple[int, int]]:
    """Where the unsure words of a line start and end in its text."""
    return [span for span, unsure in zip(spans_of(line), unsure_words(line), strict=True) if unsure]
