"""Undo, redo, the eraser, moving and deleting strokes, and the history on the Draw page."""

import numpy as np
import pytest

from hwr_core.ink.canvas import path_object, strokes_of
from hwr_core.ink.handprint import write
from pages.drawing.edits import take_edits
from pages.drawing.line_texts import Typed, shared_out
from pages.drawing.state import Document, DrawState, fingerprint, rounded
from tests.support.app import draw_page, field, on_canvas, press


def objects(text: str) -> list[dict]:
    return [path_object(stroke, 5, "#000000") for stroke in write(text)]


@pytest.fixture
def state():
    """A state without a browser."""
    return DrawState()


def drawn(state: DrawState, items: list[dict]) -> None:
    for item in items:
        state.draw(item)


def sent(points: np.ndarray) -> list[int]:
    """Points as the browser sends them."""
    return np.diff(np.rint(points * 10).astype(int), axis=0, prepend=0).ravel().tolist()


def take(state: DrawState, *edits: dict) -> None:
    """Has the browser send operations with numbers."""
    numbered = [{"n": state.edits + number, **edit} for number, edit in enumerate(edits, 1)]
    take_edits(state, {"edits": {"session": state.session, "list": numbered}}, 5, "#000000")


def test_undo_takes_stroke_by_stroke_and_redo_brings_each_back(state):
    items = objects("to it")
    drawn(state, items)
    counts = []
    for step in (state.undo, state.undo, state.redo, state.redo, state.redo):
        step()
        counts.append(len(state.objects))
    full = len(items)
    assert counts == [full - 1, full - 2, full - 1, full, full]
    assert list(state.objects) == items


def test_operations_count_once_and_in_their_order(state):
    line = sent(np.array([[10.0, 20], [30, 20.5], [50, 21]]))
    stroke = {"op": "stroke", "points": line, "version": 0}
    take(state, stroke, stroke, {"op": "undo"}, {"op": "undo"}, {"op": "redo"})
    assert len(state.objects) == 1 and state.edits == 5
    for session, numbers in ((state.session, (3, 4, 5)), ("another", (6, 7))):
        again = [{**stroke, "n": number} for number in numbers]
        take_edits(state, {"edits": {"session": session, "list": again}}, 5, "#000000")
        assert len(state.objects) == 1, "it was confirmed, or was told to the session before"
    assert np.allclose(state.strokes[0], [[10, 20], [20, 20.2], [40, 20.7], [50, 21]], atol=0.11)


def test_a_stroke_that_the_canvas_lost_to_an_undo_is_shown_again(state):
    stroke = {"op": "stroke", "points": [0, 0, 100, 0], "version": 0}
    take(state, stroke, stroke)
    assert state.times_given == 0, "the canvas shows them already"
    take(state, {"op": "undo"}, stroke)
    assert len(state.objects) == 2 and state.times_given == 2


def test_a_dot_is_a_stroke_and_is_seen(state):
    take(state, {"op": "stroke", "points": [100, 200], "version": 0})
    assert np.allclose(state.strokes[0], [[10, 20], [10.1, 20]])


def test_the_browsers_eraser_moves_and_deletions_are_made(state):
    for height in (0, 500, 1000):
        take(state, {"op": "stroke", "points": [0, height, 1000, 0], "version": 0})
    take(state, {"op": "erase", "points": [500, -300, 0, 500]})
    take(state, {"op": "move", "strokes": [1], "by": [5, -7]})
    take(state, {"op": "delete", "strokes": [0, 77]})
    assert [stroke[0].tolist() for stroke in state.strokes] == [[5, 93]]


@pytest.mark.parametrize("edits", [None, 7, "x", [None], [{"n": "1"}], {"n": 1}])
def test_nonsense_from_the_browser_is_ignored(state, edits):
    for told in (edits, {"session": state.session, "list": edits}):
        take_edits(state, {"edits": told}, 5, "#000000")
    for edit in (
        {"op": "stroke"},
        {"op": "stroke", "points": [1]},
        {"op": "stroke", "points": [1, "x"]},
        {"op": "stroke", "points": [1e300, 0]},
        {"op": "stroke", "points": [9e6, 0] * 9},
        {"op": "move", "strokes": 5, "by": "xy"},
        {"op": "erase", "points": [[1, 2]]},
        {"op": "delete", "strokes": {}},
        {"op": []},
    ):
        take(state, edit)
    assert not state.objects and not state.past


