"""Misreadings are told apart by what went wrong."""

import pytest

from training.evaluation import worst_formulas
from training.evaluation.worst_lines import CAUSES, cause


@pytest.mark.parametrize(
    ("truth", "reading", "expected"),
    [
        ("one two", "onetwo", "spaces"),
        ("The Black Cat", "the black cat", "capitals"),
        ("NON COMMERCIALES", "Non lommerciales", "capitals"),
        ("l'été, déjà", "lete deja", "accents and punctuation"),
        ("the quick brown fox jumps", "the quick", "a part was not read"),
        ("a dog", "a dog ran over the hill", "more was read than is written"),
        ("call 555-0199", "call SSS.O1gg", "numbers and signs"),
        ("handwriting", "landwriling", "letters of words"),
    ],
)
def test_the_cause(truth, reading, expected):
    assert expected in CAUSES
    assert cause(truth, reading) == expected


@pytest.mark.parametrize(
    ("written", "read", "expected"),
    [
        ("a + b = c + d", "a + b", "a part was not read"),
        ("a + b", "a + b + b", "more was read than is written"),
        ("x _ { 2 }", "x ^ { 2 }", "only where signs stand"),
        (r"\frac { a } { b } c", r"\frac { a } { b c }", "only where signs stand"),
        ("X + 1 = 0", "x + 1 = 0", "only capital or small"),
        ("x + 1 = 0", "x + 7 = 0", "other signs"),
        ("x ^ { 2 } + 1", "x _ { z } + 1", "signs and where they stand"),
    ],
)
def test_the_cause_of_a_misread_formula(written, read, expected):
    assert expected in worst_formulas.CAUSES
    assert worst_formulas.cause(written.split(), read.split()) == expected
