"""The text detector runs on a session of our own."""

import subprocess
import sys
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


MEMORY = """
from pathlib import Path
from hwr_core.layout.detector import detector
from tests.unit.layout.test_detector import sheet

def megabytes(field):
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field)) / 1e3

detector()(sheet(400, 300))
before = megabytes("VmRSS")
detector()(sheet(1200, 800))
print(megabytes("VmHWM") - before, megabytes("VmRSS") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the memory of a process")
def test_what_a_large_page_took_is_given_back():
    # In a process of its own: what earlier tests of this one hold and return would count too.
    told = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=120)
    taken, kept = map(float, told.stdout.split())
    assert taken > 80
    assert kept < 0.5 * taken
