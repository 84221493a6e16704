"""The Photo page's session: its files, and the corrections and reading of each page."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

import streamlit as st

from hwr_core.imaging.settings import PreprocessSettings, Turn
from hwr_core.layout.regions import Outline, Region
from hwr_core.reading import Page, Reading
from pages.shared.model_picker import Reader
from pages.workbench.memory import BUDGET, SessionMemory

STATE = "photo"
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
        error: Why the page could not be read when all pages were.
        canvas: Number of the canvas with the line boxes. Another canvas starts from the lines as they are now.
        canvas_start: The number of a canvas, and the lines that it started with.
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
    canvas: int = 0
    canvas_start: tuple[int, tuple[Region, ...]] = (-1, ())

    def with_regions(self, regions: tuple[Region, ...] | None) -> None:
        """Changes the lines. The canvas starts anew."""
        self.regions = regions
        self.renew_canvas()

    def renew_canvas(self) -> None:
        """Makes another canvas, which starts from the lines as they are now."""
        self.canvas += 1


@dataclass
class PhotoState:
    """The Photo page's session.

    Attributes:
        memory: Keeps files, pages and readings, within the budget of all sessions.
        files: The hashes of the files, by their names.
        current: The page that is shown.
        pages: The state of each page that was shown or read.
        settings: Of the preprocessing, as they were loaded or chosen last; some have no control.
        settings_error: Why a file with settings could not be loaded.
        stopped: The reading that a person stopped.
        reading: The reading that is going on, or was the last.
        reading_all: Whether all pages are being read.
        canvas_shown: Which page the canvas with the line boxes shows, and how large.
        uploaders, cameras, settings_uploaders: How many were used up. Each upload makes another widget, which starts
            empty.
    """

    memory: SessionMemory = field(default_factory=BUDGET.session)
    files: dict[str, str] = field(default_factory=dict)
    current: PageKey | None = None
    pages: dict[PageKey, PageState] = field(default_factory=dict)
    settings: PreprocessSettings = field(default_factory=PreprocessSettings)
    settings_error: str | None = None
    stopped: tuple[PageKey, ReadWith] | None = None
    reading: tuple[PageKey, ReadWith] | None = None
    reading_all: bool = False
    canvas_shown: Hashable = None
    uploaders: int = 0
    cameras: int = 0
    settings_uploaders: int = 0

    def page(self, key: PageKey) -> PageState:
        """The state of a page."""
        return self.pages.setdefault(key, PageState())

    def stop(self) -> None:
        """Stops the reading that is going on, also that of all pages."""
        self.stopped = self.reading
        self.reading_all = False

    def resume(self) -> None:
        """Reads on where the reading was stopped."""
        self.stopped = None

    def forget_files(self, hashes: set[str]) -> None:
        """Drops the state of these files' pages, with their corrections."""
        for key in [key for key in self.pages if key.file in hashes]:
            del self.pages[key]
        for kind in ("prepared", "cleaned", "thumbnail"):
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
