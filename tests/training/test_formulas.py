"""Invented handwritten formulas: where the layout puts things."""

import random

import numpy as np
import pytest

from hwr_core.decoding.latex import canonical
from training.data.formula_tree import tree
from training.synthesis.formula_layout import FormulaWriter

TOKENS = [
    "a",
    "b",
    "x",
    "1",
    "2",
    "+",
    "-",
    "=",
    "(",
    ")",
    r"\sum",
    r"\lim",
    r"\sqrt",
    r"\rightarrow",
    "y",
    ",",
    r"\prime",
]
SQUARE = np.array([(-0.3, -0.5), (0.3, -0.5), (0.3, 0.5), (-0.3, 0.5)], np.float32)
WRITER = FormulaWriter({token: [[SQUARE + (0.01 * index, 0)]] for index, token in enumerate(TOKENS)})


def middles(formula: str, seed: int) -> list[np.ndarray]:
    """The middle (x, y) of every stroke, in the order in which they are written."""
    strokes = [stroke for _, stroke in WRITER.write(canonical(formula), random.Random(seed))]
    return [(stroke.min(0) + stroke.max(0)) / 2 for stroke in strokes]


@pytest.mark.parametrize("seed", range(6))
def test_things_of_a_row_stand_side_by_side_in_their_order(seed):
    xs = [x for x, _ in middles("a + b = x", seed)]
    assert xs == sorted(xs) and len(xs) == 5


@pytest.mark.parametrize("seed", range(6))
def test_a_fraction_has_one_thing_above_its_bar_and_the_other_below(seed):
    (_, above), (_, bar), (_, below) = middles(r"\frac{a}{b}", seed)
    assert above < bar < below


@pytest.mark.parametrize("seed", range(6))
def test_scripts_are_smaller_and_to_the_right_above_and_below(seed):
    strokes = [stroke for _, stroke in WRITER.write(canonical("x_1^2"), random.Random(seed))]
    base, below, above = [(stroke.min(0) + stroke.max(0)) / 2 for stroke in strokes]
    assert above[1] < base[1] < below[1] and min(above[0], below[0]) > base[0]
    sizes = [np.ptp(stroke[:, 1]) for stroke in strokes]
    assert max(sizes[1:]) < sizes[0]


@pytest.mark.parametrize("seed", range(6))
def test_a_root_goes_round_what_is_under_it_and_a_limit_is_below_its_name(seed):
    (_, root), (_, inside) = WRITER.write(canonical(r"\sqrt{x}"), random.Random(seed))
    assert (root.min(0) < inside.min(0)).all() and root[:, 0].max() > inside[:, 0].max()
    (_, name), *limit = middles(r"\lim_{x \to 1}", seed)
    assert all(y > name for _, y in limit)


def test_ink_knows_its_place_among_the_tokens():
    tokens = canonical(r"\sqrt{\frac{a + a}{\frac{x_1^2}{b}}} - 1")
    ink = WRITER.write(tokens, random.Random(0))
    assert all(tokens[token.place] == token for token, _ in ink)
    drawn = [place for place, token in enumerate(tokens) if token not in "{}^_"]
    assert sorted(token.place for token, _ in ink) == drawn
    low = {token.place: stroke[:, 0].min() for token, stroke in ink}
    first, second = (place for place, token in enumerate(tokens) if token == "a")
    assert low[first] < low[second]


def test_every_formula_is_new_and_the_same_seed_gives_the_same_again():
    first, again, other = (WRITER.write(canonical(r"\frac{a + 1}{b^2}"), random.Random(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(first, again, strict=True))
    assert not all(np.allclose(a, b) for (_, a), (_, b) in zip(first, other, strict=True))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rows", [2, 4])
def test_fences_are_as_high_as_the_matrix_between_them_and_not_as_others(seed, rows):
    body = r" \\ ".join(["a & b"] * rows)
    ink = WRITER.write(canonical(rf"( x ) \begin{{pmatrix}} {body} \end{{pmatrix}}"), random.Random(seed))
    first, second = [np.ptp(stroke[:, 1]) for token, stroke in ink if token == "("]
    cells = np.concatenate([stroke for token, stroke in ink if token in ("a", "b")])
    assert first < 1.5
    assert second > 0.75 * np.ptp(cells[:, 1])


@pytest.mark.parametrize("seed", range(6))
def test_the_brace_of_cases_goes_round_all_that_follows(seed):
    writer = FormulaWriter({**WRITER.symbols, r"\{": WRITER.symbols["("]})
    ink = writer.write(canonical(r"\begin{cases} a & x \\ b & y \\ 1 & x \end{cases}"), random.Random(seed))
    heights = {token: np.ptp(stroke[:, 1]) for token, stroke in ink}
    assert heights[r"\{"] > 2.2


@pytest.mark.parametrize("seed", range(4))
def test_a_word_is_written_whole_where_somebody_wrote_it_and_else_by_letters(seed):
    word = [np.array([[0.0, -0.6], [1.4, 0.0]], np.float32)]
    whole, by_letters = (FormulaWriter(WRITER.symbols, words) for words in ({"ab": [word]}, {}))
    tokens = canonical(r"x = 1 \text{ab} y = 2")
    assert [str(token) for token, _ in by_letters.write(tokens, random.Random(seed))] == [
        "x",
        "=",
        "1",
        "a",
        "b",
        "y",
        "=",
        "2",
    ]
    names = [[str(token) for token, _ in whole.write(tokens, random.Random(other))] for other in range(20)]
    assert ["x", "=", "1", "", "y", "=", "2"] in names and ["x", "=", "1", "a", "b", "y", "=", "2"] in names


def test_a_symbol_without_a_drawing_cannot_be_written():
    assert WRITER.can_write(canonical(r"\frac{a}{\sqrt{x}}"))
    assert not WRITER.can_write(canonical(r"a + \alpha"))


@pytest.mark.parametrize("seed", range(6))
def test_a_matrix_has_its_cells_in_rows_and_columns_and_accents_are_above(seed):
    formula = [
        (token, (stroke.min(0) + stroke.max(0)) / 2)
        for token, stroke in WRITER.write(canonical(r"\begin{pmatrix}a & b \\ x & y\end{pmatrix}"), random.Random(seed))
    ]
    places = dict(formula)
    assert places["("][0] < min(places["a"][0], places["x"][0]) < max(places["b"][0], places["y"][0]) < places[")"][0]
    assert max(places["a"][1], places["b"][1]) < min(places["x"][1], places["y"][1])
    (_, under), (accent, over) = WRITER.write(canonical(r"\vec{x}"), random.Random(seed))
    assert accent == r"\vec" and over[:, 1].mean() < under[:, 1].min()


@pytest.mark.parametrize("tokens", [[r"\sqrt"], ["x", "^"], [r"\frac", "{", "1", "}"], [r"\sqrt", "[", "3", "]"]])
def test_a_formula_that_is_cut_off_ends_no_generator(tokens):
    with pytest.raises(ValueError, match="ends where an argument"):
        tree(iter(tokens))
