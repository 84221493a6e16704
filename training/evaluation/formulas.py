"""How well a math checkpoint reads formulas of CROHME that it was not trained on, and drawn ones: `python -m training.evaluation.lines math`.

The expression rate is the share of formulas whose canonical tokens (`hwr_core.decoding.latex.canonical`) are all right.
"""

import argparse
import collections
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from hwr_core import read_ink
from hwr_core.decoding.latex import canonical
from hwr_core.errors import HandwritingError
from hwr_core.ink.strokes import Strokes
from hwr_core.metrics import calibration, edit_distance
from hwr_core.recognizer import Recognizer
from training.data.crohme import Formula, crohme
from training.data.detexify import detexify
from training.evaluation.drawn.formulas import DrawnFormula, formulas
from training.evaluation.drawn.matrices import large_numbers, matrices
from training.synthesis.formula_texts import GREEK

Tokens = list[str]
CONSTRUCTS: dict[str, Callable[[Tokens], bool]] = {
    "one line, no scripts": lambda t: not {"^", "_", r"\frac", r"\sqrt"} & set(t),
    "fractions": lambda t: r"\frac" in t,
    "roots": lambda t: r"\sqrt" in t,
    "superscripts": lambda t: "^" in t,
    "subscripts": lambda t: "_" in t,
    "sums": lambda t: r"\sum" in t,
    "integrals": lambda t: r"\int" in t,
    "limits": lambda t: r"\lim" in t,
    "functions": lambda t: bool({r"\sin", r"\cos", r"\tan", r"\log"} & set(t)),
    "Greek letters": lambda t: bool(set(GREEK) & set(t)),
    "1 to 5 tokens": lambda t: len(t) <= 5,
    "6 to 15 tokens": lambda t: 5 < len(t) <= 15,
    "16 to 30 tokens": lambda t: 15 < len(t) <= 30,
    "more tokens": lambda t: len(t) > 30,
}


def tokens_of(text: str) -> Tokens:
    try:
        return canonical(text)
    except HandwritingError:  # a reading is well formed; should one not be, it is wrong, not the end of the evaluation
        return [text]


def evaluate_drawn_only(
    recognizer: Recognizer, arguments: argparse.Namespace, chosen: Callable[[list, int | None], list]
) -> None:
    """Only what is drawn by script: `python -m training.evaluation.lines drawn-formulas`."""
    drawn, read = evaluate_drawn(recognizer, arguments, chosen)
    if arguments.misses:
        print_misses(drawn, read)


def evaluate_math(
    recognizer: Recognizer, arguments: argparse.Namespace, chosen: Callable[[list, int | None], list]
) -> None:
    split = "dev" if arguments.dev else "test2013"
    written: list[Formula] = chosen(crohme(split), arguments.limit)
    found, confidences = read_all(written, recognizer, arguments.beams, split)
    distances = [edit_distance(formula.tokens, tokens) for formula, tokens in zip(written, found, strict=True)]
    _header(f"CROHME {split}")
    _row("all", written, distances)
    known = {" ".join(formula.tokens) for formula in crohme("train")}
    _row(
        "of these, formulas not in training",
        *_those(written, distances, [" ".join(formula.tokens) not in known for formula in written]),
    )
    for name, has in CONSTRUCTS.items():
        _row(name, *_those(written, distances, [has(formula.tokens) for formula in written]))
    print("\n| confidence | formulas | wholly right |\n|---|---|---|")
    for low, high, count, share in calibration(confidences, [distance == 0 for distance in distances]):
        print(f"| {low:.1f} to {high:.1f} | {count} | {share:.0%} |")
    print("\nMistaken most, where nothing is left out or put in: ", end="")
    print(
        ", ".join(
            f"{right} read {wrong} ({count})" for (right, wrong), count in substitutions(written, found).most_common(20)
        ),
        end="\n\n",
    )
    drawn, read = evaluate_drawn(recognizer, arguments, chosen)
    signs: list[Sign] = chosen(kept_signs(recognizer), arguments.limit)
    names, _ = read_all(signs, recognizer, arguments.beams, "signs")
    _header("single signs (Detexify, every twentieth sample)")
    _row("all", signs, [edit_distance(sign.tokens, tokens) for sign, tokens in zip(signs, names, strict=True)])
    if arguments.misses:
        print_misses([*written, *drawn, *signs], [*found, *read, *names])