def test_the_canvas_is_given_one_path_for_each_pen(state):
    strokes = write("to")
    drawn(state, [path_object(stroke, 5, "#000000") for stroke in strokes])
    drawn(state, [path_object(strokes[0] + 50, 9, "#ff0000")])
    state.give()
    black, red = state.given["objects"]
    assert (black["strokeWidth"], red["stroke"]) == (5, "#ff0000")
    numbers = [
        np.array([step.split() for step in part.split("l")], float).cumsum(0) for part in black["path"].split("M")[1:]
    ]
    assert all(np.allclose(shown, stroke, atol=0.1) for shown, stroke in zip(numbers, strokes, strict=True))


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
    curve = {**path_object(np.array([[0.0, 0], [10, 5]]), 5, "#000000"), "path": [["M", 0, 0], ["Q", 5, 5, 10, 0]]}
    state = DrawState(document=Document((curve,)))
    state.move({0}, (1, 2))
    assert state.objects[0]["path"] == [["M", 1, 2], ["Q", 6, 7, 11, 2]]


def test_a_correction_is_undone_and_made_again():
    app = on_canvas(draw_page(), write("hello")).run()
    field(app).set_value("Hello!").run()
    press(app, "Undo")
    assert field(app).value == "hello"
    press(app, "Redo")
    assert field(app).value == "Hello!"
    press(press(app, "Undo"), "Undo")
    assert len(app.session_state["drawing"].objects) == len(objects("hello")) - 1, "then the strokes, one by one"


def test_clear_is_undone_with_its_history():
    app = on_canvas(draw_page(), write("hello")).run()
    press(app, "Clear")
    state = app.session_state["drawing"]
    assert not state.objects and [earlier.text for earlier in state.history] == ["hello"]
    press(app, "Undo")
    assert fingerprint(state.strokes) == fingerprint(rounded(strokes_of(objects("hello")))) and not state.history
    assert field(app).value == "hello"


def test_a_drawing_of_the_history_is_opened_with_its_strokes_and_its_correction():
    app = on_canvas(draw_page(), write("hello")).run()
    field(app).set_value("Hello!").run()
    on_canvas(press(app, "Clear"), []).run()
    on_canvas(app, write("thank you")).run()
    press(app, "Open")
    state = app.session_state["drawing"]
    assert fingerprint(state.strokes) == fingerprint(rounded(strokes_of(objects("hello"))))
    assert field(app).value == "Hello!"
    assert [earlier.text for earlier in state.history] == ["thank you"], "the drawing before is kept too"


def test_a_text_typed_right_before_another_drawing_is_opened_is_kept():
    app = on_canvas(draw_page(), write("hello")).run()
    on_canvas(press(app, "Clear"), write("thank you")).run()
    field(app).set_value("Thank you all")
    press(app, "Open")  # the browser sends both at once, and the button's callback runs first
    assert field(app).value == "hello"
    assert [earlier.text for earlier in app.session_state["drawing"].history] == ["Thank you all"]


def test_an_added_line_stays_with_the_line_above_when_another_line_is_read():
    strokes = [*write("hello"), *(stroke + (0, 200) for stroke in write("thank you"))]
    app = on_canvas(draw_page(), strokes).run()
    field(app).set_value("hello\nextra\nthank you").run()
    on_canvas(app, [*strokes, *(stroke + (0, 400) for stroke in write("to it"))]).run()
    assert field(app).value == "hello\nextra\nthank you\nto it"


@pytest.mark.parametrize(
    ("parts", "text", "found"),
    [
        (["a", "b"], "a\nB", ["a", "B"]),
        (["a", "b"], "a\nmore\nb", ["a\nmore", "b"]),
        (["a\nmore", "b"], "a\nmore\nB", ["a\nmore", "B"]),
        (["a", "b"], "top\na\nb", ["top\na", "b"]),
        (["a", "b"], "b", [None, "b"]),
        (["a"], "one\ntwo", ["one\ntwo"]),
        (["a"], "", [""]),
    ],
)
def test_a_new_text_is_shared_out_among_its_lines(parts, text, found):
    assert shared_out(parts, text) == found


def test_a_text_that_waits_for_its_reading_is_stored_and_undone(state):
    state.draw(objects("to")[0])
    state.enter(Typed("0-unknown", "to", "To!"))
    state.draw(objects("to")[1])
    assert state.document.texts == {"0-unknown": "To!"} and state.typed
    state.undo()
    state.undo()
    assert len(state.objects) == 1 and not state.document.texts and not state.typed


def test_the_example_is_taken_back():
    app = press(draw_page().run(), "Try an example")
    assert app.session_state["drawing"].objects
    press(app, "Undo")
    assert not app.session_state["drawing"].objects


@pytest.mark.parametrize("clear", [False, True])
def test_a_text_typed_while_the_next_stroke_was_read_belongs_to_its_line_and_its_drawing(clear):
    app = on_canvas(draw_page(), write("hello")).run()
    typed = field(app)
    on_canvas(app, [*write("hello"), *(stroke + (0, 200) for stroke in write("thank you"))]).run()
    if clear:
        press(app, "Clear")
        on_canvas(app, write("hello")).run()
    typed.set_value("Hello!").run()
    assert field(app).value == ("hello" if clear else "Hello!\nthank you")
