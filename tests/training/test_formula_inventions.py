"""Invented formulas are well formed; signs, words and characters of fonts get the size that they have in formulas."""

import random

import numpy as np
import pytest

from hwr_core.decoding.latex import canonical
from hwr_core.decoding.latex_grammar import Grammar
from training.data.datasets import InkLine
from training.data.detexify import sized, token_of
from training.data.formula_symbols import EXTRA, SECOND
from training.synthesis.font_strokes import middle_lines
from training.synthesis.formula_inventions import Inventor, written
from training.synthesis.formula_paper import beside, framed, on_squares, underlined
from training.synthesis.formula_stream import TWINS, grown, struck_out
from training.synthesis.formula_texts import varied, with_words
from training.synthesis.formula_words import on_baseline, words

LETTERS = [chr(code) for code in (*range(65, 91), *range(97, 123))]
CROHME = (
    r"{ } ^ _ 0 1 2 3 4 5 6 7 8 9 + - ( ) = [ ] | / , . ! < > ' \frac \sqrt \sin \cos \tan \log \lim \sum \int \times \theta \pi \alpha \beta \infty \rightarrow \leq "
    r"\limits \cdots \pm \geq \div \cdot \neq \gamma \ldots \phi \{ \} \prime \sigma \mu \Delta \lambda \in \forall \exists"
).split()  # fmt: skip
TOKENS = list(dict.fromkeys([*CROHME, *LETTERS, *EXTRA, *SECOND]))
GRAMMAR = Grammar(["</s>", *TOKENS], 0)
INVENTOR = Inventor([r"\alpha", r"\Omega"], [r"\nabla", r"\nu"], ["whole", "word"])
SQUARE = [np.array([[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]], np.float32)]


@pytest.mark.parametrize("kind", ["sign", "matrix", "cases", "system", "worded", "long_sum"])
def test_what_is_invented_is_well_formed_and_canonical(kind):
    rng = random.Random(3)
    made = [getattr(INVENTOR, kind)(rng) for _ in range(300)]
    for tokens in made:
        assert GRAMMAR.accepts(tokens), tokens
        assert canonical(" ".join(tokens)) == tokens
    assert len({" ".join(tokens) for tokens in made}) > 150


def test_matrices_have_fences_of_all_kinds_and_determinants_are_square():
    rng = random.Random(0)
    made = [INVENTOR.matrix(rng) for _ in range(300)]
    assert {"(", "[", "|"} <= {tokens[tokens.index(r"\begin{matrix}") - 1] for tokens in made}
    for tokens in made:
        if (
            tokens.count(r"\begin{matrix}") == 1
            and "|" in tokens
            and r"\vdots" not in tokens
            and r"\ddots" not in tokens
        ):
            rows, cells = tokens.count(r"\\") + 1, tokens.count("&") + tokens.count(r"\\") + 1
            assert cells == rows**2, tokens


def test_sums_are_right_and_large_numbers_are_in_groups():
    assert written(10000, ", ") == "1 0 , 0 0 0"
    assert written(1234567, "") == "1 2 3 4 5 6 7"
    rng = random.Random(2)
    right = 0
    for _ in range(200):
        text = "".join(INVENTOR.long_sum(rng)).replace(",", "")
        if "+" in text and "=" in text and text.replace("+", "").replace("=", "").isdigit():
            terms, result = text.split("=")
            right += sum(map(int, terms.split("+"))) == int(result)
    assert right > 20


def test_no_token_is_there_twice_and_ids_fit_a_byte():
    assert len(SECOND) == len(set(SECOND)) and not set(SECOND) & {*EXTRA, *CROHME, *LETTERS}
    assert len(TOKENS) + 4 <= 256


def test_detexifys_labels_stand_for_one_token_or_none():
    assert (
        token_of(r"\varepsilon") == r"\epsilon"
        and token_of(r"\mathbb{R}") == r"\mathbb{R}"
        and token_of(r"\mathcal{L}") == "L"
    )
    assert token_of(r"\sqrt{}") is None and token_of(r"\{") == r"\{"


