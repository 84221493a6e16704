"""How well a math checkpoint reads formulas of CROHME that it was not trained on: `python -m training.evaluate math`.

The expression rate is the share of formulas whose canonical tokens (`hwr_core.latex.canonical`) are all right.
"""

import argparse
import collections
from collections.abc import Callable, Sequence

from tqdm import tqdm

from hwr_core import read_ink
from hwr_core.errors import HandwritingError
from hwr_core.latex import canonical
from hwr_core.metrics import calibration, edit_distance
from hwr_core.recognizer import Recognizer
from training.crohme import Formula, crohme
from training.formula_texts import GREEK

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


def evaluate_math(recognizer: Recognizer, arguments: argparse.Namespace, chosen: Callable[[list, int | None], list]) -> None:
    for split in ("dev",) if arguments.dev else ("test2013",):
        formulas: list[Formula] = chosen(crohme(split), arguments.limit)
        readings = [_read(formula, recognizer, arguments.beams) for formula in tqdm(formulas, split, leave=False)]
        texts = [text for text, _ in readings]
        found = [tokens_of(text) for text in texts]
        distances = [edit_distance(formula.tokens, tokens) for formula, tokens in zip(formulas, found, strict=True)]
        print(f"| CROHME {split} | n | expression rate | up to one token wrong | up to two | token error rate |")
        print("|---|---|---|---|---|---|")
        _row("all", formulas, distances)
        for name, has in CONSTRUCTS.items():
            inside = [index for index, formula in enumerate(formulas) if has(formula.tokens)]
            if inside:
                _row(name, [formulas[index] for index in inside], [distances[index] for index in inside])
        print("\n| confidence | formulas | wholly right |\n|---|---|---|")
        for low, high, count, share in calibration([sure for _, sure in readings], [distance == 0 for distance in distances]):
            print(f"| {low:.1f} to {high:.1f} | {count} | {share:.0%} |")
        print("\nWhat is mistaken most, beside what is left out or put in:")
        for (right, wrong), count in substitutions(formulas, found).most_common(25):
            print(f"{count:4} {right} read {wrong}")
        if arguments.misses:
            for formula, text, distance in zip(formulas, texts, distances, strict=True):
                if distance:
                    print(f"{formula.id} {distance}: {' '.join(formula.tokens)}\n    {text}")


def _read(formula: Formula, recognizer: Recognizer, beams: int | None) -> tuple[str, float]:
    page = read_ink(formula.strokes, recognizer, beams=beams)
    return page.text, min((line.reading.confidence for line in page.lines), default=1.0)


def _row(name: str, formulas: Sequence[Formula], distances: Sequence[int]) -> None:
    rates = [sum(distance <= most for distance in distances) / len(distances) for most in range(3)]
    errors = sum(distances) / sum(len(formula.tokens) for formula in formulas)
    print(f"| {name} | {len(formulas)} | {' | '.join(f'{rate:.1%}' for rate in rates)} | {errors:.1%} |")


def substitutions(formulas: Sequence[Formula], found: Sequence[Tokens]) -> collections.Counter:
    """How often one token was read as another where the rest of the formula is right in number."""
    pairs: collections.Counter = collections.Counter()
    for formula, tokens in zip(formulas, found, strict=True):
        if len(tokens) == len(formula.tokens):
            pairs.update((a, b) for a, b in zip(formula.tokens, tokens, strict=True) if a != b)
    return pairs
