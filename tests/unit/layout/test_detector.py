"""The text detector runs on a session of our own."""

from pathlib import Path

import numpy as np
import pytest
from rapidocr import RapidOCR

from hwr_core.imaging.conversion import to_grey
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw
from hwr_core.layout.detector import detector


def sheet(width: int, height: int) -> np.ndarray:
    strokes = [
        stroke + (30, 90 * row + 30)
        for row in range(max(1, height // 90))
        for stroke in write("see you at the station", 40, seed=row)
    ]
    return to_grey(draw(strokes, (width, height), 4.0))


@pytest.fixture(scope="module")
def usual():
    return RapidOCR(params={"Det.limit_type": "max", "Det.limit_side_len": 4096, "Global.log_level": "warning"})


@pytest.mark.parametrize("size", [(900, 640), (1000, 100), (333, 251)])
def test_it_finds_what_rapidocr_finds_also_in_a_strip(usual, size):
    grey = sheet(*size)
    boxes = usual(np.repeat(grey[..., None], 3, 2), use_det=True, use_cls=False, use_rec=False).boxes
    found = detector()(grey)
    assert len(found) == len(boxes) > 0
    np.testing.assert_array_equal(found, boxes)


@pytest.mark.parametrize("size", [(900, 640), (12, 700), (9, 9)])
def test_it_finds_nothing_on_blank_paper(size):
    assert detector()(np.full(size, 250, np.uint8)) == []


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells the memory of a process")
def test_what_a_large_page_took_is_given_back():
    def resident() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    detector()(sheet(400, 300))
    before = resident()
    detector()(sheet(1200, 800))  # takes 150 MB
    assert resident() < before + 60