def test_signs_are_as_large_as_known_drawings_or_as_is_said():
    known = {r"\alpha": [[stroke * 0.3 for stroke in SQUARE]], "L": [SQUARE] * 16}
    samples = [
        (r"\alpha", False, SQUARE),
        (r"\uparrow", False, SQUARE),
        (r"\unknown", False, SQUARE),
        *[("L", True, SQUARE)] * 9,
    ]
    found = sized(samples, known)
    assert np.hypot(*np.ptp(found[r"\alpha"][0][0], 0)) == pytest.approx(0.3 * 5**0.5, rel=1e-4)
    assert np.ptp(found[r"\uparrow"][0][0], 0).max() == pytest.approx(1.2)
    assert np.allclose(found[r"\uparrow"][0][0].min(0) + found[r"\uparrow"][0][0].max(0), 0, atol=1e-6)
    assert r"\unknown" not in found and len(found["L"]) == 2


def test_a_shape_becomes_strokes_along_its_middle():
    mask = np.zeros((60, 60), bool)
    mask[10:50, 27:33] = True  # an upright
    mask[27:33, 10:50] = True  # crossed
    mask[54:57, 2:5] = True  # and a dot
    strokes = middle_lines(mask)
    assert len(strokes) == 2
    cross = max(strokes, key=len)
    assert np.ptp(cross, 0) == pytest.approx([36, 36], abs=6)
    assert np.hypot(*np.diff(cross, axis=0).T).max() < 4  # never jumps


def test_a_words_height_comes_from_its_letters():
    strokes = [np.array([[5, 5], [25, 15]], np.float32)]
    for word, top, bottom in (("or", -0.62, 0.0), ("if", -1.0, 0.0), ("gap", -0.62, 0.35), ("Solve", -1.0, 0.0)):
        drawn = np.concatenate(on_baseline(word, strokes))
        assert drawn[:, 1].min() == pytest.approx(top, abs=1e-5) and drawn[:, 1].max() == pytest.approx(
            bottom, abs=1e-5
        )
    line = InkLine("to 12 a", [np.array([[x, 0], [x + 3, 10]], np.float32) for x in (0, 4, 20, 24, 44)], None)
    assert list(words([line])) == ["to"]


def test_given_words_become_words_and_stay_when_a_formula_is_varied():
    assert canonical(with_words(r"x = 1 or x = 2")) == r"x = 1 \text { o r } x = 2".split()
    tokens = canonical(r"o = 1 \text{or} r = 2")
    for seed in range(20):
        changed = varied(tokens, random.Random(seed))
        assert changed[3:8] == tokens[3:8] and changed[1] == "="


def test_a_neighbour_reaches_in_only_at_the_edge():
    for seed in range(20):
        pieces = beside(SQUARE, [stroke * 3 for stroke in SQUARE], 1.0, random.Random(seed))
        for piece in pieces:
            assert (piece[:, 1] < 0.2).all() or (piece[:, 1] > 0.8).all()
            assert piece[:, 1].min() > -1.6 and piece[:, 1].max() < 2.6


def test_frames_go_round_and_lines_under():
    for seed in range(10):
        frame = np.concatenate(framed(SQUARE, 1.0, random.Random(seed)))
        assert (frame.min(0) < 0.1).all() and (frame.max(0) > (1.9, 0.9)).all()
        assert all(line[:, 1].min() > 1 for line in underlined(SQUARE, 1.0, random.Random(seed)))
    grey = np.full((80, 200), 255, np.uint8)
    assert (on_squares(grey, 30, random.Random(0)) < 250).any()


def test_twins_grow_on_their_foot_and_back():
    assert TWINS["x"][0] == "X" and TWINS["X"][0] == "x" and TWINS["P"][0] == "p"
    large = grown(SQUARE, *TWINS["x"][1:])
    assert np.ptp(large[0], 0) == pytest.approx([3, 1.5]) and large[0][:, 1].max() == pytest.approx(1)
    for letter in ("x", "p", "y"):
        there = grown(SQUARE, *TWINS[letter][1:])
        back = grown(there, *TWINS[TWINS[letter][0]][1:])
        assert np.allclose(back[0], SQUARE[0], atol=1e-5)


def test_what_is_struck_out_lies_under_a_zigzag_and_is_no_token():
    ink = struck_out(SQUARE * 3, random.Random(1))
    assert all(token == "" for token, _ in ink) and len(ink) > 3 - 1
    zigzag = ink[-1][1]
    assert np.ptp(zigzag[:, 0]) > 1.8 and len(zigzag) >= 8
