"""Reading in the background: in order, paused for the page that is shown, stopped with the session."""

import gc
import threading
from types import SimpleNamespace

import pytest

from hwr_core.errors import HandwritingError
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.reading import Page, PageId
from pages.shared.model_picker import Reader
from pages.workbench import background
from pages.workbench.background import Background, Task
from pages.workbench.reading import ReadSheet
from pages.workbench.state import PageKey, PhotoState, ReadWith

SECONDS = 20  # that a test waits for the thread at most
READER = Reader("text", "cpu", 4)
ASKED = ReadWith(PreprocessSettings(), READER, None)


def task(name: str) -> Task:
    sheet = SimpleNamespace(key=PageKey(name, 0), page_id=PageId(f"{name}.png"))
    return Task(sheet, PreprocessSettings(), SimpleNamespace(reader=READER), ASKED)


@pytest.fixture
def work(monkeypatch):
    """Stands for the reading of a page: notes its name, and does what a test has put in for it."""
    done: list[str] = []
    acts: dict[str, object] = {}

    def read(state, sheet, prepared, settings, readers, stopped):
        act = acts.get(sheet.key.file)
        left = act(stopped) if act else 0
        if not left:
            done.append(sheet.key.file)
        return ReadSheet(Page((), (1, 1)), (), (), left or 0)

    monkeypatch.setattr(background, "prepare", lambda *arguments, **options: None)
    monkeypatch.setattr(background, "read_sheet", read)
    return SimpleNamespace(done=done, acts=acts)


def session(*names: str) -> PhotoState:
    return PhotoState(files={f"{name}.png": name for name in names})


def test_pages_are_read_in_their_order_and_a_damaged_one_is_told(work):
    state = session("a", "b", "c")
    reading = Background(state)

    def damaged(stopped):
        raise HandwritingError("b.png is damaged.")

    def bug(stopped):
        raise RuntimeError("a bug")

    work.acts.update(b=damaged, d=bug)
    reading.want([task(name) for name in "abcd"])
    reading.wait(SECONDS)
    assert work.done == ["a", "c"] and reading.left == [] and reading.seconds_left == 0
    assert state.page(PageKey("a", 0)).read_with == ASKED
    assert state.page(PageKey("b", 0)).error == "b.png is damaged."
    assert PageKey("d", 0) not in state.pages, "its file is not there any more"


def test_the_page_that_is_shown_is_read_first(work):
    reading, started = Background(state := session("a")), threading.Event()
    pauses = []

    def slow(stopped):
        started.set()
        while not stopped() and not pauses:
            threading.Event().wait(0.01)
        pauses.append(stopped())
        return int(stopped())

    work.acts["a"] = slow
    reading.want([task("a")])
    assert started.wait(SECONDS)
    with reading.paused():
        while not pauses:
            threading.Event().wait(0.01)
        assert pauses == [True] and work.done == []
    reading.wait(SECONDS)
    assert work.done == ["a"] and state.page(PageKey("a", 0)).read_with == ASKED


def test_what_is_no_longer_wanted_stops_and_what_goes_on_is_not_read_twice(work):
    reading, started = Background(state := session("a", "b")), threading.Event()

    def slow(stopped):
        started.set()
        while not stopped():
            threading.Event().wait(0.01)
        return 1

    work.acts["a"] = slow
    reading.want([task("a")])
    assert started.wait(SECONDS)
    reading.want([task("a"), task("b")])  # as each run of the page asks
    assert work.done == [] and len(reading.left) == 2
    reading.want([task("b")])
    reading.wait(SECONDS)
    assert work.done == ["b"] and state.page(PageKey("a", 0)).read_with is None


def test_a_session_that_has_ended_is_read_no_further(work):
    state = session("a", "b")
    reading, started, gone = Background(state), threading.Event(), threading.Event()

    def first(stopped):
        started.set()
        gone.wait(SECONDS)

    work.acts["a"] = first
    reading.want([task("a"), task("b")])
    thread = reading._thread
    assert started.wait(SECONDS)
    del state
    gc.collect()
    gone.set()
    thread.join(SECONDS)
    assert not thread.is_alive() and work.done == ["a"]
