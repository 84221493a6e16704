"""Undo, redo, the eraser, moving and deleting strokes, and the history on the Draw page."""

import numpy as np
import pytest

from hwr_core.ink.canvas import path_object, strokes_of
from hwr_core.ink.handprint import write
from pages.drawing.state import Document, DrawState, fingerprint, rounded
from tests.support.app import draw_page, on_canvas, press


def objects(text: str) -> list[dict]:
    return [path_object(stroke, 5, "#000000") for stroke in write(text)]


@pytest.fixture
def state(monkeypatch):
    """A state without a browser: what the canvas sent last is what it was given."""
    made = DrawState()
    monkeypatch.setattr(DrawState, "sent", lambda self: (self.given or {"objects": []})["objects"])
    return made


def drawn(state: DrawState, items: list[dict]) -> None:
    """Has the canvas send one stroke after the other."""
    for count in range(len(state.objects) + 1, len(items) + 1):
        state.receive(items[:count])


def test_undo_takes_stroke_by_stroke_and_redo_brings_each_back(state):
    items = objects("to it")
    drawn(state, items)
    counts = []
    for step in (state.undo, state.undo, state.redo, state.redo, state.redo):
        step()
        counts.append(len(state.objects))
    full = len(items)
    assert counts == [full - 1, full - 2, full - 1, full, full]
    assert state.given["objects"] == items


def test_strokes_that_arrive_together_are_taken_back_one_by_one(state):
    items = objects("to")
    state.receive(items)
    state.undo()
    assert list(state.objects) == items[:-1]


def test_the_canvas_may_describe_what_it_was_given_in_its_own_words(state):
    drawn(state, objects("to"))
    state.undo()
    answer = [{**item, "version": "7.0", "shadow": None} for item in state.objects]
    state.receive(answer)
    state.redo()
    assert len(state.objects) == len(objects("to")), "the answer is no change that ends Redo"


def test_objects_that_the_canvas_sent_before_it_was_given_others_are_ignored():
    state, items = DrawState(), objects("to it")
    for count in range(1, len(items) + 1):
        state.receive(items[:count])
    state.unanswered = items
    state.document = Document(tuple(items[:-1]))
    state.receive(items)
    assert len(state.objects) == len(items) - 1


def test_a_late_answer_to_an_earlier_drawing_is_no_change():
    state, items = DrawState(), objects("to it")
    for count in range(1, len(items) + 1):
        state.receive(items[:count])
    state.sent = lambda: items
    state.clear()
    state.undo()
    for answer in (items, [], [], items):  # the canvas had answered to neither when the second was given
        state.receive(answer)
        assert len(state.objects) == len(items)
    state.receive(items[:-1])
    assert len(state.objects) == len(items) - 1


def test_the_eraser_takes_whole_strokes_and_undo_brings_them_back(state):
    state.write([np.array([[0.0, 0], [100, 0]]), np.array([[0.0, 50], [100, 50]])], 5, "#000000")
    state.erase(np.array([[50.0, -30], [50, 20]]))
    assert [stroke[0, 1] for stroke in state.strokes] == [50]
    state.erase(np.array([[300.0, 0]]))
    state.undo()
    assert len(state.objects) == 2


def test_selected_strokes_are_moved_and_deleted(state):
    state.write(write("to"), 5, "#000000")
    before = state.strokes
    state.move({0}, (30.0, -5.0))
    assert np.allclose(state.strokes[0], before[0] + (30, -5)) and np.allclose(state.strokes[1], before[1])
    state.delete({1, 99})
    assert len(state.objects) == len(before) - 1
    state.undo()
    state.undo()
    assert fingerprint(state.strokes) == fingerprint(before)


def test_a_curve_is_moved_with_its_control_points():
    curve = {"type": "Path", "path": [["M", 0, 0], ["Q", 5, 5, 10, 0]], "left": 5, "top": 2.5}
    state = DrawState(document=Document((curve,)))
    state.move({0}, (1, 2))
    assert state.objects[0]["path"] == [["M", 1, 2], ["Q", 6, 7, 11, 2]]


def test_a_correction_is_undone_and_made_again():
    app = on_canvas(draw_page(), write("hello")).run()
    app.text_area[0].set_value("Hello!").run()
    press(app, "Undo")
    assert app.text_area[0].value == "hello"
    press(app, "Redo")
    assert app.text_area[0].value == "Hello!"
    press(press(app, "Undo"), "Undo")
    assert len(app.session_state["drawing"].objects) == len(objects("hello")) - 1, "then the strokes, one by one"


def test_clear_is_undone_with_its_history():
    app = on_canvas(draw_page(), write("hello")).run()
    press(app, "Clear")
    state = app.session_state["drawing"]
    assert not state.objects and [earlier.text for earlier in state.history] == ["hello"]
    press(app, "Undo")
    assert fingerprint(state.strokes) == fingerprint(rounded(strokes_of(objects("hello")))) and not state.history
    assert app.text_area[0].value == "hello"


def test_a_drawing_of_the_history_is_opened_with_its_strokes_and_its_correction():
    app = on_canvas(draw_page(), write("hello")).run()
    app.text_area[0].set_value("Hello!").run()
    on_canvas(press(app, "Clear"), []).run()
    on_canvas(app, write("thank you")).run()
    press(app, "Open")
    state = app.session_state["drawing"]
    assert fingerprint(rounded(strokes_of(state.given["objects"]))) == fingerprint(
        rounded(strokes_of(objects("hello")))
    )
    assert app.text_area[0].value == "Hello!"
    assert [earlier.text for earlier in state.history] == ["thank you"], "the drawing before is kept too"


def test_the_example_is_taken_back():
    app = press(draw_page().run(), "Try an example")
    assert app.session_state["drawing"].objects
    press(app, "Undo")
    assert not app.session_state["drawing"].objects


def test_the_field_stays_as_it_is_while_one_types_but_is_renewed_by_undo(state):
    state.write(write("to"), 5, "#000000")
    renewed = state.times_renewed
    state.change(texts={"key": "text"})
    assert state.times_renewed > renewed
