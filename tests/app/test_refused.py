"""Files that the browser does not send: each gets a sentence, until it is dismissed. Nonsense from the browser is ignored."""

import pytest
import streamlit as st

from pages.workbench import adding
from pages.workbench.refused import SHOWN, take_refused
from pages.workbench.state import PhotoState
from tests.support.app import photo_page, upload
from tests.support.paths import SAMPLES


def refusal(number: int, name: str, reason: str = "size", uploader: str = "pages") -> dict:
    return {"n": number, "name": name, "reason": reason, "uploader": uploader}


def errors(app) -> list[str]:
    return [error.value for error in app.error]


def test_each_refused_file_gets_a_sentence_beside_the_page_that_was_read():
    app = photo_page()
    app.session_state["photo"] = state = PhotoState()
    take_refused(state, [refusal(1, "a.tif"), refusal(2, "notes_1.txt", "kind"), refusal(3, "c.png", "failed")])
    assert len(errors(app.run())) == 1
    upload(app, ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    assert not app.exception
    [shown] = errors(app)
    first, second, third = shown.split("\n\n")
    assert first == "a.tif is larger than 64 MB: save it smaller, or split it."
    assert second.startswith(r"notes\_1.txt is not a picture that can be opened: use PNG, ")
    assert third == "c.png did not arrive: add it again."
    app.button(key="dismiss-refused").click().run()
    assert not errors(app) and list(state.files) == ["letter.jpg"]


def test_of_many_refused_files_the_first_are_named():
    app = photo_page()
    app.session_state["photo"] = state = PhotoState()
    take_refused(state, [refusal(number, f"{number}.tif") for number in range(1, SHOWN + 3)])
    [shown] = errors(app.run())
    assert shown.count("larger than") == SHOWN and shown.endswith("2 other files could not be added either.")


def test_a_refusal_counts_once_and_one_of_settings_is_told_there():
    state = PhotoState()
    take_refused(state, [refusal(1, "a.tif")])
    state.refused.clear()
    take_refused(state, [refusal(1, "a.tif"), refusal(2, "b.txt", uploader="settings")])
    assert not state.refused and state.settings_error is not None and state.settings_error.startswith("b.txt ")


@pytest.mark.parametrize("value", [None, 7, "text", [7], [{}], [{"n": "1"}], {"n": 1}])
def test_nonsense_from_the_browser_is_ignored(value):
    state = PhotoState()
    take_refused(state, value)
    assert not state.refused


def test_a_pasted_picture_that_is_too_large_is_not_sent(monkeypatch):
    monkeypatch.setattr(st, "session_state", {"paste": {"pasted": {"type": "image/tiff", "large": True}}})
    adding._take_sent("paste", "pasted")
    state = st.session_state["photo"]
    assert not state.files and list(state.refused) == ["pasted.tif"]
