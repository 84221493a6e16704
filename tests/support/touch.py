"""Fingers on the screen of a headless browser, and waiting for what they did."""

import time
from collections.abc import Callable

REST = 150  # milliseconds that a finger rests before it leaves: else Chromium takes the next tap as the end of a fling
PATIENCE = 60  # seconds


def fingers(page) -> Callable[..., None]:
    """Gives what sends events of fingers: "touchStart", "touchMove" or "touchEnd", at places in pixels of the screen."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": float(x), "y": float(y)} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return touch


def swipe(page, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
    """Moves a finger along a line."""
    touch = fingers(page)
    touch("touchStart", start)
    for step in range(1, steps + 1):
        x, y = (a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
        touch("touchMove", (x, y))
    page.wait_for_timeout(REST)
    touch("touchMove", end)
    touch("touchEnd")


def eventually(page, condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true. It is asked again and again: the browser may act on an event later."""
    end = time.monotonic() + PATIENCE
    while not (true := condition()) and time.monotonic() < end:
        page.wait_for_timeout(50)
    return true
