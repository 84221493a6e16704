"""An editable field for one reading. It keeps the person's text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pages.shared.components import component

STATIC = Path(__file__).parent / "static"
SCRIPTS = "merged_text.js", "reading_field.js"  # together one module
KEY = "reading_field"  # the same for all readings: the field in the browser stays, and what is typed into it

_field = component(
    "reading_field",
    html="<label class='reading-field'><span></span><textarea rows='1' maxlength='20000'></textarea></label>",
    css=(STATIC / "reading_field.css").read_text(encoding="utf-8"),
    js="\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
    isolate_styles=False,  # the canvas's tools look which field has the focus
)


@dataclass(frozen=True)
class Correction:
    """An editable field.

    The browser sends what was typed as an operation of the drawing, with the key of the reading that it was typed for.

    Attributes:
        key: Tells this reading from all others.
        text: As it was read.
        current: As it was corrected; what the field shows.
        on_change: Takes a new text, and whether a person typed it.
        latest: The text once all is made that the browser has sent. The callbacks of buttons run before those of the field.
        earlier: For each line, a correction that was typed before strokes were added to the line; empty without one.
        session: Identifies the session in the browser.
        applied: Number of the browser's last operation that the text has.
    """

    key: str
    text: str
    current: str
    on_change: Callable[[str, bool], None] = field(repr=False)
    latest: Callable[[], str] = field(repr=False)
    earlier: tuple[str, ...] = ()
    session: str = ""
    applied: int = 0

    @property
    def edited(self) -> bool:
        """Whether the text differs from the reading."""
        return self.current != self.text

    def show(self, label: str) -> None:
        """Shows the field."""
        data = {
            "label": label,
            "reading": self.key,
            "text": self.current,
            "session": self.session,
            "applied": self.applied,
        }
        _field(data=data, key=KEY)

    def replace(self, text: str) -> None:
        """Puts `text` into the field."""
        self.latest()
        self.on_change(text, False)

    def replace_line(self, number: int, text: str) -> None:
        """Puts `text` in place of one line. The others stay as they are then."""
        lines = self.latest().split("\n")
        lines[min(number, len(lines) - 1)] = text
        self.on_change("\n".join(lines), False)
