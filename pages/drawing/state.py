"""The Draw page's session: the drawing, its reading, everything that can be undone, and the history."""

import hashlib
import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st
from cachetools import LRUCache

from hwr_core.ink.canvas import moved_object, path_object, shown_objects, strokes_of
from hwr_core.ink.strokes import Strokes, points_along
from hwr_core.reading import Box, Line, Page, Reading
from pages.drawing.correction import Correction
from pages.drawing.line_texts import LineKey, Typed, with_typed

STATE = "drawing"
HISTORY = 20  # drawings kept
STEPS = 200  # changes that can be undone
KNOWN = 100  # readings of lines kept
FIELDS = 20  # readings into whose fields one may still be typing
TEXTS = 200  # corrected texts kept
SAME_LINE = 0.8  # overlap of a line's box with an earlier one from which it is the same line, written on
ERASER = 9.0  # pixels of the canvas around the eraser's path in which it meets a stroke
FINENESS = 10  # parts of a pixel: the strokes' positions are rounded to them


@dataclass(frozen=True)
class Earlier:
    """A drawing in the history.

    Attributes:
        objects: Its strokes, as objects of the canvas.
        text: As it was corrected; empty if that is not known.
        formula: For each line, whether it is LaTeX.
        number: Of the drawing.
        line_texts: What was typed for its lines.
    """

    objects: tuple[dict, ...] = field(repr=False)
    text: str
    formula: tuple[bool, ...]
    number: int
    line_texts: dict[LineKey, str] = field(default_factory=dict)

    @property
    def strokes(self) -> Strokes:
        """Its strokes, in pixels of the canvas."""
        return rounded(strokes_of(list(self.objects)))


@dataclass(frozen=True)
class Document:
    """Everything that Undo and Redo change.

    Attributes:
        objects: The drawing, as Fabric.js objects.
        number: Of the drawing. After Clear it is a new one, with corrections of its own.
        texts: Corrected texts, by the keys of their readings.
        line_texts: What was typed for each line of this drawing.
        history: The drawings that were cleared, the last one first.
        late: A text that was typed after these strokes, but for the reading of fewer; with their fingerprint.
    """

    objects: tuple[dict, ...] = field(default=(), repr=False)
    number: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    line_texts: dict[LineKey, str] = field(default_factory=dict)
    history: tuple[Earlier, ...] = ()
    late: tuple[str, Typed] | None = None

    @property
    def strokes(self) -> Strokes:
        """Its strokes, in pixels of the canvas."""
        return rounded(strokes_of(list(self.objects)))


@dataclass(frozen=True)
class DrawnReading:
    """A reading. `key`: its reader with the words to favour, and the fingerprint of its strokes."""

    key: tuple[tuple[Hashable, str], str]
    page: Page


