"""Times the Draw page in a browser: from the end of a stroke to the reading, and the traffic that a stroke causes.

A headless Chromium writes strokes on the canvas of a server of its own and waits for the reading after each, as somebody
does who looks at the result. The reading has come when the page no longer runs and shows the drawing's last stroke.

`python -m benchmarks.strokes --results docs/results` also writes the documentation's table.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.driving import PATIENCE, canvas_box
from benchmarks.serving import server
from hwr_core.ink.handprint import write
from training.evaluation.results import Cell, markdown, write_results

TEXTS = ("the quick brown fox", "jumps over the lazy dog", "and runs into the wood", "before it gets dark")
LINE_HEIGHT, LINE_STEP = 34, 70  # pixels of the letters, and from one line to the next
WARM_UP = 5  # strokes that are not timed
KEPT = "handwriting-recognition/draw"  # the browser's storage of the drawing, which is written after the reading


@dataclass
class Traffic:
    """Bytes on the page's WebSocket, in both directions."""

    sent: int = 0
    received: int = 0

    def listen(self, page: Any) -> None:
        """Counts from now on."""
        page.on("websocket", self._opened)

    def take(self) -> int:
        """Bytes since the last call."""
        count, self.sent, self.received = self.sent + self.received, 0, 0
        return count

    def _opened(self, socket: Any) -> None:
        socket.on("framesent", lambda frame: self._count("sent", frame))
        socket.on("framereceived", lambda frame: self._count("received", frame))

    def _count(self, side: str, frame: str | bytes) -> None:
        setattr(self, side, getattr(self, side) + len(frame))


@contextmanager
def draw_page(address: str, traffic: Traffic) -> Iterator[Any]:
    """The Draw page in a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE)
        traffic.listen(page)
        page.goto(address)
        page.locator("canvas.upper-canvas").wait_for()
        yield page
        browser.close()


def strokes_on(page: Any) -> list[np.ndarray]:
    """The strokes to write, in pixels of the screen."""
    box = canvas_box(page)
    return [
        stroke + (box["x"] + 30, box["y"] + 20 + LINE_STEP * row)
        for row, text in enumerate(TEXTS)
        for stroke in write(text, height=LINE_HEIGHT, slant=0.08, unsteadiness=0.006, seed=row)
    ]


def milliseconds_to_reading(page: Any, stroke: np.ndarray, count: int) -> float:
    """Writes a stroke. Returns the milliseconds from its end until its reading is shown and kept.

    Args:
        page: The Draw page.
        stroke: (n, 2) float, in pixels of the screen.
        count: Of the strokes on the canvas afterwards.
    """
    page.mouse.move(*stroke[0])
    page.mouse.down()
    for x, y in stroke[1:]:
        page.mouse.move(x, y)
    start = time.perf_counter()
    page.mouse.up()
    page.wait_for_function(
        f"JSON.parse(localStorage['{KEPT}'] ?? '{{\"strokes\": []}}').strokes.length === {count}", polling=10
    )
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=int, default=50)
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result file there")
    arguments = parser.parse_args()
    traffic = Traffic()
    times, bytes_ = [], []
    with server() as (address, _), draw_page(address, traffic) as page:
        strokes = strokes_on(page)[: WARM_UP + arguments.strokes]
        for number, stroke in enumerate(strokes):
            traffic.take()
            times.append(milliseconds_to_reading(page, stroke, number + 1))
            page.wait_for_timeout(300)  # the rest of the run's messages
            bytes_.append(traffic.take())
    times, bytes_ = times[WARM_UP:], bytes_[WARM_UP:]
    columns = ["stroke end to reading", "median", "slowest", "first ten", "last ten"]
    table: list[list[Cell]] = [
        ["milliseconds", *_summary(times)],
        ["kilobytes of traffic", *_summary([count / 1000 for count in bytes_])],
    ]
    note = f"{len(times)} strokes of {len(TEXTS)} lines in mode Auto, in headless Chromium on the server's machine."
    print(f"{markdown(columns, table)}\n\n{note}")
    if arguments.results:
        write_results(arguments.results / "benchmark-strokes.json", columns, table, note)


def _summary(values: list[float]) -> list[Cell]:
    picked = (statistics.median(values), max(values), statistics.median(values[:10]), statistics.median(values[-10:]))
    return [round(value) for value in picked]


if __name__ == "__main__":
    main()
