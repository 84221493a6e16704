"""Photos of single formulas, on ruled paper or half in a shadow, are read whole and the right way up."""

import numpy as np
import pytest

from hwr_core import load_recognizer, read_page
from hwr_core.decoding.latex import canonical
from hwr_core.layout.formula_regions import find_formulas
from training.evaluation.drawn.formulas import formulas
from training.evaluation.photographed import photo

# The number of the formula drawn by script, the photo's seed and its paper: each was cut, or turned upside down.
PHOTOS = [(12, 3, "shadow"), (32, 8, "ruled"), (40, 10, "ruled"), (48, 12, "ruled"), (112, 28, "ruled")]


@pytest.fixture(scope="module")
def math():
    return load_recognizer("math")


@pytest.mark.parametrize("turn", [0, 180])
@pytest.mark.parametrize(("number", "seed", "paper"), PHOTOS)
def test_a_photo_of_a_formula_is_read_whole_whichever_way_up(math, number, seed, paper, turn):
    formula = formulas()[number]
    page = read_page(photo(formula.strokes, seed, paper).rotate(turn), math)
    assert [canonical(line.reading.text) for line in page.lines] == [formula.tokens]


@pytest.mark.parametrize("numbers", [(12, 3), (48, 12)])
def test_auto_reads_them_too(numbers):
    number, seed = numbers
    formula = formulas()[number]
    page = read_page(photo(formula.strokes, seed, "shadow" if seed % 2 else "ruled"), load_recognizer("auto"))
    assert [canonical(line.reading.text) for line in page.lines] == [formula.tokens]


def test_a_small_point_stays_in_the_picture_of_its_formula():
    page = np.full((200, 400), 245, np.uint8)
    for left in (60, 160, 260):
        page[60:120, left : left + 4] = 40
        page[60:64, left : left + 30] = 40
    page[88:91, 125:128] = 40  # `·`, a twentieth of a digit's height
    (region,) = find_formulas(page)
    left, top = np.floor(region.line.outline.min(0)).astype(int)
    assert region.line.image[89 - top, 126 - left] < 100
