"""A drawing and its history as plain values, for the browser's storage, and back.

A browser can hold anything. What is no drawing raises ValueError, and the page starts empty.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwr_core.ink.canvas import CANVAS_REACH, path_object, strokes_of
from pages.drawing.state import FINENESS, HISTORY, TEXTS, Document, Earlier, LineKey, rounded

DRAWING, PAST = "draw", "draw-history"  # slots of the storage
MOST_STROKES, MOST_NUMBERS, LONGEST_TEXT = 5000, 20_000, 20_000  # of a drawing, a stroke, a text


def drawing_values(document: Document, mode: str, edits: tuple[str, int] = ("", 0)) -> dict[str, Any]:
    """The present drawing with its corrections, as plain values.

    Args:
        document: With the drawing.
        mode: Of the page.
        edits: The session, and the number of the browser's last operation that the drawing has.
    """
    return {
        "mode": mode,
        "edits": list(edits),
        "number": document.number,
        "strokes": _stroke_values(document.objects),
        "texts": document.texts,
        "lines": _line_values(document.line_texts),
    }


def history_values(history: Sequence[Earlier]) -> list[dict[str, Any]]:
    """The drawings of the history as plain values."""
    return [
        {
            "number": earlier.number,
            "text": earlier.text,
            "formula": list(earlier.formula),
            "strokes": _stroke_values(earlier.objects),
            "lines": _line_values(earlier.line_texts),
        }
        for earlier in history
    ]


def document_of(drawing: Any, history: Any) -> tuple[Document, str]:
    """The document and the mode of what was stored.

    Args:
        drawing: As `drawing_values` made it, or anything.
        history: As `history_values` made it, or anything.

    Raises:
        ValueError: It is no stored drawing.
    """
    try:
        earlier = tuple(_earlier(values) for values in (history or [])[:HISTORY])
        if not drawing:
            return Document(number=1 + max((item.number for item in earlier), default=0), history=earlier), ""
        texts = {_text(key): _text(text) for key, text in list(drawing["texts"].items())[-TEXTS:]}
        objects, lines = _objects(drawing["strokes"]), _line_texts(drawing["lines"])
        return Document(objects, int(drawing["number"]), texts, lines, earlier), _text(drawing["mode"])
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError("This is no stored drawing.") from error


def edits_of(drawing: Any) -> tuple[str, int]:
    """The session of a stored drawing, and the number of the browser's last operation that it has; ("", 0) if none is told."""
    edits = drawing.get("edits") if isinstance(drawing, dict) else None
    match edits:
        case [str(session), int(number)]:
            return session, number
    return "", 0


def _stroke_values(objects: Sequence[dict]) -> list[list[Any]]:
    """For each stroke its colour, the pen's width, the first point and the steps to the others, in parts of a pixel."""
    values = []
    for item in objects:
        for stroke in rounded(strokes_of([item])):
            points = np.rint(stroke * FINENESS).astype(int)
            steps = np.diff(points, axis=0, prepend=0).ravel().tolist()
            values.append([str(item.get("stroke")), item.get("strokeWidth"), *steps])
    return values


def _objects(values: Any) -> tuple[dict, ...]:
    if len(values) > MOST_STROKES:
        raise ValueError("This drawing has too many strokes.")
    objects = []
    for colour, pen, *steps in values:
        if not steps or len(steps) % 2 or len(steps) > MOST_NUMBERS:
            raise ValueError("This is no stroke.")
        points = np.cumsum(np.array(steps, int).reshape(-1, 2), axis=0) / FINENESS
        if np.abs(points).max() >= CANVAS_REACH:
            raise ValueError("This stroke is too far away.")
        objects.append(path_object(points, max(1, min(50, int(pen))), _text(colour)))
    return tuple(objects)


def _line_values(line_texts: dict[LineKey, str]) -> list[list[Any]]:
    return [[formula, list(box), text] for (formula, box), text in line_texts.items()]


def _line_texts(values: Any) -> dict[LineKey, str]:
    lines: dict[LineKey, str] = {}
    for formula, box, text in values[:TEXTS]:
        left, top, right, bottom = map(int, box)
        lines[bool(formula), (left, top, right, bottom)] = _text(text)
    return lines


def _earlier(values: Any) -> Earlier:
    formula = tuple(map(bool, values["formula"]))
    objects, lines = _objects(values["strokes"]), _line_texts(values["lines"])
    return Earlier(objects, _text(values["text"]), formula, int(values["number"]), lines)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError("This is no text.")
    return value
