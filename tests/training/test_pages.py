"""How pages are compared with their transcripts."""

import numpy as np
from PIL import Image

from training.evaluation.pages import Transcribed, in_their_order, where_transcribed


def box(left, top, right, bottom):
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


PAGE = Transcribed(
    "page",
    Image.new("L", (1000, 400)),
    [box(0, 0, 600, 80), box(0, 100, 600, 180), box(800, 0, 900, 80)],
    ["a", "b", "7"],
)
OUTLINES = [box(0, 5, 600, 80), box(805, 5, 900, 75), box(0, 100, 590, 180), box(0, 300, 400, 390)]


def test_lines_are_put_in_the_transcribers_order():
    assert in_their_order(PAGE, OUTLINES, ["a", "7", "b", "printed"]) == ["a", "b", "7"]


def test_what_is_not_transcribed_is_left_out():
    assert where_transcribed(PAGE, OUTLINES, ["a", "7", "b", "printed"]) == ["a", "7", "b"]
