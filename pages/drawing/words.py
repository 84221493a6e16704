"""The text that was read, word by word: each word offers its other readings and a field to correct it."""

import difflib
import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from hwr_core.reading import Reading
from pages.shared.components import component
from pages.shared.my_words import add_word, join_corrected
from pages.shared.reading_view import percent, shaded_characters

STATIC = Path(__file__).parent / "static"
LONGEST = 200  # characters of a word that is typed
MOST_OTHERS = 6  # readings of a word

_words = component(
    "reading_words",
    html="<div class='reading' role='group'></div><div class='announced' role='status' aria-live='polite'></div>",
    css=(STATIC / "words.css").read_text(encoding="utf-8"),
    js=(STATIC / "words.js").read_text(encoding="utf-8"),
)


def show_words(lines: Sequence[tuple[Reading, str]], key: str, on_chosen: Callable[[int, str], None]) -> None:
    """Shows lines of text in large letters.

    Args:
        lines: For each line its reading, and its text as it was corrected.
        key: Of the component.
        on_chosen: Takes the number of a line and its new text. A word that was typed joins My words.
    """
    data = {
        "lines": [words_of(reading, text) for reading, text in lines],
        "text": "\n".join(text for _, text in lines),
    }

    def chosen() -> None:
        told: Any = (st.session_state.get(key) or {}).get("chosen")
        if (change := changed(lines, told)) is not None:
            on_chosen(*change)
            if told.get("add"):
                add_word(" ".join(told["text"].split()))
            elif told.get("typed"):
                join_corrected(lines[change[0]][1], change[1])

    _words(data=data, key=key, on_chosen_change=chosen)


def words_of(reading: Reading, text: str) -> list[dict[str, Any]]:
    """The words of a line: their text, markup, other readings, and a remark on how sure they are.

    Args:
        reading: Of the line.
        text: The line as it was corrected.
    """
    same = text == reading.text
    characters = shaded_characters(reading) if same else [html.escape(character) for character in text]
    others = other_words(reading, text)
    words, start = [], 0
    for number, word in enumerate(text.split(" ")):
        end = start + len(word)
        sure = _sure(reading, start, end) if same else 1.0
        words.append(
            {
                "text": word,
                "markup": "".join(characters[start:end]),
                "others": [other for other in others if other["start"] <= number < other["end"]][:MOST_OTHERS],
                "about": f"{percent(sure)} sure" if same else "Edited",
            }
        )
        start = end + 1
    return words


def _sure(reading: Reading, start: int, end: int) -> float:
    """How probable it is that a word is right; without an estimate, that its weakest letter is."""
    estimate = reading.word_confidence(start, end)
    return min(reading.character_confidences[start:end], default=1.0) if estimate is None else estimate


def other_words(reading: Reading, text: str) -> list[dict[str, Any]]:
    """What other readings of a line have in place of its words: the first and the last word (exclusive), and the text.

    Args:
        reading: Of the line. Its own text counts if the line was corrected.
        text: The line as it was corrected.
    """
    words = text.split(" ")
    found: list[dict[str, Any]] = []
    for other in [reading.text, *(alternative.text for alternative in reading.alternatives)]:
        theirs = other.split(" ")
        for kind, start, end, first, last in difflib.SequenceMatcher(None, words, theirs, False).get_opcodes():
            if kind == "equal":
                continue
            if kind == "insert":  # belongs to the word before it, or to the first one
                start, end = max(0, start - 1), max(1, start)
                first, last = (first - 1, last) if first else (first, last + 1)
            change = {"start": start, "end": end, "text": " ".join(theirs[first:last])}
            if change not in found:
                found.append(change)
    return found


def changed(lines: Sequence[tuple[Reading, str]], told: Any) -> tuple[int, str] | None:
    """The number of the line that the browser changed, and its new text; None if it told nonsense."""
    try:
        number, start, end = (int(told[name]) for name in ("line", "start", "end"))
        words, text = lines[number][1].split(" "), told["text"]
    except (TypeError, KeyError, IndexError, ValueError):
        return None
    if number < 0 or not 0 <= start < end <= len(words) or not isinstance(text, str) or len(text) > LONGEST:
        return None
    typed = " ".join(text.split())
    return number, " ".join([*words[:start], *([typed] if typed else []), *words[end:]])
