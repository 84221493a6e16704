"""The angle of the lines is measured, and only a clear one counts."""

import numpy as np
import pytest

from hwr_core.imaging.skew import rotate, skew_angle
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from tests.support.pictures import written_page as page


@pytest.mark.parametrize("angle", [-8.0, -3.0, 2.0, 7.0])
def test_skew_is_measured_to_half_a_degree(angle):
    assert skew_angle(rotate(page(), angle)[0]) == pytest.approx(-angle, abs=0.5)


@pytest.mark.parametrize("word", ["hello", "valley", "milk", "quickly", "at"])
def test_a_single_word_is_not_turned(word):
    grey = np.pad(np.asarray(render_line(write(word, slant=0.2), 96, 5)), 60, constant_values=255)
    assert skew_angle(grey) == 0