@dataclass
class DrawState:
    """The Draw page's session.

    The canvas runs in the browser. It shows each stroke at once, and is given the whole drawing to show after each other
    change.

    Attributes:
        document: As it is now.
        past: The documents before each change that can be undone, the last one last.
        future: The documents that Undo left, the last one last.
        given: The drawing that the canvas was given last.
        times_given: How many drawings it was given.
        edits: Number of the last operation of the browser that was made.
        session: Identifies the session in the browser, which may have outlived a server.
        reading: The last reading.
        fields: The editable fields of the last readings, by their keys.
        typed: A text that was typed before a reload, until a reading is there again; None otherwise.
        receive: Makes the operations that the browser has sent by now. The page sets it.
        restored: The session whose drawing came back from the browser's storage, and the number of its last operation that
            the drawing has.
        known: Readings of lines, so that lines that did not change are not read again.
        height: Pixels of the canvas, as far as a person dragged it; 0 if not.
        width: Pixels of the column, as the browser reported it last; 0 before.
        better_modes: For the last reading that was unsure, the mode that suits its drawing better, by its key.
    """

    document: Document = field(default_factory=Document)
    past: list[Document] = field(default_factory=list)
    future: list[Document] = field(default_factory=list)
    given: dict | None = None
    times_given: int = 0
    edits: int = 0
    session: str = field(default_factory=lambda: secrets.token_hex(4))
    reading: DrawnReading | None = None
    fields: LRUCache[str, Correction] = field(default_factory=lambda: LRUCache(FIELDS))
    typed: Typed | None = None
    receive: Callable[[], None] = lambda: None
    restored: tuple[str, int] = ("", 0)
    known: LRUCache[Hashable, Reading] = field(default_factory=lambda: LRUCache(KNOWN))
    height: int = 0
    width: int = 0
    better_modes: dict[Hashable, str | None] = field(default_factory=dict)

    @property
    def objects(self) -> tuple[dict, ...]:
        """The drawing, as Fabric.js objects."""
        return self.document.objects

    @property
    def strokes(self) -> Strokes:
        """The strokes of the drawing, in pixels of the canvas."""
        return self.document.strokes

    @property
    def history(self) -> tuple[Earlier, ...]:
        """The drawings that were cleared, the last one first."""
        return self.document.history

    def change(self, **values: Any) -> None:
        """Changes the document. Undo takes the change back."""
        self.past = [*self.past, self.document][-STEPS:]
        self.future = []
        self._become(replace(self.document, **values))

    def undo(self) -> None:
        """Takes the last change back."""
        if self.past:
            self.future.append(self.document)
            self.typed = None
            self._become(self.past.pop())

    def redo(self) -> None:
        """Makes the change again that was taken back last."""
        if self.future:
            self.past.append(self.document)
            self._become(self.future.pop())

    def draw(self, item: dict) -> None:
        """Adds a stroke that the canvas shows already."""
        self.past = [*self.past, self.document][-STEPS:]
        self.future = []
        self.document = replace(self.document, objects=(*self.objects, item))

    def give(self) -> None:
        """Puts the document's drawing on the canvas. The component loads a drawing only if it differs from the last."""
        self.times_given += 1
        self.given = {"objects": shown_objects(self.objects), "version": str(self.times_given)}

    def erase(self, path: np.ndarray) -> None:
        """Removes each stroke that the eraser met.

        Args:
            path: (n, 2) float, where the eraser was, in pixels of the canvas.
        """
        eraser = points_along(path)
        kept = tuple(item for item in self.objects if not _meets(item, eraser))
        if len(kept) < len(self.objects):
            self.change(objects=kept)

    def delete(self, numbers: set[int]) -> None:
        """Removes the strokes with these numbers."""
        kept = tuple(item for number, item in enumerate(self.objects) if number not in numbers)
        if len(kept) < len(self.objects):
            self.change(objects=kept)

    def move(self, numbers: set[int], by: tuple[float, float]) -> None:
        """Moves the strokes with these numbers by pixels of the canvas."""
        moved = tuple(moved_object(item, by) if number in numbers else item for number, item in enumerate(self.objects))
        if numbers and any(by):
            self.change(objects=moved)

    def clear(self) -> None:
        """Clears the canvas. The drawing and its text go to the history."""
        if self.objects:
            self.change(objects=(), number=self._next_number(), line_texts={}, history=self._with_current())

    def bring_back(self, stored: Document) -> bool:
        """Takes a document that the browser had stored into a new session.

        The canvas may have sent its strokes before: if the server was started again, or if a person drew meanwhile.
        Those strokes stay. If they are another drawing, the stored one goes to the history.

        Returns:
            Whether the canvas shows the stored drawing.
        """
        if not (self.objects or self.past):
            self.document = stored
            if self.objects:
                self.give()
            return True
        same = fingerprint(stored.strokes) == fingerprint(self.document.strokes[: len(stored.strokes)])
        history = stored.history
        if stored.objects and not same:
            texts = [text for key, text in stored.texts.items() if key.startswith(f"{stored.number}-")]
            text = texts[-1] if texts else ""
            history = (Earlier(stored.objects, text, (), stored.number, stored.line_texts), *history)
        line_texts = stored.line_texts if same else {}

        def joined(document: Document) -> Document:
            return Document(
                document.objects,
                stored.number if same else document.number,
                {**stored.texts, **document.texts},
                {**line_texts, **document.line_texts},
                (*document.history, *history)[:HISTORY],
            )

        self.document = joined(self.document)
        self.past, self.future = list(map(joined, self.past)), list(map(joined, self.future))
        return same

    def reopen(self, earlier: Earlier) -> None:
        """Brings a drawing of the history back to the canvas, with its corrections. The present one goes to the history."""
        others = tuple(other for other in self._with_current() if other is not earlier)
        self.change(objects=earlier.objects, number=earlier.number, line_texts=dict(earlier.line_texts), history=others)

    def write(self, strokes: Strokes, pen: int, colour: str) -> None:
        """Adds strokes to the drawing."""
        self.change(objects=(*self.objects, *(path_object(stroke, pen, colour) for stroke in strokes)))

    def forget(self) -> None:
        """Removes the drawing, its texts and the history. Undo does not bring them back."""
        self.past, self.future, self.reading, self.height, self.typed = [], [], None, 0, None
        self.fields.clear()
        self._become(Document(number=self._next_number()))

    def correction_of(self, page: Page, strokes: Strokes) -> Correction:
        """The editable field of one drawing. Another drawing that reads alike has another field.

        The field starts with the corrections of those lines that are as they were when they were corrected. A line with
        another box, as after one more stroke, has its correction if the whole drawing still reads as it did then.
        """
        digest = _digest(page.text.encode())
        key = f"{self.document.number}-{fingerprint(strokes)}-{digest}"
        start = page.text
        read = [line.reading.text for line in page.lines]
        if page.text == "\n".join(read):  # no table, whose cells share a line
            before = self._last_text(digest).split("\n")
            start = "\n".join(
                self._line_text(line, before[number] if len(before) == len(read) else "")
                for number, line in enumerate(page.lines)
            )
        self.fields[key] = Correction(
            key,
            page.text,
            self.document.texts.get(key, start),
            lambda text, by_hand: self._correct(page, key, start, text, by_hand),
            lambda: self._latest(key, start),
            tuple(self._earlier(line.formula, line.box) for line in page.lines),
            self.session,
            self.edits,
        )
        return self.fields[key]

    def enter(self, typed: Typed) -> None:
        """Takes a text that was typed into the field of a reading: of the last one or, as one can type while the next reading
        is made, of one before. What was typed before a reload, or after strokes that are not read yet, waits for the reading."""
        if not typed.reading.startswith(f"{self.document.number}-"):
            return  # the drawing was cleared
        if field := self.fields.get(typed.reading):
            field.on_change(typed.text, True)
            drawn = fingerprint(self.strokes)
            if not typed.reading.startswith(f"{self.document.number}-{drawn}-"):
                self.document = replace(self.document, late=(drawn, typed))
        else:
            self.change(texts=self._with_text(typed.reading, typed.text))
            self.typed = typed

    def take_typed(self, page: Page, correction: Correction) -> bool:
        """Puts a text into its lines that was typed before a reload, or before its strokes were read. Returns whether there
        was one."""
        reloaded, late = self.typed, self.document.late
        self.typed = None
        text = None
        if reloaded is not None:
            text = reloaded.put_into(correction)
        elif late is not None and correction.key.startswith(f"{self.document.number}-{late[0]}-"):
            text = late[1].put_where_offered(correction)
            self.document = replace(self.document, late=None)
        if text is None:
            return False
        # Undo has had its step since the text came.
        line_texts = with_typed(self.document.line_texts, page, None, text, reloaded is not None)
        self.document = replace(self.document, texts=self._with_text(correction.key, text), line_texts=line_texts)
        return True

    def _correct(self, page: Page, key: str, start: str, text: str, by_hand: bool) -> None:
        """Notes a corrected text, if it is another one. What was typed for a line belongs to the line, whatever is then written above or below.

        Words that were typed into the field join My words, unless they stand in a formula.
        """
        if text != (before := self.document.texts.get(key, start)):
            line_texts = with_typed(self.document.line_texts, page, before, text, by_hand)
            self.change(texts=self._with_text(key, text), line_texts=line_texts)

    def _last_text(self, digest: str) -> str:
        """The text as this drawing was corrected last when it read the same; empty if it never was."""
        own = f"{self.document.number}-"
        alike = [
            text for key, text in self.document.texts.items() if key.startswith(own) and key.endswith(f"-{digest}")
        ]
        return alike[-1] if alike else ""

    def _line_text(self, line: Line, before: str) -> str:
        """The first text of a line's field: its correction, if it has one. Else `before`, if that was typed for a line in
        this place. Else the reading."""
        known = self.document.line_texts
        here = any(
            text == before and key[0] == line.formula and overlap(key[1], line.box) >= SAME_LINE
            for key, text in known.items()
        )
        return known.get((line.formula, line.box), before if here else line.reading.text)

    def _with_text(self, key: str, text: str) -> dict[str, str]:
        texts = {**{other: known for other, known in self.document.texts.items() if other != key}, key: text}
        return dict(list(texts.items())[-TEXTS:])

    def _latest(self, key: str, start: str) -> str:
        self.receive()
        return self.document.texts.get(key, start)

    def _earlier(self, formula: bool, box: Box) -> str:
        """What was typed for a line before strokes were added to it or removed from it."""
        known = self.document.line_texts
        if (formula, box) in known:
            return ""
        shares = {text: overlap(other, box) for (kind, other), text in known.items() if kind == formula}
        best = max(shares, key=lambda text: shares[text], default="")
        return best if shares.get(best, 0.0) >= SAME_LINE else ""

    def _become(self, document: Document) -> None:
        objects, self.document = self.objects, document
        if objects != document.objects:
            self.give()

    def _with_current(self) -> tuple[Earlier, ...]:
        """The history with the present drawing, if that was read."""
        strokes, reading = self.strokes, self.reading
        if not strokes or reading is None or reading.key[1] != fingerprint(strokes):
            return self.history
        text = self.correction_of(reading.page, strokes).current
        if not text:
            return self.history
        lines = reading.page.lines or reading.page.unreadable
        formula = tuple(line.formula for line in lines)
        now = Earlier(self.objects, text, formula, self.document.number, self.document.line_texts)
        return (now, *self.history)[:HISTORY]

    def _next_number(self) -> int:
        documents = (self.document, *self.past, *self.future)
        numbers = {known.number for known in documents} | {one.number for known in documents for one in known.history}
        return 1 + max(numbers)


