"""Which readings are in doubt between text and formulas, and which of two is kept."""

from dataclasses import replace

import numpy as np
import pytest

from hwr_core.reading import Alternative, Reading
from hwr_core.text_or_formula import are_formulas, connected, in_doubt, is_surely_text, more_probable


def formula(text, confidence):
    return Reading(text, confidence, formula=True)


@pytest.mark.parametrize(
    "text",
    ["Meet me at the station", "12/05/2024", "3.50", "$19.99", "10:30", "+33 6 12 34 56 78", "9am", "and/or", "Total"],
)
def test_sure_words_numbers_dates_prices_times_and_phone_numbers_are_not_asked_again(text):
    assert not in_doubt(Reading(text, 0.95))


@pytest.mark.parametrize("text", ["x=3", "a+b", "2^n", "x/y", "3 + 4", "f(x)", "x > 2"])
def test_signs_of_a_formula_put_even_a_sure_text_in_doubt(text):
    assert in_doubt(Reading(text, 0.99))


def test_an_unsure_short_text_and_an_unreadable_one_are_in_doubt_but_a_blank_is_not():
    assert in_doubt(Reading("you", 0.68))
    assert in_doubt(Reading("", 0.01, unreadable=True))
    assert not in_doubt(Reading("", 1.0))


def test_a_long_line_of_words_is_judged_by_its_characters():
    line = "was led through a stainless guide tube"
    assert not in_doubt(Reading("a stainless tube", 0.1))
    assert in_doubt(Reading("a stainless tube", 1e-5))
    assert is_surely_text(Reading(line, 0.03))


def test_a_sentence_is_text_however_unsure_it_is():
    line = "was led through a stainless guide tube"
    assert not in_doubt(Reading(line, 1e-5))
    assert not in_doubt(Reading("", 1e-5, alternatives=(Alternative(line, 1e-5),), unreadable=True))
    assert in_doubt(Reading(f"{line} = 3", 0.9))


def test_an_arrow_before_words_marks_a_line_of_a_list():
    text, latex = Reading("→ wash the car", 0.4), formula(r"\rightarrow Washthecar", 0.1)
    assert not in_doubt(text) and more_probable([text], [latex])[0] is text
    assert in_doubt(Reading("→ x = 3", 0.9)) and in_doubt(Reading("x → wash", 0.9))


def test_latex_is_no_text_of_words():
    assert not is_surely_text(formula(r"\frac{alpha}{beta}", 0.9))


def test_the_more_probable_reading_is_kept():
    text, latex = Reading("you", 0.68), formula(r"y=\frac{2}{x}", 0.93)
    assert more_probable([text], [latex]) == [latex]
    assert more_probable([Reading("why not", 0.98)], [formula("why^{n}ot", 0.3)])[0].text == "why not"


def test_a_formula_that_says_no_more_than_the_text_leaves_it_text():
    assert more_probable([Reading("2718", 0.5)], [formula("2718", 0.99)])[0].text == "2718"


def test_digits_of_a_table_row_are_no_formula():
    digits = [Reading(digit, 0.9) for digit in "25814"]
    assert more_probable(digits, [formula("25814", 0.99)]) == digits


def test_one_formula_over_several_lines_needs_less_than_their_confidences():
    parts = [Reading("x2", 0.93), Reading("4", 0.97)]
    assert are_formulas(parts, [formula(r"\frac{x^{2}}{4}", 0.6)])
    assert not are_formulas(parts, [formula(r"\frac{x^{2}}{4}", 0.01)])


def test_a_formula_that_leaves_ink_out_is_not_kept_over_sure_texts():
    numbers = [Reading("12", 0.98), Reading("34", 0.98)]
    assert are_formulas(numbers, [formula(r"\frac{12}{34}", 0.6)])
    assert not are_formulas(numbers, [formula(r"\frac{12}{4}", 0.6)])
    assert not are_formulas(numbers, [replace(formula(r"\frac{12}{34}", 0.6), unread=((0.1, 0.3),))])


def test_an_empty_reading_that_is_not_believed_is_in_doubt():
    assert in_doubt(Reading("", 0.001)) and not in_doubt(Reading("", 0.9))


def test_a_fraction_needs_a_bar_and_a_matrix_brackets():
    numbers = [Reading("12", 0.98), Reading("34", 0.98)]
    assert not are_formulas(numbers, [formula(r"\frac{12}{34}", 0.6)], barred=False)
    assert are_formulas([Reading("17", 0.2), Reading("34", 0.98)], [formula(r"\frac{12}{34}", 0.6)], barred=False)
    assert not are_formulas(numbers, [formula(r"\begin{matrix}12\\34\end{matrix}", 0.99)])
    assert are_formulas(numbers, [formula(r"\left(\begin{matrix}12\\34\end{matrix}\right)", 0.9)])


