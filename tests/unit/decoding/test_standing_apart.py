r"""Readings of neighbours tell whether they are formulas by themselves: equations, labels, steps, exercise numbers."""

import pytest

from hwr_core.decoding.standing_apart import formulas_apart
from hwr_core.reading import Alternative, Reading


def reading(text, *others, confidence=0.9, **more):
    alternatives = tuple(Alternative(*other) for other in others)
    return Reading(text, confidence, (confidence,) * len(text), alternatives, formula=True, **more)


def apart(*texts, white=2.5):
    found = formulas_apart([reading(text) for text in texts], [0.0, *[white] * (len(texts) - 1)])
    return None if found is None else [one.text for one in found]


@pytest.mark.parametrize(
    ("left", "right"),
    [("2x+3=7", "x=2"), ("3x=12", "-x=-4"), ("x^{2}=4", "(1)"), ("y=3", r"\Rightarrow x=2"), ("x=1,", "y=2"), ("12+7=19", "8-3")],
)  # fmt: skip
def test_formulas_that_stand_by_themselves_are_apart(left, right):
    assert apart(left, right) == [left, right]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("2x+3", "=7"), ("2x+3=", "7"), ("a+b", "-c"), ("a+b", r"\times c"), (r"\sum_{i=1}^{n}", "x_{i}+1"), (r"3+\sin", "x+1"),
        ("(a+b", "c+d)"), ("x=2", ""), ("7", "x=2"), (r"\begin{matrix}1\\2\end{matrix}", r"\begin{matrix}3\\4\end{matrix}"),
    ],
)  # fmt: skip
def test_parts_of_one_formula_are_not(left, right):
    assert apart(left, right) is None


def test_with_less_white_both_must_be_equations_and_with_more_neither_need_be_one():
    assert apart("x+1=2", "3+4", white=1.6) is None
    assert apart("x+1=2", "y=4", white=1.6) == ["x+1=2", "y=4"]
    assert apart("7+2", "3+4", white=2.5) is None
    assert apart("7+2", "3+4", white=3.5) == ["7+2", "3+4"]


def test_a_reading_that_broke_off_decides_nothing():
    whole, broken = reading("x=2"), reading("y=2", complete=False)
    assert formulas_apart([whole, broken], [0.0, 4.0]) is None


@pytest.mark.parametrize("step", ["-7", r"\cdot2", "+x", ":2"])
def test_the_bar_before_a_step_is_no_1_behind_an_equation(step):
    found = formulas_apart([reading("2x+3=7"), reading("1" + step)], [0.0, 2.5])
    assert [one.text for one in found] == ["2x+3=7", "|" + step]
    assert found[1].alternatives[0].text == "1" + step  # what was read stays on offer
    assert len(found[1].character_confidences) == len(found[1].text)


def test_a_1_stays_where_no_equation_stands_before_it_or_it_is_part_of_a_number():
    assert apart("7+2", "1-3", white=4.0) == ["7+2", "1-3"]
    assert apart("x=2", "12-3") == ["x=2", "12-3"]
    assert apart("x=2", "1-y=3") == ["x=2", "1-y=3"]


@pytest.mark.parametrize(
    ("number", "pieces"), [("1)", 2), ("a)", 2), ("10)", 3), ("ii)", 5), ("(a)", 3), ("2.", 2), ("7:", 3)]
)
def test_an_exercises_number_stands_before_any_formula(number, pieces):
    for formula in ("7", "-x+1", r"\frac{1}{2}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"):
        assert apart(number, formula) == [number, formula]
    assert apart(number, "x=2", "y=3") == [number, "x=2", "y=3"]


@pytest.mark.parametrize(("number", "white"), [("(a)", 0.5), ("2.", 0.6), ("7:", 0.6)])
def test_what_may_be_a_term_is_a_number_only_before_wide_white(number, white):
    assert apart(number, "x+5", white=white) is None
    assert apart("a)", "x+5", white=white) == ["a)", "x+5"]


@pytest.mark.parametrize("following", ["=5", r"\times2", "^{2}"])
def test_no_number_stands_before_a_sign_that_needs_something_before_it(following):
    assert apart("a)", following) is None


def test_a_number_is_read_as_numbers_usually_are():
    rest = reading("x=2")

    def number(first, **ink):
        return formulas_apart([first, rest], [0.0, 2.0], **ink)[0].text

    assert number(reading("z)", ("2)", 0.2))) == "2)"
    assert number(reading("C)", ("c)", 0.3))) == "c)"
    assert number(reading("C)", ("c)", 0.01))) == "C)"
    assert number(reading("I)", ("1)", 0.3))) == "1)"


def test_the_shape_of_a_number_s_ink_counts_more_than_its_reading():
    def number(first, **ink):
        return formulas_apart([first, reading("x=2")], [0.0, 2.0], **ink)[0].text

    assert number(reading("(1)"), unbracketed=True) == "1)"
    assert number(reading("(1)")) == "(1)"
    instead = formulas_apart([reading("z)", ("2)", 0.2)), reading("x=2")], [0.0, 2.0])[0]
    assert [other.text for other in instead.alternatives] == ["z)"]  # what was read stays on offer
    assert number(reading("a_{0}"), end=".") == "a."
    assert number(reading("3)", ("3.", 0.1)), end=".") == "3."
    assert number(reading("a^{2}"), end=")") == "a^{2}"  # a bracket alone is no sure sign
