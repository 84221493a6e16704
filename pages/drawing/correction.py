"""An editable field for one reading. It keeps the person's text."""

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from pages.shared.typed import note_shown, typed_text


@dataclass(frozen=True)
class Correction:
    """An editable field.

    The field starts by its `value`, not by session state. A value that is only in session state does not reach the
    browser where the next stroke interrupts the run that made the field. So another text makes another field.

    Attributes:
        key: Tells this reading's field from all others.
        text: As it was read.
        current: As it was corrected; what the field starts with.
        widget: Key of the field in the browser. A text that a button put there makes another field, because a field in
            the browser keeps its text.
        on_change: Takes a new text, and whether the field must be made anew.
        earlier: For each line, a correction that was typed before strokes were added to the line; empty without one.
    """

    key: str
    text: str
    current: str
    widget: str
    on_change: Callable[[str, bool], None] = field(repr=False)
    earlier: tuple[str, ...] = ()

    @property
    def edited(self) -> bool:
        """Whether the text differs from the reading."""
        return self.current != self.text

    def show(self, label: str) -> None:
        """Shows the field."""
        note_shown(self.widget, self.current)
        st.text_area(label, self.current, key=self.widget, height="content", on_change=self._typed)

    def replace(self, text: str) -> None:
        """Puts `text` into the field."""
        self.on_change(text, True)

    def _typed(self) -> None:
        if (text := typed_text(self.widget)) is not None:
            self.on_change(text, False)
