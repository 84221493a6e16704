"""The memory that all Photo sessions share: least recently used first, files last, within one budget."""

import gc
import threading

import pytest

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from pages.workbench.memory import LOW_MADE_BYTES, LOW_TOTAL_BYTES, MADE_BYTES, TOTAL_BYTES, MemoryBudget, limits
from tests.support.app import photo_page, png, text_of, upload


def budget(total: int = 100, made: int = 60) -> MemoryBudget:
    return MemoryBudget(lambda: (total, made))


def test_the_least_recently_used_of_all_sessions_goes_first():
    shared = budget()
    first, second = shared.session(), shared.session()
    first.put("prepared", "a", "page a", 20)
    second.put("prepared", "b", "page b", 20)
    first.put("prepared", "c", "page c", 20)
    assert first.get("prepared", "a") == "page a"  # now used after b
    second.put("prepared", "d", "page d", 20)
    assert second.get("prepared", "b") is None
    assert [first.get("prepared", key) for key in "ac"] == ["page a", "page c"] and shared.used == 60


def test_what_was_dropped_is_made_anew_when_it_is_looked_at_again():
    session, made = budget().session(), []

    def page(name: str) -> str:
        return session.remembered("prepared", name, lambda: made.append(name) or name.upper(), lambda value: 40)

    assert [page("a"), page("a"), page("b"), page("a")] == ["A", "A", "B", "A"]
    assert made == ["a", "b", "a"]


def test_files_go_last_and_the_one_in_use_stays():
    session = budget().session()
    session.put("file", "first", b"1", 50)
    session.put("prepared", "page", "page", 40)
    session.put("file", "second", b"2", 50)
    assert session.get("prepared", "page") is None and session.get("file", "first") == b"1"
    session.put("file", "third", b"3", 120)
    assert [session.get("file", name) for name in ("first", "second", "third")] == [None, None, b"3"]


def test_what_a_session_kept_is_dropped_with_it_and_only_that():
    shared = budget()
    gone, stays = shared.session(), shared.session()
    gone.put("file", "a", b"1", 10)
    stays.put("file", "a", b"2", 10)
    del gone
    gc.collect()
    assert shared.used == 10 and stays.get("file", "a") == b"2"
    stays.forget("file", lambda key: key == "a")
    assert shared.used == 0


def test_a_value_that_is_kept_again_counts_once():
    shared = budget()
    session = shared.session()
    for size in (30, 10):
        session.put("prepared", "a", "page", size)
    assert shared.used == 10


def test_many_threads_keep_the_budget_and_the_count():
    shared = budget(1000, 600)
    sessions = [shared.session() for _ in range(8)]
    most = []

    def work(session, seed: int) -> None:
        for number in range(300):
            kind = "file" if (number + seed) % 5 == 0 else "prepared"
            session.put(kind, number % 17, number, 10 + number % 7)
            session.get(kind, (number * 3) % 17)
            if number % 50 == 0:
                session.forget("prepared", lambda key: key % 2 == 0)
            most.append(shared.used)

    threads = [threading.Thread(target=work, args=(session, seed)) for seed, session in enumerate(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 1000
    for session in sessions:
        for kind in ("file", "prepared"):
            session.forget(kind, lambda key: True)
    assert shared.used == 0


@pytest.mark.parametrize(
    ("low", "expected"), [("1", (LOW_TOTAL_BYTES, LOW_MADE_BYTES)), ("0", (TOTAL_BYTES, MADE_BYTES))]
)
def test_the_budget_is_smaller_in_low_memory_mode(low, expected, monkeypatch):
    monkeypatch.setenv("HWR_LOW_MEMORY", low)
    assert limits() == expected and LOW_TOTAL_BYTES < TOTAL_BYTES and LOW_MADE_BYTES < MADE_BYTES


def test_a_page_is_shown_again_after_all_but_its_file_was_dropped_and_a_lost_file_is_reported():
    file = ("line.png", png(render_line(write("hello world"), 96, 5)))
    app = upload(photo_page().run(), file)
    state = app.session_state["photo"]
    for kind in ("prepared", "cleaned", "reading", "thumbnail"):
        state.memory.forget(kind, lambda key: True)
    assert text_of(app.run()) == "hello world" and not app.exception
    state.memory.forget("file", lambda key: True)
    app.run()
    assert not app.exception and "line.png was removed" in app.error[0].value
    app = upload(app, file)
    assert not app.error and text_of(app) == "hello world" and list(state.files) == ["line.png"]
