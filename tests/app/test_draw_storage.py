"""What the Draw page keeps in the browser's storage, and how it comes back after a reload."""

import json

import numpy as np
import pytest
import streamlit as st

from hwr_core import pipeline
from hwr_core.ink.handprint import write
from pages.drawing.line_texts import Typed
from pages.drawing.saved import document_of, drawing_values, history_values
from pages.drawing.state import Document, Earlier, fingerprint
from pages.shared import browser_storage
from pages.shared.browser_storage import STATE
from pages.shared.my_words import JOIN
from tests.support.app import draw_page, field, on_canvas, press


def stored(app) -> dict:
    """The drawing and the history of a session, as the browser would store them."""
    document, mode = app.session_state["drawing"].document, app.session_state["mode"]
    return json.loads(
        json.dumps({"draw": drawing_values(document, mode), "draw-history": history_values(document.history)})
    )


def answered(app, values: dict):
    """The session, after the browser has answered what it has stored."""
    app.run()
    state = app.session_state[STATE]
    state.answered, state.stored = True, values
    return app.run()


def test_drawing_correction_mode_and_history_come_back_after_a_reload():
    app = on_canvas(draw_page(), write("hello")).run()
    on_canvas(press(app, "Clear"), []).run()
    app.session_state["mode"] = "Text"
    on_canvas(app, write("thank you")).run()
    field(app).set_value("Thank you!").run()
    again = answered(draw_page(), stored(app))
    assert not again.exception
    before, now = app.session_state["drawing"], again.session_state["drawing"]
    assert fingerprint(now.strokes) == fingerprint(before.strokes)
    assert now.given["objects"] and again.session_state["mode"] == "Text"
    assert field(again).value == "Thank you!"
    assert [earlier.text for earlier in now.history] == ["hello"]
    press(again, "Open")
    assert field(again).value == "hello"


def test_what_was_drawn_before_the_browser_answered_is_kept_and_the_stored_drawing_goes_to_the_history():
    app = on_canvas(draw_page(), write("hello")).run()
    other = on_canvas(draw_page(), write("other")).run()
    field(other).set_value("Other!").run()
    app = answered(app, stored(other))
    assert field(app).value == "hello"
    assert [earlier.text for earlier in app.session_state["drawing"].history] == ["Other!"]
    assert field(press(app, "Open")).value == "Other!"


def test_a_stored_drawing_that_was_not_corrected_can_be_opened_from_the_history():
    app = on_canvas(draw_page(), write("hello")).run()
    app = answered(app, stored(on_canvas(draw_page(), write("other")).run()))
    assert field(press(app, "Open")).value == "other"


def test_corrections_and_history_come_back_to_strokes_that_the_canvas_sent_before():
    """After a restart of the server the page in the browser still has the strokes, and sends them to the new session."""
    app = on_canvas(draw_page(), write("hello")).run()
    on_canvas(press(app, "Clear"), []).run()
    on_canvas(app, write("thank you")).run()
    field(app).set_value("Thank you!").run()
    more = [*write("thank you"), np.array([[300.0, 10.0], [310.0, 60.0]])]
    for strokes, undone in ((write("thank you"), len(write("thank you")) - 1), (more, len(write("thank you")))):
        again = answered(on_canvas(draw_page(), strokes), stored(app))
        state = again.session_state["drawing"]
        assert len(state.strokes) == len(strokes) and [earlier.text for earlier in state.history] == ["hello"]
        assert "Thank you!" in state.document.texts.values()
        press(again, "Undo")
        assert len(state.strokes) == undone and len(state.history) == 1
    assert field(answered(on_canvas(draw_page(), write("thank you")), stored(app))).value == "Thank you!"


@pytest.mark.parametrize(
    "drawing",
    [
        "text",
        [1, 2],
        {"mode": "Auto"},
        {"mode": "Auto", "number": 1, "strokes": [["#000", 5, 1]], "texts": {}, "lines": []},
        {"mode": "Auto", "number": 1, "strokes": [["#000", 5, 10**9, 10**9]], "texts": {}, "lines": []},
        {"mode": "Auto", "number": 1, "strokes": [["#000", "wide", 1, 1]], "texts": {}, "lines": []},
        {"mode": "Auto", "number": 1, "strokes": [], "texts": {"key": 5}, "lines": []},
    ],
)
def test_a_browsers_nonsense_is_ignored(drawing):
    with pytest.raises(ValueError):
        document_of(drawing, None)
    app = answered(draw_page(), {"draw": drawing})
    assert not app.exception and not app.session_state["drawing"].objects


