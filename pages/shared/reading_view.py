"""Shows a reading: its letters shaded by confidence, advice, and other readings with the differing words in bold."""

import difflib
import html
import re

import streamlit as st

from hwr_core.reading import Line, Reading

UNSURE = 0.9  # a character with less confidence is shaded
DOUBTFUL = 0.6  # a character with less confidence is shaded strongly
LIKELY = 0.9  # confidence of a whole line above which it "looks right"
PROBABLE = 0.5  # confidence of a whole line above which it is "probably right"


def show_reading(lines: list[Reading]) -> None:
    """Shows readings below each other, in large letters shaded by confidence."""
    show_large("\n".join(shaded(line) for line in lines))
    if any(not line.complete for line in lines):
        st.warning("The line is too long for this model. Only its beginning is shown.")


def show_large(markup: str) -> None:
    """Shows HTML as the page's main result."""
    st.html(f'<div class="reading" data-testid="reading">{markup}</div>')


def shaded(reading: Reading) -> str:
    """The reading's text as HTML, each character shaded by its confidence."""
    parts = []
    for character, confidence in zip(reading.text, reading.character_confidences, strict=True):
        markup = html.escape(character)
        if confidence >= UNSURE or character == " ":
            parts.append(markup)
        else:
            kind = "unsure" if confidence >= DOUBTFUL else "doubtful"
            parts.append(f'<span class="{kind}" title="{percent(confidence)} sure">{markup}</span>')
    return "".join(parts)


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
