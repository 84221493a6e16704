"""The evaluation command, and how real pages are compared."""

import pytest

from training.evaluate import TASKS, parse
from training.evaluation.real import Edits, edits_in_any_order, formula_in_form


def test_every_task_has_its_checkpoint():
    models = {task: parse([task]).model for task in TASKS}
    assert {task for task, model in models.items() if model == "math"} == {"math", "drawn-formulas"}
    assert set(models.values()) == {"math", "text"} and parse(["text", "--model", "runs/x"]).model == "runs/x"


def test_an_unknown_task_is_an_error(capsys):
    with pytest.raises(SystemExit):
        parse(["lines"])
    assert "invalid choice" in capsys.readouterr().err


def test_lines_in_another_order_cost_nothing_in_any_order():
    truth, lines = ["first line", "second", "third one"], ["third one", "first line", "second"]
    assert edits_in_any_order(truth, lines) == 0
    found = Edits()
    found.add(truth, lines)
    assert (found.pictures, found.characters, found.in_any_order) == (1, 27, 0) and found.in_order > 0


def test_a_line_read_as_two_costs_nothing():
    found = Edits()
    found.add(["one whole line", "second"], ["one whole", "line", "second"])
    assert (found.in_order, found.in_any_order) == (0, 0)


@pytest.mark.parametrize(
    ("lines", "edits"),
    [([], 10), (["abcd"], 6), (["abcx", "efghij"], 1), (["abcd", "efghij", "new"], 3), (["efghij", "ab"], 2)],
)
def test_lines_without_a_pair_count_whole(lines, edits):
    assert edits_in_any_order(["abcd", "efghij"], lines) == edits


def test_formulas_are_compared_in_their_canonical_form():
    assert formula_in_form(r"s_{2} - \left( x^2 \right)") == formula_in_form("s_2-(x^{2})")
    assert formula_in_form(r"\frac{1") == r"\frac{1"
