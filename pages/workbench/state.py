"""The Photo page's session: its files, and the corrections and reading of each page."""

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from hwr_core.imaging.settings import PreprocessSettings, Turn
from hwr_core.layout.regions import Outline, Region
from hwr_core.reading import Page, Reading
from pages.shared.model_picker import Reader
from pages.workbench.memory import BUDGET, SessionMemory

STATE = "photo"
MOST_UNDO = 100  # changes of a page that can be taken back
READING_BYTES, CHARACTER_BYTES = 1500, 250  # of a reading, and of each of its characters, alternatives included


@dataclass(frozen=True)
class PageKey:
    """Identifies a page by its content.

    Attributes:
        file: Hash of the file's bytes.
        index: Of the page in the file, from 0.
    """

    file: str
    index: int


class ReadWith(NamedTuple):
    """The inputs of a reading. `regions` is None for the lines as detected."""

    settings: PreprocessSettings
    reader: Reader
    regions: tuple[Region, ...] | None


@dataclass(frozen=True)
class Confidence:
    """The mean confidence of a page's characters, the number of lines, and the settings and reader."""

    read_with: tuple[PreprocessSettings, Reader]
    mean: float
    lines: int


@dataclass(frozen=True)
class Shown:
    """The page as the browser shows it. Edits in the picture refer to this.

    Attributes:
        layout: All lines of the page in order, also those without text.
        size: Width and height of the picture in pixels.
        view_to_photo: (3, 3) float matrix from the picture's pixels to the photo's.
        turn: Degrees counter-clockwise by which the photo is turned.
    """

    layout: tuple[Region, ...]
    size: tuple[int, int]
    view_to_photo: np.ndarray
    turn: int


@dataclass(frozen=True)
class Snapshot:
    """What a person changed on a page, at one time: one step of the undo stack."""

    regions: tuple[Region, ...] | None
    corrections: dict[Outline, str]


@dataclass
class PageState:
    """One page in the session.

    Attributes:
        regions: The lines as a person changed them, in the photo's pixels. None: as they were detected.
        corrections: The person's texts, by the outlines of their lines.
        fields: How often a button put a text into a line's field. Each time makes another field, which starts with
            that text.
        page: The page as it was read, without its lines' pictures.
        read_with: The inputs of that reading. None: not read, or stopped.
        turns: Degrees by which the page has to be turned, by the settings that this depends on.
        confidence: Of the last reading.
        confidence_before: Of the reading with the settings before.
        error: Why the page could not be read.
        shown: As the browser shows it; None before it was shown.
        undo_stack: What the person had changed before each change, the last change at the end.
        settings: Of the preprocessing, for this page alone. None: those of all pages.
        turn: The person's rotation of this page, which replaces that of the settings. None: there is none.
        words: The person's words that the page was read with; later ones wait until it is read again. None: it was not
            read.
        renamed: Ids of lines that edits in the picture changed, with the ids that these lines have now.
    """

    regions: tuple[Region, ...] | None = None
    corrections: dict[Outline, str] = field(default_factory=dict)
    fields: dict[Outline, int] = field(default_factory=dict)
    page: Page | None = None
    read_with: ReadWith | None = None
    turns: dict[Hashable, Turn] = field(default_factory=dict)
    confidence: Confidence | None = None
    confidence_before: Confidence | None = None
    error: str | None = None
    shown: Shown | None = None
    undo_stack: list[Snapshot] = field(default_factory=list)
    settings: PreprocessSettings | None = None
    turn: Turn | None = None
    words: str | None = None
    renamed: dict[str, str] = field(default_factory=dict)

    def with_regions(self, regions: tuple[Region, ...] | None) -> None:
        """Changes the lines; `undo` brings the earlier ones back."""
        self.keep_for_undo()
        self.regions = regions

    def keep_for_undo(self) -> None:
        """Notes the person's changes so far, so that `undo` returns to them."""
        self.undo_stack.append(Snapshot(self.regions, dict(self.corrections)))
        del self.undo_stack[:-MOST_UNDO]

    def undo(self) -> None:
        """Takes the person's last change back: a correction, or a change of the lines."""
        if not self.undo_stack:
            return
        before = self.undo_stack.pop()
        for outline in {*self.corrections, *before.corrections}:
            if self.corrections.get(outline) != before.corrections.get(outline):
                self.fields[outline] = self.fields.get(outline, 0) + 1  # another field, which starts with that text
        self.regions, self.corrections = before.regions, dict(before.corrections)

    def settings_from(self, settings: PreprocessSettings) -> PreprocessSettings:
        """The settings of this page, where `settings` are those of all pages."""
        own = settings if self.settings is None else self.settings
        return own if self.turn is None else replace(own, turn=self.turn)

    def reader_from(self, reader: Reader) -> Reader:
        """The reader of this page, with the words that it was read with."""
        return reader if self.words is None else replace(reader, words=self.words)

    def note_reading(self, asked: ReadWith | None) -> None:
        """Notes the inputs of a reading of this page that is done; None if it was stopped."""
        self.read_with = asked
        if asked is not None:
            self.words = asked.reader.words

    def read_again(self) -> None:
        """Has the page read with the person's present words."""
        self.words = None


