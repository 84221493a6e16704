"""Reads the pages that are not shown, one after the other, in a thread of the session."""

import logging
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from hwr_core.errors import HandwritingError
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.words import without_pictures
from hwr_core.runtime.log import log_unexpected
from pages.workbench.files import Sheet
from pages.workbench.reading import Readers, prepare, read_sheet, read_with
from pages.workbench.state import PageKey, PhotoState, ReadWith

STATE = "background"
PAUSE_SECONDS = 0.2  # between two looks whether a paused thread may go on
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A page to read.

    Attributes:
        sheet: The page.
        settings: Of the preprocessing, for all pages.
        readers: Read its lines and formulas.
        asked: The inputs of the reading.
    """

    sheet: Sheet
    settings: PreprocessSettings
    readers: Readers
    asked: ReadWith

    @property
    def name(self) -> tuple[PageKey, ReadWith]:
        """Tells the task from others."""
        return self.sheet.key, self.asked


class Background:
    """Reads pages in a thread, as long as there are any. Thread-safe.

    It refers to the session weakly: a session that has ended is read no further.

    Args:
        state: The session.
    """

    def __init__(self, state: PhotoState):
        self._state = weakref.ref(state)
        self._lock = threading.Lock()
        self._tasks: list[Task] = []
        self._thread: threading.Thread | None = None
        self._pauses = 0
        self._seconds: list[float] = []
        self.finished = 0  # pages

    @property
    def left(self) -> list[Task]:
        """The pages that are still to be read; the first one is being read."""
        with self._lock:
            return list(self._tasks)

    @property
    def seconds_left(self) -> float | None:
        """How long they will take, in seconds, by those read so far; None where none was."""
        with self._lock:
            return len(self._tasks) * sum(self._seconds) / len(self._seconds) if self._seconds else None

    def want(self, tasks: Sequence[Task]) -> None:
        """Has these pages read and no others. The page that is being read goes on if it is among them."""
        with self._lock:
            self._tasks = list(tasks)
            if self._tasks and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="photo-background", daemon=True)
                self._thread.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lets another page be read first. The thread stops between two batches of lines."""
        with self._lock:
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1

    def wait(self, seconds: float) -> None:
        """Waits until all pages are read, at most so long."""
        if (thread := self._thread) is not None:
            thread.join(seconds)

    def _run(self) -> None:
        while (task := self._next()) is not None:
            state = self._state()
            if state is None:
                return
            if self._pauses:
                time.sleep(PAUSE_SECONDS)
            elif self._read(state, task):
                with self._lock:
                    self._tasks = [other for other in self._tasks if other.name != task.name]
                    self.finished += 1
            del state  # the session may end meanwhile

    def _next(self) -> Task | None:
        with self._lock:
            if not self._tasks:
                self._thread = None
                return None
            return self._tasks[0]

    def _read(self, state: PhotoState, task: Task) -> bool:
        """Reads a page. Returns whether that is done: False if it was stopped."""
        sheet, start = task.sheet, time.monotonic()
        page = state.page(sheet.key)
        try:
            prepared = prepare(state, sheet, task.settings, task.readers, shown=False)
            read = read_sheet(state, sheet, prepared, task.settings, task.readers, stopped=lambda: self._stopped(task))
            if read.lines_left:
                return False
            if read_with(state, sheet, task.settings, task.readers.reader) == task.asked:
                page.page = without_pictures(read.page)
                page.note_reading(task.asked)
        except HandwritingError as error:
            page.error = str(error)
        except Exception as error:  # a bug must not end the thread, nor be tried for ever
            log_unexpected(logger, "Reading a page in the background", error)
            page.error = f"{sheet.page_id.title} could not be read: an error in the program."
        finally:
            if sheet.key.file not in state.files.values():  # removed meanwhile
                state.forget_files({sheet.key.file})
        with self._lock:
            self._seconds.append(time.monotonic() - start)
        return True

    def _stopped(self, task: Task) -> bool:
        with self._lock:
            return self._pauses > 0 or not any(other.name == task.name for other in self._tasks)


def background(state: PhotoState) -> Background:
    """The background of this session."""
    return st.session_state.setdefault(STATE, Background(state))
