"""Writing on the canvas in a headless browser, with the mouse or a finger."""

import numpy as np

from hwr_core.ink.handprint import write

PATIENCE = 60_000  # milliseconds; the first reading loads torch and the checkpoint


def canvas_box(page) -> dict:
    """Where the canvas is on the screen, once it has its final width."""
    page.wait_for_timeout(1500)
    canvas = page.locator("canvas.upper-canvas")
    canvas.scroll_into_view_if_needed()
    return canvas.bounding_box()


def fitted(text: str, box: dict) -> list[np.ndarray]:
    """`text` in strokes that fill most of the canvas, in pixels of the screen."""
    strokes = write(text, height=70, slant=0.08, unsteadiness=0.006, seed=1)
    far = np.concatenate(strokes).max(0)
    scale = min(0.85 * box["width"] / far[0], 0.6 * box["height"] / far[1])
    return [stroke * scale + (box["x"] + 0.06 * box["width"], box["y"] + 0.2 * box["height"]) for stroke in strokes]


def write_with_mouse(page, text: str) -> None:
    for stroke in fitted(text, canvas_box(page)):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for x, y in stroke[1:]:
            page.mouse.move(x, y)
            page.wait_for_timeout(8)  # as often as a mouse tells; moves within one frame of the browser are lost
        page.mouse.up()


def write_with_finger(page, text: str) -> None:
    session = page.context.new_cdp_session(page)
    for stroke in fitted(text, canvas_box(page)):
        for number, (x, y) in enumerate(stroke):
            kind = "touchStart" if number == 0 else "touchMove"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": float(x), "y": float(y)}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
