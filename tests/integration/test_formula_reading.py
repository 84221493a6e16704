"""Formulas through a small checkpoint of the math layout: scale, padding, well-formed readings; its weights are random."""

import numpy as np
import pytest
import torch
from PIL import Image

from hwr_core import load_recognizer, read_ink, read_region
from hwr_core.checkpoints.pixels import CELL, FormulaPixels, stacked
from hwr_core.decoding.latex import canonical
from hwr_core.ink.formula import MOST_PIXELS, render_formula
from hwr_core.ink.handprint import write, write_formula
from tests.support.checkpoint_layouts import math
from training.evaluation.formulas import tokens_of
from training.evaluation.side_by_side import rows


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return load_recognizer(str(math(tmp_path_factory.mktemp("math"))))


def drawn(text: str, height: float = 80.0) -> Image.Image:
    return render_formula(write(text, height))


def test_it_is_loaded_as_a_reader_of_formulas_and_text_is_not(small, recognizer):
    assert small.reads_formulas and not recognizer.reads_formulas


def test_a_formula_is_drawn_and_scaled_by_its_symbols_not_by_its_height():
    processor = FormulaPixels()
    row, fraction = drawn("a+b=12"), render_formula(write_formula())
    assert fraction.height > 2 * row.height
    heights = [processor.formula(picture).shape[0] for picture in (row, fraction)]
    assert heights[1] > 2 * heights[0]
    large, small_ = (processor.formula(drawn("a+b=12").resize(size)) for size in ((1200, 300), (300, 75)))
    assert abs(large.shape[1] - small_.shape[1]) <= 2 * CELL


def test_the_same_ink_in_any_unit_gives_the_same_picture():
    strokes = write_formula()
    once, again = (
        np.asarray(render_formula([stroke * unit + 17 for stroke in strokes]), float) for unit in (1.0, 0.01)
    )
    assert once.shape == again.shape and np.abs(once - again).mean() < 1  # float32 coordinates round


def test_a_dot_a_dash_and_a_huge_formula_are_drawn_within_bounds():
    dot, dash = [np.array([[3.0, 3.0]])], [np.array([[0.0, 0.0], [50.0, 0.0]])]
    for strokes in (dot, dash, write("1+1" * 60, 100)):
        picture = render_formula(strokes)
        assert max(picture.size) <= 3000 and np.asarray(picture).min() == 0
        assert FormulaPixels().formula(picture).size <= 170_000
    with pytest.raises(ValueError, match="no stroke"):
        render_formula([])


def test_a_formula_is_encoded_the_same_alone_and_in_a_batch(small):
    formulas = [FormulaPixels().formula(picture) for picture in (drawn("x=2"), render_formula(write_formula()))]
    assert formulas[0].shape[0] < formulas[1].shape[0] and formulas[0].shape[1] < formulas[1].shape[1]
    with torch.inference_mode():
        alone = small.network.model.encoder(torch.from_numpy(stacked(formulas[:1]))).last_hidden_state[0]
        together = small.network.model.encoder(torch.from_numpy(stacked(formulas)))
    kept = together.last_hidden_state[0][together.attention_mask[0]]
    assert len(kept) == formulas[0].size // CELL**2
    assert torch.allclose(alone, kept, atol=1e-4)


@pytest.mark.parametrize("beams", [1, 4])
def test_whatever_the_weights_the_reading_and_its_alternatives_are_well_formed(small, beams):
    for strokes in (write_formula(), write("x=2", 50), write("(x+2)", 70)):
        reading = read_ink(strokes, small, beams=beams).lines[0].reading
        for text in (reading.text, *(other.text for other in reading.alternatives)):
            assert "".join(canonical(text)) == text.replace(" ", "")
        assert len(reading.character_confidences) == len(reading.text)
        assert all(0 <= value <= 1 for value in reading.character_confidences)


def test_nothing_drawn_gives_no_formula_and_two_rows_are_two(small):
    assert read_ink([], small).lines == ()
    rows = write("x=2", 50) + [stroke + (0, 120) for stroke in write("2=x", 50)]
    page = read_ink(rows, small)
    assert len(page.lines) + len(page.unreadable) == 2


def test_a_box_on_a_photo_is_read_and_one_outside_it_or_on_blank_paper_gives_nothing(small):
    photo = Image.new("L", (900, 700), 235)
    formula = render_formula(write_formula())
    photo.paste(formula, (200, 150))
    box = (190, 140, 210 + formula.width, 160 + formula.height)
    line = read_region(photo, box, small)
    assert line.box == box and line.reading.text
    assert read_region(photo, (0, 600, 150, 700), small).reading.text == ""
    assert read_region(photo, (2000, 2000, 2100, 2100), small).reading.text == ""
    backwards = read_region(photo, (box[2], box[3], box[0], box[1]), small)
    assert backwards.reading == line.reading


def test_a_drawing_as_wide_as_it_is_high_makes_no_huge_picture():
    cross = [np.array([point]) for point in ((-1e6, 0), (1e6, 0), (0, 1e6), (0, -1e6))]
    width, height = render_formula(cross).size
    assert width * height < 1.1 * MOST_PIXELS


@pytest.fixture(scope="module")
def neighbours():
    """Of each kind the first drawings with wide white."""
    found: dict[str, list] = {}
    for row in rows():
        if row.white == 4.0 and len(some := found.setdefault(row.kind, [])) < 8:
            some.append(row)
    return found


@pytest.mark.parametrize("name", ["math", "auto"])
def test_formulas_side_by_side_are_all_read_and_white_is_no_sign(neighbours, name):
    """The decoder wrote `2x+3=7^{(2)}(2)` for an equation and its label, `1)\\times12+7` behind a number, or stopped at the white."""
    recognizer = load_recognizer(name)
    right = {
        kind: [tokens_of(read_ink(row.strokes, recognizer).text) == row.tokens for row in some] for kind, some in neighbours.items()
    }  # fmt: skip
    assert all(map(all, (right["beside another equation"], right["beside a label"]))), right
    assert sum(right["behind a number"]) >= 5 and sum(right["beside the next step"]) >= 4, right


def test_white_between_formulas_is_a_wide_space_and_every_character_has_a_confidence(neighbours):
    page = read_ink(neighbours["beside a label"][0].strokes, load_recognizer("math"))
    (line,) = page.lines
    assert line.formula and r"\quad (" in line.reading.text
    assert len(line.reading.character_confidences) == len(line.reading.text)
    assert all(r"\quad" in other.text for other in line.reading.alternatives)
    assert page.unread == ()
