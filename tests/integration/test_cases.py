"""Inputs that were read wrong once (`training/evaluation/cases`) are read right."""

import pytest

from hwr_core import load_recognizer
from training.evaluation.cases import FOLDER, Case, cases, read_case


@pytest.fixture(scope="module")
def auto():
    return load_recognizer("auto")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.drawing or case.file)
def test_a_case_is_read_right(case, recognizer, auto):
    lines = read_case(case, auto if case.formulas else recognizer)
    assert case.accepts(lines), lines


def test_every_input_has_a_case():
    inputs = {path.name for path in FOLDER.iterdir() if path.suffix in (".png", ".jpg", ".json")}
    assert inputs - {"cases.json"} == {case.file for case in cases()}


def test_marks_may_be_left_out_and_are_no_letters():
    marked = Case("marks", "x.png", (("Meet me", "at ten"),), marks="•")
    assert marked.accepts(["• Meet me", "•  at ten"]) and marked.accepts(["Meet  me", "at ten"])
    assert not marked.accepts(["O Meet me", "O at ten"]) and not marked.accepts(["> Meet me", "> at ten"])


def test_rows_are_compared_one_by_one_and_other_texts_as_a_whole():
    lines, right = ["6 4", "1"], (("6", "4", "1"),)
    assert Case("text", "x.png", right).accepts(lines) and not Case("rows", "x.png", right, rows=True).accepts(lines)
    assert Case("rows", "x.png", (("2 5",), ("3",)), rows=True).accepts(["2\t5"])
