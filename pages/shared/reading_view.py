"""Shows a reading: its letters shaded by confidence, advice, and other readings with the differing words in bold."""

import difflib
import html
import re

import streamlit as st

from hwr_core.layout.words import word_spans
from hwr_core.reading import Line, Reading
from pages.shared.marks import is_marked

UNSURE = 0.9  # a character with less confidence is shaded
DOUBTFUL = 0.6  # a character with less confidence is shaded strongly
LIKELY = 0.9  # confidence of a whole line above which it "looks right"
GAP = '<span class="gap" title="A letter may be missing here"></span>'
PROBABLE = 0.5  # confidence of a whole line above which it is "probably right"


def show_large(markup: str) -> None:
    """Shows HTML as the page's main result."""
    st.html(f'<div class="reading" data-testid="reading">{markup}</div>')


def shaded(reading: Reading) -> str:
    """The reading's text as HTML, the letters of words that are to be checked shaded by their confidence."""
    return "".join(shaded_characters(reading))


def shaded_characters(reading: Reading) -> list[str]:
    """The characters of the reading's text as HTML, those of marked words shaded by their confidence. A place where a
    letter may be missing is marked before its character, or after the last one."""
    missing = missing_letters(reading)
    parts = []
    for place, (character, kind) in enumerate(zip(reading.text, _kinds(reading), strict=True)):
        markup = html.escape(character)
        if kind and character != " ":
            sure = reading.character_confidences[place]
            title = f"{percent(sure)} sure" if sure < UNSURE else "Check this word"
            markup = f'<span class="{kind}" title="{title}">{markup}</span>'
        if reading.is_struck(place, place + 1):
            markup = f"<s>{markup}</s>"
        parts.append(f"{GAP}{markup}" if place in missing else markup)
    if parts and len(reading.text) in missing:
        parts[-1] += GAP
    return parts


def _kinds(reading: Reading) -> list[str]:
    """For each character how it is shaded: "unsure", "doubtful", or not at all.

    With an estimate for each word, only marked words are shaded: one whole if none of its letters is unsure by itself.
    """
    kinds = [
        "doubtful" if sure < DOUBTFUL else "unsure" if sure < UNSURE else "" for sure in reading.character_confidences
    ]
    for start, end in word_spans(reading.text) if reading.word_confidences else ():
        if not is_marked(reading, start, end):
            kinds[start:end] = [""] * (end - start)
        elif not any(kinds[start:end]):
            kinds[start:end] = ["unsure"] * (end - start)
    return kinds


def missing_letters(reading: Reading) -> set[int]:
    """The places before which a letter may be missing: other readings have one there, and are together as probable as a
    shaded letter is wrong."""
    chances: dict[int, float] = {}
    for other in reading.alternatives:
        matcher = difflib.SequenceMatcher(None, reading.text, other.text, autojunk=False)
        for kind, start, _, first, last in matcher.get_opcodes():
            if kind == "insert" and other.text[first:last].strip():
                chances[start] = chances.get(start, 0.0) + other.score
    return {place for place, chance in chances.items() if chance > 1 - UNSURE}


def advice(confidence: float, signs: str = "letters") -> str:
    """What to do about a reading of this confidence, in a few words."""
    if confidence > LIKELY:
        return "Looks right"
    return "Probably right" if confidence > PROBABLE else f"Check the highlighted {signs}"


def best_guess(line: Line) -> str:
    """The best guess for an unreadable line; empty if there is none."""
    return line.reading.alternatives[0].text if line.reading.alternatives else ""


def percent(share: float, digits: int = 0) -> str:
    """A share in 0–1 as per cent."""
    return f"{100 * share:.{digits}f}\u00a0%"


def counted(number: int, noun: str) -> str:
    """Such as "1 line" or "2 lines"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def escaped(text: str) -> str:
    """`text` with every Markdown mark escaped, for labels and messages that Streamlit renders as Markdown."""
    return re.sub(r"([\\`*_\[\]$<>~#|]|:(?=\w+:))", r"\\\1", text)


def differing(other: str, text: str) -> str:
    """Another reading as Markdown. Words that differ from `text` are bold."""
    words = other.split(" ")
    matcher = difflib.SequenceMatcher(None, text.split(" "), words, autojunk=False)
    same = {index for block in matcher.get_matching_blocks() for index in range(block.b, block.b + block.size)}
    return " ".join(
        escaped(word) if index in same or not word else f"**{escaped(word)}**" for index, word in enumerate(words)
    )
