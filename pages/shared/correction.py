"""An editable field for one reading. It keeps the person's text."""

from dataclasses import dataclass, field

import streamlit as st


@dataclass
class Replacement:
    """A text that was put into a field by a button.

    Attributes:
        text: The field starts with it.
        times: How often a text was put there. Each time makes another field, because a field in the browser keeps its
            text.
    """

    text: str
    times: int = 0


@dataclass(frozen=True)
class Correction:
    """An editable field that starts as `text`.

    The field starts by its `value`, not by session state. A value that is only in session state does not reach the
    browser where the next stroke interrupts the run that made the field. So another text makes another field.

    Attributes:
        name: Of one drawing only, so that no correction is shown for another.
        text: As it was read.
        replacements: Of the session, by the fields' keys.
        earlier: For each line, a correction that was typed before strokes were added to the line; empty without one.
    """

    name: str
    text: str
    replacements: dict[str, Replacement] = field(default_factory=dict, repr=False)
    earlier: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Tells this reading's field from all others."""
        return f"{self.name}-{hash(self.text)}"

    @property
    def current(self) -> str:
        """The text of the field, also before the field is shown."""
        return st.session_state.get(self._field, self._replacement.text)

    @property
    def edited(self) -> bool:
        """Whether the text differs from the reading."""
        return self.current != self.text

    def start_with(self, text: str) -> None:
        """Has the field start with `text`, if it was not shown or changed before."""
        self.replacements.setdefault(self.key, Replacement(text))

    def show(self, label: str) -> str:
        """Shows the field, and returns its text."""
        start = self._replacement.text
        return st.text_area(label, start, key=self._field, height="content", persist_state="session")

    def replace(self, text: str) -> None:
        """Puts `text` into the field."""
        self.replacements[self.key] = Replacement(text, self._replacement.times + 1)

    @property
    def _replacement(self) -> Replacement:
        return self.replacements.get(self.key, Replacement(self.text))

    @property
    def _field(self) -> str:
        return f"{self.key}-{self._replacement.times}"