def draw_state() -> DrawState:
    """The state of this session."""
    return st.session_state.setdefault(STATE, DrawState())


def rounded(strokes: Strokes) -> Strokes:
    """Strokes as they are read and stored: their positions rounded to parts of a pixel."""
    return [(np.rint(stroke * FINENESS) / FINENESS).astype(np.float32) for stroke in strokes]


def fingerprint(strokes: Strokes) -> str:
    """Tells a drawing from all others, also in another process."""
    return _digest(b"|".join(np.rint(stroke * FINENESS).astype("<i4").tobytes() for stroke in strokes))


def overlap(box: Box, other: Box) -> float:
    """The common part of two boxes, as a share of the smaller one."""
    sides = [max(0, min(box[side + 2], other[side + 2]) - max(box[side], other[side])) for side in (0, 1)]
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (box, other)]
    return sides[0] * sides[1] / max(1, min(areas))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _meets(item: dict, eraser: np.ndarray) -> bool:
    for stroke in strokes_of([item]):
        points = points_along(stroke)
        low, high = points.min(0) - ERASER, points.max(0) + ERASER
        near = eraser[((eraser >= low) & (eraser <= high)).all(1)]
        if len(near) and np.min(((points[:, None] - near[None]) ** 2).sum(2)) <= ERASER**2:
            return True
    return False
