"""Formulas on the Draw page: mixed with text, calculated, in other formats, in the wrong mode."""

import json
import subprocess
import sys
import threading

import pytest

from hwr_core.ink.handprint import write, write_formula
from pages.drawing import meaning
from pages.drawing.solve import meaning as calculated
from tests.support.app import draw_page, field, html_of, on_canvas, shown_text


def below(strokes, pixels):
    return [stroke + (0, pixels) for stroke in strokes]


def formulas_of(app) -> list[str]:
    """The formulas that are shown: those that were read, and other readings."""
    return [shown.value.strip("$\n ") for shown in app.latex]


def test_auto_shows_each_line_in_its_own_kind():
    strokes = [*write("thank you", height=50), *below(write_formula(90), 140)]
    app = on_canvas(draw_page(), strokes).run()
    assert not app.exception
    text, formula = field(app).value.split("\n")
    assert text == "thank you" and formula in formulas_of(app) and r"\sqrt" in formula
    assert shown_text(app) == "thank you" and 'data-testid="latex"' in html_of(app)
    field(app).set_value(f"Thank you\n{formula}").run()
    assert shown_text(app) == "Thank you" and formula in formulas_of(app)


@pytest.mark.parametrize(
    ("mode", "strokes", "better"),
    [
        ("Math", write("see you tomorrow"), "Text"),
        ("Text", write_formula(), "Math"),
        ("Text", [*write("thank you", height=50), *below(write_formula(90), 140)], "Auto"),
        ("Math", [*write("see you tomorrow", height=50), *below(write_formula(90), 140)], "Auto"),
    ],
)
def test_ink_that_looks_like_the_other_kind_offers_to_switch(mode, strokes, better):
    app = draw_page()
    app.session_state["mode"] = mode
    app = on_canvas(app, strokes).run()
    app.button(key="other_mode").click().run()
    assert not app.exception and app.session_state["mode"] == better
    assert bool(app.latex) == (better != "Text")


def test_text_in_text_offers_nothing():
    app = draw_page()
    app.session_state["mode"] = "Text"
    assert not any(button.key == "other_mode" for button in on_canvas(app, write("hello world")).run().button)


@pytest.mark.parametrize("formula", [r"\Delta x=x^{\prime}-x", r"dV=yz dx+zx dy", r"f^{\prime}(x)=2x"])
def test_signs_that_are_no_variables_are_not_calculated_with(formula):
    assert not calculated(formula).get("results")


def test_an_exercises_number_a_label_and_a_step_are_no_part_of_what_is_calculated():
    for formula in (r"1)\quad 2x+3=7", r"2x+3=7\quad (1)", r"2x+3=7\quad |-3", r"a)\quad 2x+3=7\quad |-3"):
        assert calculated(formula)["results"] == [["Solution", "x = 2"]]
    assert calculated(r"2x=4\quad y=3") == {"results": [], "points": []}
    assert calculated(r"|3-5|\quad (1)")["results"] == [["Value", "2"]]


def test_relations_and_upright_letters_are_calculated_with():
    assert calculated(r"x-3 \lt 5")["results"] == [["Solution", "x < 8"]]
    assert calculated(r"\int_{0}^{1} x \mathrm{d}x")["results"][0] == ["Value", r"\frac{1}{2}"]
    assert calculated(r"\alpha_{1}+\alpha_{1}")["results"] == [["Simplified", r"2 \alpha_{1}"]]


def test_broken_latex_gets_one_sentence_and_no_calculation():
    app = draw_page()
    app.session_state["mode"] = "Math"
    app = on_canvas(app, write_formula()).run()
    assert any(expander.label == "Calculate" for expander in app.expander)
    field(app).set_value(r"\frac{1}{").run()
    assert not app.exception and app.warning[0].value == "The formula has no closing }."
    assert not any("{1}{" in shown.value for shown in app.latex), "the sentence is enough"
    assert not any(expander.label == "Calculate" for expander in app.expander)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"2+3\times4", [["Value", "14"]]),
        (r"\frac{1}{2}+\frac{1}{3}", [["Value", r"\frac{5}{6}"], ["Approximately", "0.83333333"]]),
        ("x^{2}-5x+6=0", [["Solutions", r"x = 2,\; x = 3"]]),
        ("1+1=3", [["This is", r"\text{false}"]]),
        (r"e^{i\pi}+1=0", [["This is", r"\text{true}"]]),
        ("x+x", [["Simplified", "2 x"]]),
        ("2x+1<5", [["Solution", "x < 2"]]),
        (r"a\pm b", []),
    ],
)
def test_what_a_formula_means(formula, expected):
    assert calculated(formula)["results"] == expected


def test_a_graph_leaves_out_where_there_is_no_value():
    points = calculated(r"\frac{1}{x}")["points"]
    assert len(points) == 240 and all(x for x, _ in points)
    assert "M" in meaning.graph(points)


def test_the_program_answers_in_a_process_of_its_own_and_is_ended_if_it_takes_too_long(monkeypatch):
    done = subprocess.run([sys.executable, "-I", str(meaning.PROGRAM)], input="1+1", capture_output=True, text=True)
    assert json.loads(done.stdout)["results"] == [["Value", "2"]]
    monkeypatch.setattr(meaning, "PATIENCE", 0.05)
    assert "too long" in meaning.meaning.__wrapped__("2+2")["error"]


def test_only_a_few_formulas_are_calculated_with_at_once(monkeypatch):
    monkeypatch.setattr(meaning, "PATIENCE", 0.01)
    monkeypatch.setattr(meaning, "_slots", threading.BoundedSemaphore(1))
    assert meaning._slots.acquire()
    with pytest.raises(meaning.BusyError, match="busy"):
        meaning.meaning.__wrapped__("2+2")
