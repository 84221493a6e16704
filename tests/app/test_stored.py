"""Corrections in the browser's storage: they come back with their file, and nonsense there is ignored."""

import json

import pytest

from hwr_core.layout.regions import Region
from pages.shared import browser_storage
from pages.workbench import stored
from pages.workbench.state import PageKey, PhotoState

CORNERS = ((1, 2), (90, 2), (90, 30), (1, 30))


@pytest.fixture
def browser(monkeypatch):
    """The browser's storage as one dictionary of JSON texts."""
    slots: dict[str, str] = {}
    monkeypatch.setattr(browser_storage, "save", lambda slot, value: slots.update({slot: json.dumps(value)}))
    monkeypatch.setattr(browser_storage, "taken", lambda slot: json.loads(slots.pop(slot, "null")))
    return slots


def test_what_was_done_on_a_page_comes_back_with_its_file(browser):
    before = PhotoState(files={"a.png": "hash"})
    page = before.page(PageKey("hash", 1))
    page.corrections, page.regions, page.turn = {CORNERS: "hello"}, (Region(CORNERS, True),), "90"
    before.page(PageKey("hash", 0))
    stored.store(before)
    after = PhotoState()
    stored.take_stored(after)
    assert not after.pages, "not before the file is there"
    assert stored.stored_names(after) == ["a.png"]
    stored.store(after)  # and it stays stored meanwhile
    later = PhotoState()
    stored.take_stored(later)
    stored.restore(later, "hash")
    page = later.page(PageKey("hash", 1))
    assert (page.corrections, page.regions, page.turn) == ({CORNERS: "hello"}, (Region(CORNERS, True),), "90")
    assert PageKey("hash", 0) not in later.pages


def test_a_correction_of_this_session_counts_more_than_a_stored_one(browser):
    before = PhotoState()
    before.page(PageKey("hash", 0)).corrections = {CORNERS: "stored"}
    stored.store(before)
    now = PhotoState(files={"a.png": "hash"})
    now.page(PageKey("hash", 0)).corrections = {CORNERS: "new"}
    stored.take_stored(now)
    assert now.page(PageKey("hash", 0)).corrections == {CORNERS: "new"}


def typed(text: object, **other: object) -> dict:
    return {"page": "hash-1", "name": "a.png", "outline": CORNERS, "text": text, **other}


def test_a_text_that_was_being_typed_at_a_reload_comes_back_in_place_of_an_earlier_correction(browser):
    above = tuple((x, y + 40) for x, y in CORNERS)
    before = PhotoState(files={"a.png": "hash"})
    before.page(PageKey("hash", 1)).corrections = {CORNERS: "hello", above: "above"}
    stored.store(before)
    browser[stored.TYPED] = json.dumps([typed("hello!"), typed("other", page="new-0", name="b.png")])
    after = PhotoState()
    stored.take_stored(after)
    assert stored.stored_names(after) == ["b.png", "a.png"]
    stored.store(after)  # with the corrections, where the browser still has its own copy
    later = PhotoState()
    stored.take_stored(later)
    for file in ("hash", "new"):
        stored.restore(later, file)
    assert later.page(PageKey("hash", 1)).corrections == {CORNERS: "hello!", above: "above"}
    assert later.page(PageKey("new", 0)).corrections == {CORNERS: "other"}


@pytest.mark.parametrize(
    "value",
    [
        7,
        [7],
        [{}],
        [typed(7)],
        [typed("x", outline=[[1, 2]])],
        [typed("x", page="hash")],
        [typed("x", page=None, name=7)],
    ],
)
def test_nonsense_in_what_was_being_typed_is_ignored(browser, value):
    browser[stored.TYPED] = json.dumps(value)
    state = PhotoState()
    stored.take_stored(state)
    for file in list(state.stored):
        stored.restore(state, file)
    assert not any(page.corrections for page in state.pages.values())


@pytest.mark.parametrize(
    "value",
    [
        7,
        [],
        {"hash": 7},
        {"hash": {"first": {}, "name": 7}},
        {"hash": {"0": []}},
        {"hash": {"0": {"corrections": [[[1, 2], "x"], "y", [[[0, 0]] * 4, 7], [[["a", 0]] * 4, "x"]]}}},
        {"hash": {"0": {"corrections": {}, "lines": 9, "turn": "91"}}},
    ],
)
def test_nonsense_in_the_storage_is_ignored(browser, value):
    browser["photo"] = json.dumps(value)
    state = PhotoState()
    stored.take_stored(state)
    assert stored.stored_names(state) == []
    stored.restore(state, "hash")
    for page in state.pages.values():
        assert not page.corrections and page.regions is None and page.turn is None
