"""Sheets of exercises: each formula is read with the number in the margin before it, drawn and on a photo."""

import numpy as np
import pytest

from hwr_core import load_recognizer, read_ink, read_page
from hwr_core.pipeline.exercise_numbers import put_numbers_before
from hwr_core.pipeline.job import Draft, Job, LineReader
from training.evaluation.formula_sheets import numbered, sheet
from training.evaluation.formulas import tokens_of

SHEETS = (204, 205, 217, 232)


@pytest.mark.parametrize("seed", SHEETS)
@pytest.mark.parametrize("photographed", [False, True])
def test_a_sheet_of_exercises_has_a_number_before_each_formula(seed, photographed):
    """On photos the numbers stood in a column of their own, and were read first."""
    given, recognizer = numbered(sheet(seed), seed), load_recognizer("auto")
    strokes = [stroke for strokes in given.strokes for stroke in strokes]
    page = read_page(given.photo(seed), recognizer) if photographed else read_ink(strokes, recognizer)
    rows = [tokens_of(" ".join(line.reading.text for line in row)) for row in page.rows]
    assert len(rows) == len(given.formulas)
    right = sum(row == formula.tokens for row, formula in zip(rows, given.formulas, strict=True))
    assert right >= len(rows) - 1


def test_a_person_s_regions_and_a_reading_that_was_stopped_stay_as_they_are(recognizer):
    job = Job(lambda: None, LineReader(recognizer), regions=())
    assert put_numbers_before(draft := Draft(), job) is draft
    stopped = Draft(readings=(None,))
    assert put_numbers_before(stopped, Job(lambda: None, LineReader(recognizer))) is stopped
    assert np.isfinite(put_numbers_before(draft, Job(lambda: None, LineReader(recognizer))).to_photo).all()
