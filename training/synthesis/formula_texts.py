r"""Formulas to draw, as canonical tokens: given ones, varied, and invented ones as school and university write them."""

import gzip
import random
import re
from pathlib import Path

from hwr_core.decoding.latex import TEXT, canonical
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.errors import HandwritingError
from training.data.datasets import DATA

MOST_TOKENS = 80
FILES = ("formulas", "formulas_more", "formulas_templates")
MOST_WORDS = 3  # of a formula: with more it is a sentence
# Filled in by chance: N a number, D a digit, V a variable, F a small fraction or a number, G a Greek letter.
SCHOOL = (
    "N + N = N", "N - N = N", r"N \times N = N", r"N \div N = N", r"N \div N", r"N \times N", "N + N - N", "N . N + N . N = N . N", "D N \\% ", "N , N",
    "D V + N = N", "N V - N = D V + N", "V = \\frac{N}{D}", "V ^ 2 - D V + N = 0", "V ^ 2 + D V - N = 0", "D ( V + D ) = N", "( V + D ) ( V - D )",
    "V ^ 2 = N", r"V = \pm \sqrt{N}", r"\sqrt{N} = D", r"\sqrt{V ^ 2 + V ^ 2}", r"\frac{F}{D} + \frac{D}{D}", r"\frac{D}{D} \times \frac{D}{D} = \frac{N}{N}",
    r"\frac{D}{D} \div \frac{D}{D}", r"D \frac{D}{D}", "V = D V + D", "V < N", "V > N", r"V \leq N", r"D V \geq N", "D : D = V : N", r"V ^ 2 + V ^ 2 = V ^ 2",
    "A = V V", r"A = \pi r ^ 2", r"V = \frac{4}{3} \pi r ^ 3", r"C = 2 \pi r", r"\frac{V + D}{V - D} = D", r"V_1 + V_2 = N", r"| V - D | = N", "N ^ D", r"N ^ \circ",
    r"\angle A B C = N ^ \circ", r"V = \frac{- b \pm \sqrt{b ^ 2 - 4 a c}}{2 a}", r"\Delta = b ^ 2 - 4 a c", "f ( V ) = D V ^ 2 + D V + D", "f ' ( V ) = D V",
    r"\sin V + \cos V", r"\sin ^ 2 V + \cos ^ 2 V = 1", r"\tan V = \frac{\sin V}{\cos V}", r"\log_D N = D", r"\log V", r"a ^ V = N", r"e ^ {- V}", r"e ^ {i \pi} + 1 = 0",
    "E = m c ^ 2", "F = m a", r"V = \frac{m}{\rho}", r"\rho = \frac{m}{V}", r"\omega = 2 \pi f", r"\lambda = \frac{h}{p}", r"v = \frac{\Delta s}{\Delta t}",
    r"\sum_{i = 1}^{n} i = \frac{n ( n + 1 )}{2}", r"\sum_{V = D}^{V} V ^ D", r"\sum_{n = 0}^{\infty} \frac{V ^ n}{n !}", r"\prod_{i = 1}^{n} V_i",
    r"\int_D^N V ^ D d V", r"\int V ^ D d V", r"\int_{D}^{V} f ( V ) d V", r"\int_{- \infty}^{\infty} e ^ {- V ^ 2} d V = \sqrt{\pi}", r"\int \frac{d V}{V}",
    r"\lim_{V \rightarrow D} f ( V )", r"\lim_{V \rightarrow \infty} \frac{D}{V} = 0", r"\lim_{n \rightarrow \infty} ( 1 + \frac{1}{n} ) ^ n = e", r"\frac{d V}{d V}",
    r"\frac{\partial V}{\partial V}", r"\frac{\partial ^ 2 V}{\partial V ^ 2}", r"G + G = G", "G = N", "G _ V", r"G ^ 2", r"\frac{G}{G}", r"\sin G", r"\cos ( G + G )",
    r"G \approx N . N", r"V \in R", r"A \cup B", r"A \cap B", r"A \subset B", r"\overline{V}", r"\overline{A B}", r"\vec{V}", r"\vec{V} + \vec{V}", r"\hat{V}", r"\dot{V}",
    r"\vec{V} \cdot \vec{V} = 0", r"A B \perp C D", r"A B \parallel C D", r"V \propto V", r"V \equiv D", r"V \neq 0", r"\nabla V", 
    
    r"V \Rightarrow V", r"\therefore V = N",
    "N", "V", "G", "V = N", r"\frac{N}{N}", r"\sqrt{V}", "V ^ D", "V_D",
    r"\sqrt[3]{N}", r"\sqrt[n]{V}", r"\frac{1}{\sqrt{V}}", r"\frac{V}{1 + \frac{V}{V}}", "N !", r"\{ N , N , N \}", "[ N , N ]", "( N , N )", r"\cos \frac{\pi}{D}", r"V ^ {\frac{D}{D}}",
    "N V", "D V V", "D V ^ D V", r"N \cdot N", "N / N", r"V_n = V_{n - 1} + V_{n - 2}", r"V_{n + 1}", "V ^ {n + 1}", "V ^ {- D}", r"N \times 10 ^ {- D}", r"N . N \times 10 ^ D",
)  # fmt: skip
MATRICES = (
    r"\begin{pmatrix} F & F \\ F & F \end{pmatrix}",
    r"\begin{pmatrix} V & V \\ V & V \end{pmatrix}",
    r"\begin{bmatrix} F & F \\ F & F \end{bmatrix}",
    r"\begin{vmatrix} V & V \\ V & V \end{vmatrix} = V V - V V",
    r"A = \begin{pmatrix} F & F \\ F & F \end{pmatrix}",
    r"\begin{pmatrix} V_1 \\ V_2 \end{pmatrix}",
    r"\begin{pmatrix} F \\ F \end{pmatrix}",
    r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}",
    r"\begin{pmatrix} V_{11} & V_{12} \\ V_{21} & V_{22} \end{pmatrix}",
)

