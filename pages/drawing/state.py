"""The Draw page's session: the drawing, its reading and the history."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from hwr_core.ink.canvas import strokes_of
from hwr_core.ink.strokes import Strokes, draw
from hwr_core.reading import Box, Line, Page
from pages.shared.correction import Correction, Replacement

STATE = "drawing"
CANVAS = "canvas"  # key of the canvas component
HISTORY = 20  # drawings kept
SAME_LINE = 0.8  # overlap of a line's box with an earlier one from which it is the same line, written on
MARGIN, FRAME = 8, 3  # pixels around a small drawing, and of the frame around an unread part
UNREAD_COLOUR = "#c77700"
THUMBNAIL = 400  # pixels of the longest side of a drawing in the history


@dataclass(frozen=True)
class Earlier:
    """A drawing in the history, with its text as it was corrected."""

    picture: Image.Image
    text: str
    formula: bool


@dataclass(frozen=True)
class DrawnReading:
    """A reading. `key`: its reader and the fingerprint of its strokes."""

    key: tuple[Hashable, int]
    page: Page


@dataclass
class DrawState:
    """The Draw page's session.

    The canvas runs in the browser. It is given a drawing to show, and it sends the objects that are on it. Until it
    has answered to a new drawing, it still sends the old objects; these are ignored.

    Attributes:
        objects: The current drawing, as Fabric.js objects.
        undone: The objects that Undo removed, the last one last.
        given: The drawing that the canvas was given last.
        unanswered: The objects that the canvas sent before it was given that drawing. None once it has answered.
        times_given: How many drawings it was given.
        times_cleared: How often the canvas was cleared. A drawing after Clear is a new one, with a correction of its
            own.
        reading: The last reading.
        history: The drawings that were cleared, the last one first.
        replacements: Texts that buttons put into the editable field.
        line_texts: What was typed for a line since the last Clear, by whether it is a formula and by its box.
    """

    objects: list[dict] = field(default_factory=list)
    undone: list[dict] = field(default_factory=list)
    given: dict | None = None
    unanswered: list | None = None
    times_given: int = 0
    times_cleared: int = 0
    reading: DrawnReading | None = None
    history: list[Earlier] = field(default_factory=list)
    replacements: dict[str, Replacement] = field(default_factory=dict)
    line_texts: dict[tuple[bool, Box], str] = field(default_factory=dict)

    def receive(self, sent: list) -> list:
        """Takes the objects that the canvas sent. Returns the current drawing."""
        if self.unanswered is None or sent != self.unanswered:
            if len(sent) > len(self.objects):
                self.undone = []  # a new stroke
            self.objects, self.unanswered = sent, None
        return self.objects

    def give(self, objects: list) -> None:
        """Replaces the drawing on the canvas. The component loads a drawing only if it differs from the last one."""
        sent = (((st.session_state.get(CANVAS) or {}).get("drawing") or {}).get("raw") or {}).get("objects", [])
        self.unanswered = sent if sent != objects else None
        self.objects = objects
        self.times_given += 1
        self.given = {"objects": objects, "version": str(self.times_given)}

    def undo(self) -> None:
        """Removes the last stroke."""
        if self.objects:
            self.undone.append(self.objects[-1])
            self.give(self.objects[:-1])

    def redo(self) -> None:
        """Brings back the stroke that was removed last."""
        if self.undone:
            self.give([*self.objects, self.undone.pop()])

    def clear(self) -> None:
        """Clears the canvas. The reading goes to the history."""
        strokes = strokes_of(self.objects)
        reading = self.reading
        if strokes and reading and reading.key[1] == fingerprint(strokes):
            lines = (*reading.page.lines, *reading.page.unreadable)
            if text := self.correction_of(reading.page, strokes).current:
                self.history = [Earlier(thumbnail(strokes), text, lines[0].formula), *self.history][:HISTORY]
        self.undone = []
        self.line_texts = {}
        self.times_cleared += 1
        self.give([])

    def correction_of(self, page: Page, strokes: Strokes) -> Correction:
        """The editable field of one drawing. Another drawing that reads alike has another field.

        The field starts with the corrections of those lines that are as they were when they were corrected.
        """
        name = f"drawn-{self.times_cleared}-{fingerprint(strokes)}"
        correction = Correction(name, page.text, self.replacements, tuple(map(self._earlier, page.lines)))
        read = [line.reading.text for line in page.lines]
        if page.text == "\n".join(read):  # no table, whose cells share a line
            texts = [
                self.line_texts.get((line.formula, line.box), text) for line, text in zip(page.lines, read, strict=True)
            ]
            correction.start_with("\n".join(texts))
        return correction

    def remember_lines(self, page: Page, text: str) -> None:
        """Notes what was typed for each line. It belongs to the line, whatever is then written above or below it."""
        texts = text.split("\n") if len(page.lines) > 1 else [text]
        if len(texts) != len(page.lines):
            return
        for line, typed in zip(page.lines, texts, strict=True):
            key = (line.formula, line.box)
            if typed != line.reading.text:
                self.line_texts[key] = typed
            else:
                self.line_texts.pop(key, None)

    def _earlier(self, line: Line) -> str:
        """What was typed for this line before strokes were added to it or removed from it."""
        if (line.formula, line.box) in self.line_texts:
            return ""
        shares = {
            text: _overlap(box, line.box) for (formula, box), text in self.line_texts.items() if formula == line.formula
        }
        best = max(shares, key=lambda text: shares[text], default="")
        return best if shares.get(best, 0.0) >= SAME_LINE else ""


def draw_state() -> DrawState:
    """The state of this session."""
    return st.session_state.setdefault(STATE, DrawState())


def _overlap(box: Box, other: Box) -> float:
    """The common part of two boxes, as a share of the smaller one."""
    sides = [max(0, min(box[side + 2], other[side + 2]) - max(box[side], other[side])) for side in (0, 1)]
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (box, other)]
    return sides[0] * sides[1] / max(1, min(areas))


def fingerprint(strokes: Strokes) -> int:
    """Tells a drawing from all others."""
    return hash(tuple(stroke.tobytes() for stroke in strokes))


def thumbnail(strokes: Strokes) -> Image.Image:
    """A small picture of the strokes."""
    return _small(strokes)[0]


def unread_picture(strokes: Strokes, unread: Sequence[Box]) -> Image.Image:
    """A small picture of the strokes, with a frame around each part that was not read."""
    grey, low, scale = _small(strokes)
    picture = grey.convert("RGB")
    for box in unread:
        corners = (np.array(box, float).reshape(2, 2) - low) * scale + MARGIN
        (left, top), (right, bottom) = corners[0] - FRAME, corners[1] + FRAME
        ImageDraw.Draw(picture).rectangle((left, top, right, bottom), outline=UNREAD_COLOUR, width=FRAME)
    return picture


def _small(strokes: Strokes) -> tuple[Image.Image, np.ndarray, float]:
    """A small picture of the strokes, their upper left corner, and the picture's scale."""
    low, high = np.concatenate(strokes).min(0), np.concatenate(strokes).max(0)
    scale = min(1.0, THUMBNAIL / float((high - low).max() + 1))
    width, height = ((high - low) * scale + 2 * MARGIN + 1).astype(int).tolist()
    moved = [(stroke - low) * scale + MARGIN for stroke in strokes]
    return Image.fromarray(draw(moved, (height, width), max(2.0, 4 * scale))), low, scale
