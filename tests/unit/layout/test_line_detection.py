"""Lines are found on a page."""

import pytest
from PIL import Image

from hwr_core.imaging.preprocess import preprocess
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.line_detection import find_lines, overlap
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