VARIABLES = "x" * 12 + "y" * 6 + "abcnmkzt" * 3 + "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 2
GREEK = (
    r"\alpha \beta \gamma \theta \lambda \mu \pi \sigma \phi \Delta \delta \epsilon \zeta \eta \xi \rho \tau \chi \psi \omega \Gamma \Theta \Lambda \Xi \Phi "
    r"\Psi \Omega"
).split()
DIGITS = set("0123456789")
_PARTED = re.compile(r"((?<!\\)[{}]|_)")
LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def given(grammar: Grammar, folder: Path = DATA) -> list[list[str]]:
    """The formulas of `FILES` that the vocabulary can write and that are not too long."""
    found = []
    for name in FILES:
        with gzip.open(folder / f"{name}.txt.gz", "rt", encoding="utf-8") as file:
            for line in file:
                try:
                    tokens = canonical(with_words(line))
                except HandwritingError:
                    continue
                if 1 < len(tokens) <= MOST_TOKENS and tokens.count(TEXT) <= MOST_WORDS and grammar.accepts(tokens):
                    found.append(tokens)
    return found


def with_words(line: str) -> str:
    """The files' tokens stand apart by spaces, so that one of several letters is a word: then as `\\text`."""
    return " ".join(rf"\text{{{token}}}" if len(token) > 1 and token.isalpha() else token for token in line.split())


def number(rng: random.Random) -> str:
    digits = rng.choice((1, 1, 1, 2, 2, 2, 3, 3, 4))
    return " ".join(str(rng.randint(1 if index == 0 else 0, 9)) for index in range(digits))


def school(rng: random.Random) -> list[str]:
    """One of `SCHOOL`, or, one in seven, of `MATRICES`, filled in."""
    words = []
    for word in _PARTED.sub(r" \1 ", rng.choice(MATRICES if rng.random() < 0.15 else SCHOOL)).split():
        words.append(
            number(rng) if word == "N"
            else str(rng.randint(1, 9)) if word == "D"
            else rng.choice(VARIABLES) if word == "V"
            else rng.choice(GREEK) if word == "G"
            else rng.choice((number(rng), "- " + number(rng), rng.choice(VARIABLES), "0")) if word == "F"
            else word
        )  # fmt: skip
    return canonical(
        " ".join(
            f"{{ {word} }}" if before in ("^", "_") and word != "{" else word
            for before, word in zip(["", *words], words, strict=False)
        )
    )


def varied(tokens: list[str], rng: random.Random) -> list[str]:
    """With other digits and, each letter for all its places, other letters."""
    share = rng.choice((0.0, 0.3, 0.8))
    letters: dict[str, str] = {}
    changed: list[str] = []
    within = False  # a word, which stays
    for token in tokens:
        within = (within and changed[-1] != "}") or changed[-1:] == [TEXT]
        if within:
            pass
        elif token in DIGITS:
            token = rng.choice("0123456789") if rng.random() < share else token
        elif token in LETTERS or token in GREEK:
            if token not in letters:
                letters[token] = (
                    rng.choice(VARIABLES if rng.random() < 0.85 else GREEK) if rng.random() < share else token
                )
            token = letters[token]
        changed.append(token)
    return changed
