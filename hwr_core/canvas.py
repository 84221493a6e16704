"""The canvas's JSON (Fabric.js objects, as `streamlit-drawable-canvas` gives them) to strokes and back."""

import numpy as np

from hwr_core.ink import Strokes
from hwr_core.reading import Box

_ORIGINS = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


def path_object(points: np.ndarray, pen: int, colour: str) -> dict:
    """A stroke as the canvas component (Fabric.js) keeps one."""
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    path = [["M", *map(float, points[0])], *(["L", float(x), float(y)] for x, y in points[1:])]
    return {
        "type": "Path", "path": path, "left": (left + right) / 2, "top": (top + bottom) / 2, "originX": "center", "originY": "center",
        "stroke": colour, "strokeWidth": pen, "fill": None, "strokeLineCap": "round", "strokeLineJoin": "round",
    }  # fmt: skip


def strokes_of(objects: list) -> Strokes:
    """The strokes, each (n, 2), of the canvas's objects: the end points of their path's segments, moved as the object was."""
    strokes = []
    for item in objects:
        points = [segment[-2:] for segment in item.get("path") or [] if len(segment) >= 3]  # M, Q and L; Z closes and has none
        if points:
            strokes.append(_moved(np.asarray(points, np.float32), item))
    return strokes


def labelled_boxes_of(objects: list) -> list[tuple[str, Box]]:
    """The rectangles among the canvas's objects with their labels, in its pixels, as they were drawn, moved or scaled."""
    boxes = []
    for item in objects:
        if str(item.get("type")).lower() in ("rect", "labeledrect"):
            size = [abs(item.get(side, 0) * item.get(scale, 1)) for side, scale in (("width", "scaleX"), ("height", "scaleY"))]
            share = [_ORIGINS.get(item.get(name), 0.0) for name in ("originX", "originY")]
            left, top = (item.get(name, 0) - part * side for name, part, side in zip(("left", "top"), share, size, strict=True))
            box = (round(left), round(top), round(left + size[0]), round(top + size[1]))
            boxes.append((str(item.get("label") or ""), box))
    return boxes


def _moved(points: np.ndarray, item: dict) -> np.ndarray:
    """Where the object was moved, scaled or turned to with the component's edit tool; Fabric keeps the path as drawn."""
    low, high = points.min(0), points.max(0)
    scale = np.array([item.get("scaleX", 1), item.get("scaleY", 1)])
    angle = np.radians(item.get("angle", 0))
    if item.get("originX") != "center" or (np.all(scale == 1) and angle == 0 and _stays(item, low, high)):
        return points
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (((points - (low + high) / 2) * scale) @ turn + (item["left"], item["top"])).astype(np.float32)


def _stays(item: dict, low: np.ndarray, high: np.ndarray) -> bool:
    return bool(np.allclose((low + high) / 2, (item.get("left", 0), item.get("top", 0)), atol=item.get("strokeWidth", 1)))
