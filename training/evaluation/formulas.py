"""How well a math checkpoint reads formulas of CROHME that it was not trained on, and drawn ones: `python -m training.evaluate math`.

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
from training.evaluation.results import Cell, Table, percent, share
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

COLUMNS = [
    "formulas of", "formulas", "wholly right %", "up to one token wrong %", "up to two tokens wrong %", "wrong tokens %",
]  # fmt: skip


def tokens_of(text: str) -> Tokens:
    try:
        return canonical(text)
    except HandwritingError:  # a reading is well formed; should one not be, it is wrong, not the end of the evaluation
        return [text]


def evaluate_drawn_only(
    recognizer: Recognizer, arguments: argparse.Namespace, chosen: Callable[[list, int | None], list]
) -> Sequence[Table]:
    """Only what is drawn by script: `python -m training.evaluate drawn-formulas`."""
    rows, drawn, read = evaluate_drawn(recognizer, arguments, chosen)
    if arguments.misses:
        print_misses(drawn, read)
    return [Table("", COLUMNS, rows)]


def evaluate_math(
    recognizer: Recognizer, arguments: argparse.Namespace, chosen: Callable[[list, int | None], list]
) -> Sequence[Table]:
    """CROHME's formulas, in all and by construct, what is drawn by script, single signs, and whether the confidence holds."""
    split = "dev" if arguments.dev else "test2013"
    title = "CROHME, writers kept for choices" if arguments.dev else "CROHME test2013, drawn by writers not trained on"
    written: list[Formula] = chosen(crohme(split), arguments.limit)
    found, confidences = read_all(written, recognizer, arguments.beams, split)
    distances = [edit_distance(formula.tokens, tokens) for formula, tokens in zip(written, found, strict=True)]
    known = {" ".join(formula.tokens) for formula in crohme("train")}
    new = _those(written, distances, [" ".join(formula.tokens) not in known for formula in written])
    drawn_rows, drawn, read = evaluate_drawn(recognizer, arguments, chosen)
    signs: list[Sign] = chosen(kept_signs(recognizer), arguments.limit)
    names, _ = read_all(signs, recognizer, arguments.beams, "signs")
    wrong = [edit_distance(sign.tokens, tokens) for sign, tokens in zip(signs, names, strict=True)]
    rows = [
        row_of(title, written, distances),
        row_of(f"{title}: formulas not in training", *new),
        *drawn_rows,
        row_of("single signs (Detexify, every twentieth sample)", signs, wrong),
    ]
    constructs = [
        row_of(name, *_those(written, distances, [has(formula.tokens) for formula in written]))
        for name, has in CONSTRUCTS.items()
    ]
    confidence: list[list[Cell]] = [
        [f"{low:.1f} to {high:.1f}", count, percent(right)]
        for low, high, count, right in calibration(confidences, [distance == 0 for distance in distances])
        if count
    ]
    mistaken: list[list[Cell]] = [
        [written_one, other, times] for (written_one, other), times in substitutions(written, found).most_common(20)
    ]
    if arguments.misses:
        print_misses([*written, *drawn, *signs], [*found, *read, *names])
    return [
        Table("", COLUMNS, [row for row in rows if row[1]]),
        Table("constructs", COLUMNS, [row for row in constructs if row[1]]),
        Table("confidence", ["confidence", "formulas", "wholly right %"], confidence),
        Table("mistaken", ["token", "read as", "times"], mistaken),
    ]


def evaluate_drawn(
    recognizer: Recognizer, arguments: argparse.Namespace, chosen: Callable[[list, int | None], list]
) -> tuple[list[list[Cell]], list[DrawnFormula], list[Tokens]]:
    """The rows of the formulas drawn by script, of the thirty with rows and of large numbers; then the formulas and what was read."""
    rows: list[list[Cell]] = []
    drawn: list[DrawnFormula] = []
    read: list[Tokens] = []
    for title, made in (("first tries, drawn by script", formulas()), ("new part, drawn by script", new_part())):
        some: list[DrawnFormula] = chosen(made, arguments.limit)
        tokens_read, _ = read_all(some, recognizer, arguments.beams, "drawn")
        wrong = [edit_distance(formula.tokens, tokens) for formula, tokens in zip(some, tokens_read, strict=True)]
        rows.append(row_of(title, some, wrong))
        for kind in dict.fromkeys(formula.kind for formula in some):
            rows.append(row_of(f"{title}: {kind}", *_those(some, wrong, [formula.kind == kind for formula in some])))
        drawn, read = [*drawn, *some], [*read, *tokens_read]
    return rows, drawn, read


def new_part() -> list[DrawnFormula]:
    return [*matrices(), *large_numbers()]


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


def _those(given: Sequence, distances: Sequence[int], inside: Sequence[bool]) -> tuple[list, list[int]]:
    return list(itertools.compress(given, inside)), list(itertools.compress(distances, inside))


def row_of(name: str, given: Sequence["Formula | DrawnFormula | Sign"], distances: Sequence[int]) -> list[Cell]:
    """A row of `COLUMNS`."""
    rates = [percent(share(sum(distance <= most for distance in distances), len(distances))) for most in range(3)]
    errors = percent(share(sum(distances), sum(len(formula.tokens) for formula in given)))
    return [name, len(given), *rates, errors]


def substitutions(given: Sequence[Formula], found: Sequence[Tokens]) -> collections.Counter:
    """How often one token was read as another where the rest of the formula is right in number."""
    pairs: collections.Counter = collections.Counter()
    for formula, tokens in zip(given, found, strict=True):
        if len(tokens) == len(formula.tokens):
            pairs.update((a, b) for a, b in zip(formula.tokens, tokens, strict=True) if a != b)
    return pairs
