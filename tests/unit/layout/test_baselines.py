"""The letters of a line stand on its baseline, whatever hangs below it."""

import numpy as np
import pytest
from PIL import Image

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw
from hwr_core.layout.baselines import ink_base
from hwr_core.layout.words import NO_PICTURE, base_of, baseline_of, without_pictures
from hwr_core.reading import Line, Page, Reading

CAPITALS = 60  # pixels: the height of capitals, which `write` places above the baseline
FOOT = 80  # row of the drawn baseline


def written(text: str, slope: float = 0.0) -> Image.Image:
    strokes = [np.asarray(stroke, float) for stroke in write(text, CAPITALS)]
    low, high = np.concatenate(strokes).min(0), np.concatenate(strokes).max(0)
    placed = [stroke - (low[0] - 20, CAPITALS - FOOT) for stroke in strokes]
    placed = [stroke + np.outer(stroke[:, 0] * slope, (0, 1)) for stroke in placed]
    return Image.fromarray(draw(placed, (140, int(high[0] - low[0]) + 40), 3.0))


TEXTS = "bring the map", "happy gypsy", "one, two; (three)", "A b C", "x"


@pytest.mark.parametrize(("text", "slope"), [*((text, 0.0) for text in TEXTS), *((text, 0.04) for text in TEXTS[:3])])
def test_the_baseline_is_where_the_letters_stand(text, slope):
    image = written(text, slope)
    found = ink_base(image)
    assert found is not None
    (left, right), _ = found
    for height, x in ((left, 20), (right, image.width - 20)):
        assert height * image.height == pytest.approx(FOOT + slope * x, abs=5)


def test_light_ink_on_dark_ground_stands_as_the_same_ink_dark():
    image = written("bring the map")
    assert ink_base(Image.fromarray(255 - np.asarray(image))) == ink_base(image)


def test_a_picture_without_ink_has_no_baseline_and_its_line_the_usual_one():
    assert ink_base(Image.new("L", (50, 20), 255)) is None and ink_base(NO_PICTURE) is None
    assert base_of(Line((0, 0, 50, 20), NO_PICTURE, Reading("x", 1.0))) == (0.75, 0.75)


def test_the_baseline_lies_on_the_page_and_stays_without_the_picture():
    image = written("bring the map")
    width = image.width
    # The outline is the picture's middle half from top to bottom: rows 35 to 105.
    line = Line((100, 200, 100 + width, 270), image, Reading("bring the map", 1.0), reach=(0.0, 1.0), depth=(-0.5, 1.5))
    (left, top), (right, bottom) = baseline_of(line)
    assert (left, right) == (pytest.approx(120, abs=3), pytest.approx(80 + width, abs=3))
    assert top == bottom == pytest.approx(200 + FOOT - 35, abs=3)
    (kept,) = without_pictures(Page((line,), (900, 900))).lines
    assert kept.image is NO_PICTURE and np.array(baseline_of(kept)) == pytest.approx(np.array(baseline_of(line)), abs=2)