def test_plain_values_give_the_same_document_back():
    app = on_canvas(draw_page(), write("hello")).run()
    field(app).set_value("Hello!").run()
    document = app.session_state["drawing"].document
    earlier = Earlier(document.objects, "x^2", (True,), 3, {(True, (1, 2, 3, 4)): "x^{2}"})
    document = Document(document.objects, 4, document.texts, document.line_texts, (earlier,))
    again, mode = document_of(drawing_values(document, "Auto"), history_values(document.history))
    assert mode == "Auto" and (again.number, again.texts, again.line_texts) == (4, document.texts, document.line_texts)
    assert again.history[0].line_texts == earlier.line_texts and again.history[0].formula == (True,)
    assert fingerprint(again.history[0].strokes) == fingerprint(earlier.strokes)


def test_forget_removes_drawing_corrections_and_history():
    app = on_canvas(draw_page(), write("hello")).run()
    press(press(app, "Clear"), "Undo")
    press(app, "Forget")
    state = app.session_state["drawing"]
    assert not state.objects and not state.history and not state.past and not state.future
    assert drawing_values(state.document, "Auto")["texts"] == {}


def test_my_words_are_read_right_and_kept(monkeypatch):
    given = []
    original = pipeline.read_ink

    def spy(*arguments, words="", **options):
        given.append(words)
        return original(*arguments, words=words, **options)

    monkeypatch.setattr(pipeline, "read_ink", spy)
    app = answered(draw_page(), {"words": "Xanthippe"})
    listed = app.text_area(key="my words")
    assert listed.value == "Xanthippe"
    listed.set_value("Xanthippe, Gaitskell").run()
    on_canvas(app, write("hello")).run()
    assert given == ["Xanthippe, Gaitskell"]
    press(app, "Forget")
    assert app.text_area(key="my words").value == ""


def test_the_browser_is_asked_below_the_navigation(monkeypatch):
    """An answer that comes before the browser knows its page runs the first one: a reload of Photo opened Draw."""
    order = []
    navigation, load = st.navigation, browser_storage.load
    monkeypatch.setattr(st, "navigation", lambda *pages, **how: order.append("navigation") or navigation(*pages, **how))
    monkeypatch.setattr(browser_storage, "load", lambda: order.append("question") or load())
    draw_page().run()
    assert order[:2] == ["navigation", "question"]


@pytest.mark.parametrize(
    ("first", "typed", "shown"),
    [
        ("hello", "Hello!", "Hello!\nthank you"),  # the second line was read after the last field came
        ("hello\nthank you", "hello\nthank you!", "hello\nthank you!"),
        ("other", "Other!", "hello\nthank you"),
    ],
)
def test_a_text_typed_before_a_reload_goes_into_its_line_or_nowhere(first, typed, shown):
    app = on_canvas(draw_page(), [*write("hello"), *(stroke + (0, 200) for stroke in write("thank you"))])
    app.session_state["drawing"].enter(Typed("0-gone", first, typed))
    assert not app.run().exception and field(app).value == shown


def test_typed_corrections_join_my_words_only_if_that_is_wanted():
    app = on_canvas(draw_page(), write("hello")).run()
    field(app).set_value("Hallo Xanthippe").run()
    assert not app.exception and app.text_area(key="my words").value == "Hallo\nXanthippe"
    assert field(app).value == "Hallo Xanthippe", "also after it was read with the list"
    app.toggle(key=JOIN).set_value(False).run()
    field(app).set_value("Hallo Gaitskell").run()
    assert app.text_area(key="my words").value == "Hallo\nXanthippe"
    app.toggle(key="live").set_value(False).run()
    app.text_area(key="my words").set_value("Gaitskell").run()
    assert field(app).value == "Hallo Gaitskell", "other words wait for Read"
