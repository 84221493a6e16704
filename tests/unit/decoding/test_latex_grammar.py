"""The grammar of formulas: every formula that it allows is well formed, and every well-formed formula is allowed."""

import random

import pytest

from hwr_core.decoding.latex import canonical
from hwr_core.decoding.latex_grammar import START, Grammar, advance, to_close
from tests.support.checkpoint_layouts import MATH_TOKENS

END = 2
GRAMMAR = Grammar(["<s>", "<pad>", "</s>", "<unk>", *MATH_TOKENS], END, range(4))


@pytest.mark.parametrize(
    "formula",
    ["x", "x^2", "x_2^{x+2}", r"\frac{x}{2}", r"\sqrt{x+2}", r"\sqrt[2]{x}", r"\int\limits_2^x x", r"\sum_{x}^{2} x", "(x)^2", r"\frac{\sqrt{x}}{x^2}_x",
     r"\begin{pmatrix} x & 2 \\ 2 & x \end{pmatrix}^2", r"\begin{matrix} x \\ 2 \end{matrix}", "[2]"],
)  # fmt: skip
def test_what_is_well_formed_may_be_written(formula):
    assert GRAMMAR.accepts(canonical(formula))


@pytest.mark.parametrize(
    "tokens",
    ["{ x }", "x ^", "x ^ 2", "x ^ { }", "x ^ { 2 } _ { 2 }", "x ^ { 2 } ^ { 2 }", r"\frac { x }", r"\frac { x } 2", r"\sqrt", "x }", r"x \limits",
     r"\begin{matrix} x", r"\begin{matrix} x & 2 \\ x \end{matrix}", "x & 2", r"\begin{matrix} x & \end{matrix}", "y", "^ { 2 }", r"\sqrt [ ] { x }"],
)  # fmt: skip
def test_what_is_not_may_not(tokens):
    assert not GRAMMAR.accepts(tokens.split())


@pytest.mark.parametrize("seed", range(40))
def test_any_walk_through_what_is_allowed_ends_in_time_and_is_well_formed(seed):
    rng = random.Random(seed)
    length = rng.choice((12, 20, 60))
    states, written = GRAMMAR.start(1), []
    for step in range(length):
        allowed = GRAMMAR.allowed(states, length - step)[0].nonzero()[0].tolist()
        syntax = [
            index
            for index in allowed
            if GRAMMAR.tokens[index] in ("^", "_", "{", r"\frac", r"\sqrt", r"\begin{matrix}", "&", r"\\")
        ]
        token = rng.choice(syntax if syntax and rng.random() < 0.7 else allowed)
        if token == END:
            break
        written.append(GRAMMAR.tokens[token])
        states = GRAMMAR.advance(states, [token])
    else:
        pytest.fail(f"not ended after {length} tokens: {written}")
    assert canonical(" ".join(written)) == written


def test_nothing_at_all_is_a_reading_too():
    assert GRAMMAR.accepts([])


def test_the_way_to_an_end_is_never_longer_than_it_is_said_to_be():
    state = START
    for token in r"\frac { x ^ { 2".split():
        state = advance(state, token)
    # } } { x }
    assert to_close(state) == 5
    for token in "} } { x }".split():
        state = advance(state, token)
    assert to_close(state) == 0


def test_a_word_is_of_two_letters_and_more_and_of_nothing_else():
    grammar = Grammar([*r"\text { } ^ x o r 2 \frac </s>".split()], 9)
    for formula in (
        r"x \text { o r } x",
        r"\frac { \text { o x r } } { 2 }",
        r"x ^ { \text { o r } } \text { o r } ^ { 2 }",
    ):
        assert grammar.accepts(formula.split())
    for formula in (
        r"\text { o }",
        r"\text { }",
        r"\text { o 2 }",
        r"\text { o ^ { 2 } }",
        r"\text { o r",
        r"\text o r",
        r"\text { o \frac { x } { 2 } }",
    ):
        assert not grammar.accepts(formula.split())


def test_a_word_begun_late_is_still_closed_in_time():
    grammar = Grammar([*r"\text { } o r </s>".split()], 5)
    for length in range(2, 9):
        states, written = grammar.start(1), []
        for step in range(length):
            allowed = grammar.allowed(states, length - step)[0].nonzero()[0].tolist()
            token = allowed[0]
            if token == 5:
                break
            written.append(grammar.tokens[token])
            states = grammar.advance(states, [token])
        assert written == [] or grammar.accepts(written)


def test_a_matrix_of_rows_of_different_lengths_is_never_written():
    grammar = Grammar([*r"\begin{matrix} \end{matrix} & \\ x </s>".split()], 5)
    assert grammar.accepts(r"\begin{matrix} x & x \\ x & x \end{matrix}".split())
    for uneven in (r"\begin{matrix} x & x \\ x \end{matrix}", r"\begin{matrix} x \\ x & x \end{matrix}"):
        assert not grammar.accepts(uneven.split())
