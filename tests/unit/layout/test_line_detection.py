"""Lines are found on a page."""

import threading

import numpy as np
import pytest
from PIL import Image

from hwr_core.imaging.conversion import to_grey
from hwr_core.imaging.preprocess import preprocess
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw, render_line
from hwr_core.layout import line_detection
from hwr_core.layout.line_detection import DETECTED_AT_ONCE, PARTS_OVERLAP, find_lines
from hwr_core.layout.outlines import overlap
from hwr_core.runtime.scheduling import SLOTS
from tests.support.pictures import box_outline as box


def test_overlap_is_intersection_over_union():
    assert overlap(box(0, 0, 100, 100), box(50, 0, 150, 100)) == pytest.approx(1 / 3)
    assert overlap(box(0, 0, 10, 10), box(20, 20, 30, 30)) == 0


@pytest.mark.parametrize("scale", [1, 4])
def test_large_writing_is_not_broken_into_pieces(scale):
    sheet = Image.new("L", (1000, 360), 255)
    for row, text in enumerate(("good morning", "thank you")):
        written = render_line(write(text, seed=row), 96, 5)
        written.thumbnail((900, 90))
        sheet.paste(written.convert("L"), (60, 40 + 160 * row))
    large = sheet.resize((1000 * scale, 360 * scale))
    assert len(find_lines(preprocess(large).image)) == 2


@pytest.fixture
def seen(monkeypatch):
    """The sizes in pixels that the detector sees, in low-memory mode."""
    monkeypatch.setenv("HWR_LOW_MEMORY", "1")
    sizes, usual = [], line_detection._quads
    monkeypatch.setattr(line_detection, "_quads", lambda small: sizes.append(small.size) or usual(small))
    return sizes


def sheet(rows: int = 6) -> np.ndarray:
    """A square page of 1.6 megapixels with lines across it, one of them across its middle."""
    strokes = [
        stroke + (80, 200 * row + 60) for row in range(rows) for stroke in write("see you at the station", 60, seed=row)
    ]
    return to_grey(draw(strokes, (1280, 1280), 5.0))


def test_with_little_memory_the_detector_sees_a_third_of_a_page_at_once(seen):
    assert len(find_lines(sheet())) >= 6
    assert len(seen) == 3 and max(seen) <= (1280 // 3 + 2 * PARTS_OVERLAP + 1) * 1280


def test_with_little_memory_a_page_of_upright_lines_is_seen_in_fewer_pixels(seen):
    """Bands would cut every line."""
    found = find_lines(np.rot90(sheet()))
    assert len(found) >= 6 and max(seen) <= (1280 // 2 + PARTS_OVERLAP) * 1280 and seen[-1] <= DETECTED_AT_ONCE


def test_with_little_memory_drawings_are_read_between_the_parts_of_a_page(seen, monkeypatch):
    page = sheet()
    find_lines(page)  # loads the detector
    order, usual = [], line_detection.detector()
    started = threading.Event()

    def search(small):
        order.append("part")
        started.set()
        if len(order) == 1:  # the drawing is waiting before the first part ends
            while not SLOTS._queue:
                threading.Event().wait(0.005)
        return usual(small)

    def drawing():
        started.wait(60)
        with SLOTS.acquire(1):
            order.append("drawing")

    monkeypatch.setattr(line_detection, "detector", lambda: search)
    waiting = threading.Thread(target=drawing)
    waiting.start()
    find_lines(page)
    waiting.join(60)
    assert order == ["part", "drawing", "part", "part"]