def test_a_sure_name_is_text_and_what_begins_like_a_function_is_not():
    assert is_surely_text(Reading("Physics", 0.95)) and is_surely_text(Reading("a line of words", 0.5))
    assert not any(is_surely_text(Reading(text, 0.95)) for text in ("cosx", "mgh", "dy"))
    assert not is_surely_text(Reading("Physics", 0.8))


def test_a_row_of_a_sum_and_its_result_are_no_fraction():
    rows, fraction = [Reading("+34", 0.98), Reading("159", 0.98)], [formula(r"\frac{+34}{159}", 0.9)]
    assert are_formulas(rows, fraction)
    assert not are_formulas(rows, fraction, above=Reading("125", 0.98))
    assert are_formulas(rows, fraction, above=Reading("so we get", 0.98))
    assert not are_formulas([Reading("125", 0.98), *rows], fraction)
    amounts = [Reading("€ 12.50", 0.9), Reading("7,20 €", 0.8)]
    assert not are_formulas(amounts, [formula(r"\frac{\epsilon}{\epsilon}\frac{12.50}{720}", 0.7)])
    assert are_formulas([Reading("€", 0.9), Reading("2", 0.8)], [formula(r"\frac{\epsilon}{2}", 0.7)])


def test_two_equations_close_together_are_no_fraction():
    lines = [Reading("E = mc2", 0.8), Reading("F = ma", 0.7)]
    assert not are_formulas(lines, [formula(r"\frac{E}{F}=\frac{mc^{2}}{ma}", 0.9)])
    assert are_formulas(lines, [formula("E=mc^{2}", 0.8), formula("F=ma", 0.9)])
    limit = [Reading("So = Zax", 0.4), Reading("k=1", 0.9)]
    assert are_formulas(limit, [formula(r"S_{n}=\sum_{k=1}^{n}a_{k}", 0.8)])
    assert are_formulas(lines, [formula(r"\begin{cases}E=mc^{2}\\F=ma\end{cases}", 0.9)])


def test_a_fraction_of_a_cup_is_text():
    assert not are_formulas([Reading("1/2 cup milk", 0.95)], [formula(r"1/2\text{ cup }mik", 0.6)])
    assert are_formulas([Reading("1/2 x", 0.95)], [formula(r"\frac{1}{2}x", 0.6)])


def test_a_sure_word_above_a_number_is_a_heading_and_no_numerator():
    fraction = [formula(r"\frac{Anna}{12}", 0.8)]
    assert not are_formulas([Reading("Anna", 0.95), Reading("12", 0.98)], fraction)
    assert are_formulas([Reading("Anna", 0.5), Reading("12", 0.98)], fraction)  # letters that look like a word
    assert are_formulas([Reading("sin", 0.95), Reading("12", 0.98)], fraction)


def test_ink_without_a_line_is_a_formula_only_if_that_is_sure():
    assert are_formulas([], [formula("x^{2}", 0.8)])
    assert not are_formulas([], [formula("x^{2}", 0.2)])
    # Specks, edges and ruled lines.
    assert not any(are_formulas([], [formula(text, 0.8)]) for text in ("1", "-", r"\cdots", ""))


def test_lines_and_formulas_that_share_ink_are_one_block():
    touches = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], bool)
    assert connected(touches) == [([0, 1], [0]), ([2], [1]), ([3], []), ([], [2])]


def test_letters_in_a_row_of_a_grid_are_no_formula():
    cells = [Reading(character, 0.9) for character in "MZTKB"]
    assert not are_formulas(cells, [formula(r"M\geq KB", 0.3)])
    assert are_formulas([Reading(character, 0.9) for character in "1234"], [formula(r"\frac{12}{34}", 0.3)])


def numbered(number, rest, confidence, of_number):
    text = rf"{number}\quad {rest}"
    return replace(formula(text, confidence), character_confidences=(of_number, 1.0, *[1.0] * (len(text) - 2)))


def test_white_between_formulas_is_no_sign_of_one():
    text = Reading("a) 42", 0.6)
    assert more_probable([text], [numbered("a)", "42", 0.8, 0.9)]) == [text]


def test_an_exercises_number_that_both_readings_have_decides_nothing():
    text, latex = Reading("a) x10", 0.4), numbered("a)", "x^{10}", 0.3, 0.5)
    assert more_probable([text], [latex]) == [latex]
    other = Reading("u) x10", 0.4)  # here the number is in doubt too
    assert more_probable([other], [latex]) == [other]
