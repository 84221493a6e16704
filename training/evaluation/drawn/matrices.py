"""Thirty matrices, determinants, cases and systems, each in one of the hands of `training.evaluation.drawn`, and large numbers in all of them, as
`training.evaluation.drawn.formulas` draws: for measuring, never for training. The thirty were written before any checkpoint was measured on them.
"""

from training.evaluation.drawn import STYLES
from training.evaluation.drawn.formulas import DrawnFormula, drawn

MATRICES = {
    "matrices": [
        r"\begin{pmatrix} 2 & 5 \\ 1 & 3 \end{pmatrix}",
        r"\begin{bmatrix} 4 & -1 \\ 0 & 7 \end{bmatrix}",
        r"A = \begin{pmatrix} 1 & 2 & 3 \\ 4 & 5 & 6 \\ 7 & 8 & 9 \end{pmatrix}",
        r"\begin{pmatrix} x \\ y \end{pmatrix}",
        r"\begin{bmatrix} a & b \\ c & d \end{bmatrix} \begin{bmatrix} x \\ y \end{bmatrix}",
        r"\begin{pmatrix} 1 & 0 & 0 \\ 0 & 1 & 0 \\ 0 & 0 & 1 \end{pmatrix}",
        r"B = \begin{bmatrix} 12 & 8 \\ 30 & 15 \end{bmatrix}",
        r"\begin{pmatrix} a_{11} & a_{12} \\ a_{21} & a_{22} \end{pmatrix}",
        r"\begin{pmatrix} \cos \theta & -\sin \theta \\ \sin \theta & \cos \theta \end{pmatrix}",
        r"\begin{bmatrix} 1 & 2 & 4 \\ 3 & 0 & 6 \end{bmatrix}",
        r"\begin{pmatrix} 2 & 1 \\ 1 & 1 \end{pmatrix}^{-1}",
        r"x = \begin{pmatrix} 3 \\ -2 \\ 5 \end{pmatrix}",
        r"2 \begin{pmatrix} 1 & 4 \\ 0 & 2 \end{pmatrix} = \begin{pmatrix} 2 & 8 \\ 0 & 4 \end{pmatrix}",
    ],
    "determinants": [
        r"\begin{vmatrix} 1 & 2 \\ 3 & 4 \end{vmatrix} = -2",
        r"\begin{vmatrix} a & b \\ c & d \end{vmatrix}",
        r"\begin{vmatrix} 2 & 0 & 1 \\ 1 & 3 & 2 \\ 0 & 1 & 4 \end{vmatrix}",
        r"D = \begin{vmatrix} x & y \\ 1 & 2 \end{vmatrix} = 2x - y",
        r"\begin{vmatrix} 5 & 7 \\ 6 & 9 \end{vmatrix} = 3",
    ],
    "cases": [
        r"f(x) = \begin{cases} x & x > 0 \\ -x & x < 0 \end{cases}",
        r"f(x) = \begin{cases} x^2 & \text{if } x \geq 1 \\ 2x & \text{otherwise} \end{cases}",
        r"y = \begin{cases} 1 & x = 0 \\ 0 & x \neq 0 \end{cases}",
        r"g(n) = \begin{cases} n & \text{if } n > 5 \\ 3n + 1 & \text{if } n \leq 5 \end{cases}",
        r"| x | = \begin{cases} x & \text{for } x \geq 0 \\ -x & \text{for } x < 0 \end{cases}",
        r"h(t) = \begin{cases} 0 & t < 0 \\ t & 0 < t < 1 \\ 1 & t > 1 \end{cases}",
    ],
    "systems": [
        r"\begin{cases} x + y = 5 \\ x - y = 1 \end{cases}",
        r"\begin{cases} 2x + 3y = 12 \\ 4x - y = 10 \end{cases}",
        r"\begin{cases} y = 3x - 2 \\ y = x + 6 \end{cases}",
        r"\begin{cases} x + y + z = 6 \\ 2x - y = 3 \\ y + z = 4 \end{cases}",
        r"\begin{cases} a + b = 10 \\ ab = 21 \end{cases}",
        r"\begin{cases} x > 2 \\ x < 9 \end{cases}",
    ],
}  # fmt: skip


# Of which most digits were lost, or came back without end.
LARGE_NUMBERS = (
    "10,000 + 1,000 = 11,000",
    "1000000",
    "100,000,000",
    "5,000 + 5,000 = 10,000",
    "0.000001",
    "99999 + 1 = 100000",
    "20,000 - 500 = 19,500",
)


def matrices() -> list[DrawnFormula]:
    """All thirty, always the same."""
    texts = [(kind, text) for kind, some in MATRICES.items() for text in some]
    return [drawn(kind, STYLES[index % len(STYLES)], text, 1000 + index) for index, (kind, text) in enumerate(texts)]


def large_numbers() -> list[DrawnFormula]:
    """Each in all five hands."""
    return [
        drawn("large numbers", style, text, 2000 + index)
        for text in LARGE_NUMBERS
        for index, style in enumerate(STYLES)
    ]
