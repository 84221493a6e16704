"""Formulas in their canonical form."""

import pytest

from hwr_core import HandwritingError
from hwr_core.decoding.latex import canonical, pieces


@pytest.mark.parametrize(
    ("formula", "tokens"),
    [
        ("$x^2$", "x ^ { 2 }"),
        (r"\frac12", r"\frac { 1 } { 2 }"),
        (r"\frac1{2}x_1^2", r"\frac { 1 } { 2 } x _ { 1 } ^ { 2 }"),
        (r"A^2_k", "A _ { k } ^ { 2 }"),
        (r"{ \mbox { g } { \mbox { i } m } }", "g i m"),
        (r"\left ( {\Delta u} \right )", r"( \Delta u )"),
        (r"\sqrt[3]{x}", r"\sqrt [ 3 ] { x }"),
        (r"\sqrt 2", r"\sqrt { 2 }"),
        (r"\int\limits_{3}^{6} 2 dx", r"\int \limits _ { 3 } ^ { 6 } 2 d x"),
        (r"a \le b \ne c \to d", r"a \leq b \neq c \rightarrow d"),
        (r"P\gtp+1", "P > p + 1"),
        (r"lim_{x \to 0} sin x", r"\lim _ { x \rightarrow 0 } \sin x"),
        (r"2 l o g ( x )", r"2 \log ( x )"),
        (r"\ln x + \max(a, b)", "l n x + m a x ( a , b )"),
        (r"{\mathrm{d}}x \, \cdot\, \left. y \right|", r"d x \cdot y |"),
        (r"y^\prime", r"y ^ { \prime }"),
        (r"\displaystyle .5 + \mathbf .5", ". 5 + . 5"),
        (r"\bigl. x \bigr|", "x |"),
        (r"x=1\text{ or }x=2", r"x = 1 \text { o r } x = 2"),
        (r"\text{Solve for }x", r"\text { S o l v e } \text { f o r } x"),
        (r"x_\text{max} \text{, if } 5\text{ cm}", r"x _ { m a x } , \text { i f } 5 c m"),
        (r"\text{since} \text{$x^{2}$} \text{sin}x", r"\text { s i n c e } x ^ { 2 } \sin x"),
        (r"\mathbb R^n \mathbb{A}", r"\mathbb{R} ^ { n } A"),
        (r"x \not= 2 \not\in A \implies \varnothing", r"x \neq 2 \notin A \Rightarrow \emptyset"),
        (r"\binom{n}{k}", r"( \begin{matrix} n \\ k \end{matrix} )"),
        (r"\begin{cases} x \\ 2 \end{cases}", r"\{ \begin{matrix} x \\ 2 \end{matrix}"),
        (r"\begin{Vmatrix} x \end{Vmatrix}", r"\| \begin{matrix} x \end{matrix} \|"),
        ("", ""),
    ],
)
def test_formulas_that_say_the_same_have_the_same_tokens(formula, tokens):
    assert canonical(formula) == tokens.split()
    assert canonical(tokens) == tokens.split()  # which is its own canonical form


@pytest.mark.parametrize(
    ("formula", "complaint"),
    [
        ("{x", "no closing }"),
        ("x}", "a } without its beginning"),
        (r"\frac{1}", r"\\frac without an argument"),
        ("x^", r"\^ without an argument"),
        ("x^{2}^{3}", r"two \^"),
        (r"\sqrt[3{x}", "no closing ]"),
        (r"x_}", "_ without an argument"),
        (r"x \end{matrix}", "without its beginning"),
        (r"\begin{pmatrix} x & 2", "has no"),
        (r"\begin{tikzcd} x \end{tikzcd}", "environment tikzcd"),
        ("{" * 3000 + "}" * 3000, "nested too deeply"),
    ],
)
def test_what_is_not_well_formed_is_said_in_one_sentence(formula, complaint):
    with pytest.raises(HandwritingError, match=complaint):
        canonical(formula)


def test_tokens_are_joined_so_that_they_mean_the_same():
    assert "".join(pieces([])) == ""
    for formula in (r"\pi r^2", r"\frac{a}{b}", r"\sin x", r"\sin 2 \alpha b"):
        assert canonical("".join(pieces(canonical(formula)))) == canonical(formula)
    assert "".join(pieces(canonical(r"\pi  r + \pi 2"))) == r"\pi r+\pi2"


@pytest.mark.parametrize(
    "formula",
    [
        r"x=1\text{ or }x=2",
        r"\text{Solve}\text{ for }x",
        r"x_{\text{out}}",
        r"\begin{pmatrix}a&b\\c&d\end{pmatrix}",
        r"\begin{vmatrix}1\end{vmatrix}=1",
        r"\begin{bmatrix}(x)\\\begin{pmatrix}1&2\end{pmatrix}\end{bmatrix}",
        r"f(x)=\begin{cases}x&\text{if }x>0\\-x&\text{otherwise}\end{cases}",
        r"[\begin{matrix}1\end{matrix})",
        r"\text{so",  # cut off, as decoding may end
    ],
)
def test_words_stand_apart_and_a_matrix_is_written_with_its_fences(formula):
    tokens = canonical(formula) if formula[-1] != "o" else [r"\text", "{", "s", "o"]
    assert "".join(pieces(tokens)) == formula
