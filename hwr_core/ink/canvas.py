"""Strokes from and to the canvas's JSON: Fabric.js objects, as `streamlit-drawable-canvas` returns them."""

from collections.abc import Sequence

import numpy as np

from hwr_core.ink.strokes import Strokes

SHOWN_PARTS = 10  # parts of a pixel to which shown strokes are rounded
CANVAS_REACH = 1e6  # pixels from the canvas's corner: numbers beyond are ignored


def path_object(points: np.ndarray, pen: int, colour: str) -> dict:
    """A stroke as an object of the canvas.

    Args:
        points: (n, 2) float, in the canvas's pixels.
        pen: width of the pen in pixels.
        colour: colour as CSS writes it.
    """
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    path = [["M", *map(float, points[0])], *(["L", float(x), float(y)] for x, y in points[1:])]
    return {
        "type": "Path", "path": path, "left": (left + right) / 2, "top": (top + bottom) / 2, "originX": "center", "originY": "center",
        "stroke": colour, "strokeWidth": pen, "fill": None, "strokeLineCap": "round", "strokeLineJoin": "round",
    }  # fmt: skip


def shown_objects(objects: Sequence[dict]) -> list[dict]:
    """Objects that show the same strokes with fewer bytes: those of one pen and colour are one path.

    Args:
        objects: Strokes, as `path_object` makes them.
    """
    groups: dict[tuple[int, str], list[np.ndarray]] = {}
    for item in objects:
        groups.setdefault((item["strokeWidth"], item["stroke"]), []).extend(strokes_of([item]))
    shown = []
    for (pen, colour), strokes in groups.items():
        path = "".join(_as_svg(np.rint(stroke * SHOWN_PARTS).astype(int)) for stroke in strokes)
        shown.append({**path_object(np.concatenate(strokes), pen, colour), "path": path})
    return shown


def _as_svg(points: np.ndarray) -> str:
    """A stroke as SVG writes paths: its first point, and the steps to the others.

    Args:
        points: (n, 2) int, in parts of a pixel.
    """
    first, *steps = (f"{x / SHOWN_PARTS:g} {y / SHOWN_PARTS:g}" for x, y in np.diff(points, axis=0, prepend=0).tolist())
    return f"M{first}{''.join(f'l{step}' for step in steps)}"


def moved_object(item: dict, by: tuple[float, float]) -> dict:
    """An object of the canvas, moved.

    Args:
        item: A stroke, with its `path`.
        by: Pixels to the right and downwards.
    """
    path = [
        [value + by[place % 2] if _is_number(value) else value for place, value in enumerate(segment[1:])]
        for segment in item["path"]
    ]
    moved = [[segment[0], *values] for segment, values in zip(item["path"], path, strict=True)]
    return {**item, "path": moved, "left": _number(item, "left") + by[0], "top": _number(item, "top") + by[1]}


def strokes_of(objects: object) -> Strokes:
    """The strokes among the canvas's objects: the end points of the segments of their paths.

    A browser can send anything. Everything that is no stroke is ignored.

    Args:
        objects: the parsed JSON.

    Returns:
        The strokes, each (n, 2) float32, in the canvas's pixels, moved, scaled and turned as the object was.
    """
    strokes = []
    for item in _dictionaries(objects):
        path = item.get("path")
        segments = [segment for segment in path if isinstance(segment, list)] if isinstance(path, list) else []
        ends = [segment[-2:] for segment in segments if len(segment) >= 3]  # M, Q and L; Z has no end point
        points = np.array([end for end in ends if all(map(_is_number, end))], np.float64).reshape(-1, 2)
        if len(points):
            strokes.append(_moved(points, item).astype(np.float32))
    return strokes


def _dictionaries(objects: object) -> list[dict]:
    return [item for item in objects if isinstance(item, dict)] if isinstance(objects, list) else []


def _is_number(value: object) -> bool:
    """Whether a value is a number that may be a position on the canvas."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < CANVAS_REACH


def _number(item: dict, name: str, default: float = 0.0) -> float:
    value = item.get(name, default)
    return float(value) if _is_number(value) else default


def _moved(points: np.ndarray, item: dict) -> np.ndarray:
    """The points moved, scaled and turned as the object was with the edit tool. Fabric.js keeps the path as drawn."""
    low, high = points.min(0), points.max(0)
    scale = np.array([_number(item, "scaleX", 1), _number(item, "scaleY", 1)])
    angle, place = np.radians(_number(item, "angle")), np.array([_number(item, "left"), _number(item, "top")])
    stays = np.allclose((low + high) / 2, place, atol=_number(item, "strokeWidth", 1))
    if item.get("originX") != "center" or (np.all(scale == 1) and angle == 0 and stays):
        return points
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return ((points - (low + high) / 2) * scale) @ turn + place