@dataclass
class PhotoState:
    """The Photo page's session.

    Attributes:
        memory: Keeps files, pages and readings, within the budget of all sessions.
        cleaning: Held while a page is cleaned.
        files: The hashes of the files, by their names.
        current: The page that is shown.
        pages: The state of each page that was shown or read.
        page_count: How many pages there are.
        settings: Of the preprocessing, for all pages, as they were loaded or chosen last; some have no control.
        controls_of: The page whose settings the controls showed last.
        settings_error: Why a file with settings could not be loaded.
        stopped: The reading that a person stopped.
        reading: The reading that is going on, or was the last.
        stopped_all: Whether a person stopped the reading of the other pages.
        edits: The number of the last edit in the picture that was made.
        stored: What the browser had stored of files that were not chosen again, by their hashes.
        removing: The names of files that a person wants to remove and was asked about.
        refused: Why files were refused before they reached the server, by their names, until that is dismissed.
        refusals: The number of the last such file that the browser told.
        touched: The settings that the picture was last shown with, by the page. Others show the preprocessing steps.
        uploaders, cameras, settings_uploaders: How many were used up. Each upload makes another widget, which starts
            empty.
    """

    memory: SessionMemory = field(default_factory=BUDGET.session)
    cleaning: threading.Lock = field(default_factory=threading.Lock, repr=False)
    files: dict[str, str] = field(default_factory=dict)
    current: PageKey | None = None
    pages: dict[PageKey, PageState] = field(default_factory=dict)
    page_count: int = 0
    settings: PreprocessSettings = field(default_factory=PreprocessSettings)
    controls_of: PageKey | None = None
    settings_error: str | None = None
    stopped: tuple[PageKey, ReadWith] | None = None
    reading: tuple[PageKey, ReadWith] | None = None
    stopped_all: bool = False
    edits: int = 0
    stored: dict[str, Mapping] = field(default_factory=dict)
    removing: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    refusals: int = 0
    touched: tuple[PageKey, PreprocessSettings] | None = None
    uploaders: int = 0
    cameras: int = 0
    settings_uploaders: int = 0

    def page(self, key: PageKey) -> PageState:
        """The state of a page."""
        return self.pages.setdefault(key, PageState())

    def stop(self) -> None:
        """Stops the reading of the page that is shown."""
        self.stopped = self.reading

    def resume(self) -> None:
        """Reads on where the reading was stopped."""
        self.stopped = None

    def stop_all(self) -> None:
        """Stops the reading of the other pages."""
        self.stopped_all = True

    def resume_all(self) -> None:
        """Reads the other pages, those with errors too."""
        self.stopped_all = False
        for page in self.pages.values():
            page.error = None

    def forget_files(self, hashes: set[str]) -> None:
        """Drops the state of these files' pages, with their corrections."""
        for key in [key for key in self.pages if key.file in hashes]:
            del self.pages[key]
        for kind in ("prepared", "cleaned", "page", "thumbnail"):
            self.memory.forget(kind, lambda key: isinstance(key, tuple) and key[0].file in hashes)
        self.memory.forget("file", lambda key: key in hashes)
        if not self.files:
            self.memory.forget("reading", lambda key: True)  # kept by the lines' pictures, of whatever page
        if self.stopped is not None and self.stopped[0].file in hashes:
            self.stopped = None
        if self.reading is not None and self.reading[0].file in hashes:
            self.reading = None


class SessionReadings:
    """The readings that a session keeps, as `hwr_core.pipeline` asks for them."""

    def __init__(self, memory: SessionMemory):
        self._memory = memory

    def get(self, key: Hashable) -> Reading | None:
        """The reading of this reader and picture, or None if it is unknown."""
        return self._memory.get("reading", key)  # type: ignore[return-value]  # this kind has readings only

    def __setitem__(self, key: Hashable, reading: Reading) -> None:
        self._memory.put("reading", key, reading, READING_BYTES + CHARACTER_BYTES * len(reading.text))


def photo_state() -> PhotoState:
    """The state of this session."""
    return st.session_state.setdefault(STATE, PhotoState())