def evaluate_drawn(
    recognizer: Recognizer, arguments: argparse.Namespace, chosen: Callable[[list, int | None], list]
) -> tuple[list[DrawnFormula], list[Tokens]]:
    """Prints how the formulas drawn by script are read, and the thirty with rows; returns them and the tokens read."""
    drawn: list[DrawnFormula] = []
    read: list[Tokens] = []
    for title, made in (("formulas.py", formulas()), ("matrices.py", [*matrices(), *large_numbers()])):
        some: list[DrawnFormula] = chosen(made, arguments.limit)
        tokens_read, _ = read_all(some, recognizer, arguments.beams, "drawn")
        wrong = [edit_distance(formula.tokens, tokens) for formula, tokens in zip(some, tokens_read, strict=True)]
        _header(f"drawn by script (training/evaluation/drawn/{title})")
        _row("all", some, wrong)
        for kind in dict.fromkeys(formula.kind for formula in some):
            _row(kind, *_those(some, wrong, [formula.kind == kind for formula in some]))
        print()
        drawn, read = [*drawn, *some], [*read, *tokens_read]
    return drawn, read


def print_misses(given: Sequence["Formula | DrawnFormula | Sign"], found: Sequence[Tokens]) -> None:
    for formula, tokens in zip(given, found, strict=True):
        if tokens != formula.tokens:
            print(f"{' '.join(formula.tokens)}\n    {' '.join(tokens)}")


@dataclass(frozen=True)
class Sign:
    """One symbol alone."""

    tokens: list[str]
    strokes: Strokes


def kept_signs(recognizer: Recognizer) -> list[Sign]:
    """Detexify's samples for validation whose token the checkpoint has, without another form of a plain letter."""
    grammar = recognizer.decoding.grammar
    known = set(grammar.tokens if grammar else ())
    return [
        Sign([token], strokes) for token, flourished, strokes in detexify("val") if token in known and not flourished
    ]


def read_all(
    given: Sequence["Formula | DrawnFormula | Sign"], recognizer: Recognizer, beams: int | None, name: str
) -> tuple[list[Tokens], list[float]]:
    """The canonical tokens that were read of each, and how sure the recognizer was."""
    pages = [read_ink(formula.strokes, recognizer, beams=beams) for formula in tqdm(given, name, leave=False)]
    return [tokens_of(page.text) for page in pages], [
        min((line.reading.confidence for line in page.lines), default=1.0) for page in pages
    ]


def _header(title: str) -> None:
    print(
        f"| {title} | n | expression rate | up to one token wrong | up to two | token error rate |\n|---|---|---|---|---|---|"
    )


def _those(given: Sequence, distances: Sequence[int], inside: Sequence[bool]) -> tuple[list, list[int]]:
    return list(itertools.compress(given, inside)), list(itertools.compress(distances, inside))


def _row(name: str, given: Sequence["Formula | DrawnFormula | Sign"], distances: Sequence[int]) -> None:
    if not distances:
        return
    rates = [sum(distance <= most for distance in distances) / len(distances) for most in range(3)]
    errors = sum(distances) / sum(len(formula.tokens) for formula in given)
    print(f"| {name} | {len(given)} | {' | '.join(f'{rate:.1%}' for rate in rates)} | {errors:.1%} |")


def substitutions(given: Sequence[Formula], found: Sequence[Tokens]) -> collections.Counter:
    """How often one token was read as another where the rest of the formula is right in number."""
    pairs: collections.Counter = collections.Counter()
    for formula, tokens in zip(given, found, strict=True):
        if len(tokens) == len(formula.tokens):
            pairs.update((a, b) for a, b in zip(formula.tokens, tokens, strict=True) if a != b)
    return pairs
