"""What a person does on the canvas, as the browser tells it: strokes, eraser, moves, deletions, typed texts, Undo
and Redo.

The browser sends a list of numbered operations, and sends it until their numbers are confirmed. So none is lost on a busy
server, and none counts twice. Each stroke is sent once: a request does not grow with the drawing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from hwr_core.ink.canvas import CANVAS_REACH, path_object
from pages.drawing.state import FINENESS, DrawState, Typed

TOOLS = "canvas_tools"  # key of the component that sends the operations
MOST_EDITS = 500  # operations that are looked at in one message
LONGEST_TEXT = 20_000  # characters that are typed
MOST_NUMBERS = 20_000  # of a stroke, or of the eraser's path


def receive(state: DrawState, pen: int, colour: str) -> None:
    """Makes the operations that the browser has sent by now."""
    take_edits(state, st.session_state.get(TOOLS), pen, colour)


def take_edits(state: DrawState, value: Any, pen: int, colour: str) -> None:
    """Makes the new operations.

    Args:
        state: Of the page.
        value: What the tools sent as their state. It comes from the browser: nonsense in it is ignored, and so is what
            was meant for the session before, on a server that was started again.
        pen: Width of the pen in pixels.
        colour: Its colour.
    """
    told = value.get("edits") if isinstance(value, Mapping) else None
    if not isinstance(told, Mapping) or told.get("session") != state.session:
        return
    for edit in _list(told.get("list"))[:MOST_EDITS]:
        number = edit.get("n") if isinstance(edit, Mapping) else None
        if isinstance(number, int) and number > state.edits:
            state.edits = number
            _make(state, edit, pen, colour)


def _make(state: DrawState, edit: Mapping, pen: int, colour: str) -> None:
    match edit.get("op"):
        case "stroke" if len(points := _points(edit.get("points"))):
            state.draw(path_object(_smoothed(points), pen, colour))
            if edit.get("version") != state.times_given:
                state.give()  # the canvas was given another drawing meanwhile, without this stroke
        case "erase" if len(points := _points(edit.get("points"))):
            state.erase(points)
        case "move" if len(by := _numbers(edit.get("by"))) == 2:
            state.move(_places(edit.get("strokes")), (by[0], by[1]))
        case "delete":
            state.delete(_places(edit.get("strokes")))
        case "undo":
            state.undo()
        case "redo":
            state.redo()
        case "type" if isinstance(text := edit.get("text"), str) and len(text) <= LONGEST_TEXT:
            # An empty line at the end is no line of the reading: Enter was pressed to be done.
            state.enter(Typed(str(edit.get("reading")), _valid(str(edit.get("first"))), _valid(text).rstrip("\n")))
        case "show":
            state.give()


def _points(value: Any) -> np.ndarray:
    """The points of a path, (n, 2) float in pixels: the browser sends the first one and the steps to the others, in parts
    of a pixel. Empty if the value is no path."""
    steps = _numbers(value)
    if not steps or len(steps) % 2 or len(steps) > MOST_NUMBERS or len(steps) != len(_list(value)):
        return np.empty((0, 2))
    points = np.cumsum(np.array(steps).reshape(-1, 2), axis=0) / FINENESS
    return points if np.abs(points).max() < CANVAS_REACH else np.empty((0, 2))


def _smoothed(points: np.ndarray) -> np.ndarray:
    """The first point, the middle of each two, and the last one: the line that the canvas draws through the points."""
    if len(points) == 1:
        return np.concatenate([points, points + (1 / FINENESS, 0)])  # a dot
    return np.concatenate([points[:1], (points[1:] + points[:-1]) / 2, points[-1:]])


def _valid(text: str) -> str:
    """A text that can be written as UTF-8: a browser can send half of a pair."""
    return text.encode("utf-8", "replace").decode()


def _list(value: Any) -> Sequence:
    return value if isinstance(value, list) else []


def _places(value: Any) -> set[int]:
    return {place for place in _list(value) if isinstance(place, int)}


def _numbers(value: Any) -> list[float]:
    return [float(one) for one in _list(value) if isinstance(one, int | float) and abs(one) < CANVAS_REACH * FINENESS]
