r"""How formulas are read that stand side by side, or behind an exercise's number: `python -m training.evaluation.side_by_side`.

Each formula of `training.evaluation.drawn` behind a number (`a)`, `2.`); equations beside another, a label (`(1)`), or the next step
(`| - 7`); all in the hands of the drawn formulas, with less and with more white between them. A drawing is right if its canonical
tokens are.
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hwr_core import load_recognizer, read_ink
from hwr_core.decoding.latex import canonical
from hwr_core.ink.strokes import Strokes
from training.evaluation.drawn import STYLES, write
from training.evaluation.drawn.formulas import drawn, formulas
from training.evaluation.formulas import tokens_of
from training.evaluation.results import Cell, markdown, percent, share, write_results

NUMBERS = ("1)", "2)", "3)", "4)", "5)", "a)", "b)", "c)", "(a)", "(1)", "10)", "1.", "2.", "ii)", "7:")
NUMBER_WHITES = (0.5, 1.0, 1.5, 2.5, 4.0)  # of a symbol's height
WHITES = (1.5, 2.5, 4.0, 7.0)
EQUATIONS = (
    "2x + 3 = 7", "x^2 - 5x + 6 = 0", "3x = 12", "y = 2x - 3", "12 + 7 = 19", r"\frac{x}{2} = 5", r"\sqrt{x} = 3", "a^2 + b^2 = c^2",
)  # fmt: skip
BESIDE = {
    "another equation": ("x = 2", "y = 4", "7 - 3 = 4", "y = x + 1", "x > 0", "8 = 8"),
    "a label": ("(1)", "(2)", "(3)"),
    "the next step": ("| - 7", "| : 2", "| + x", "| - 3x"),
}
EACH = 10  # drawings of each kind and white


@dataclass(frozen=True)
class Row:
    """`strokes` in canvas pixels, y downwards; `alone` are those of the first formula, or of the one behind the number."""

    kind: str
    white: float
    tokens: list[str]
    strokes: Strokes
    alone: Strokes
    alone_tokens: list[str]


def rows() -> Iterator[Row]:
    """All drawings, always the same."""
    known = formulas()
    for seed in range(10 * len(NUMBERS)):
        rng = random.Random(seed)
        formula, number, white = known[7 * seed % len(known)], NUMBERS[seed % len(NUMBERS)], rng.choice(NUMBER_WHITES)
        size = max(25.0, float(np.median([high for stroke in formula.strokes if (high := np.ptp(stroke[:, 1])) > 0])))
        ink = write(number, formula.style, seed)
        capital = np.ptp(np.concatenate(write("H", formula.style, seed))[:, 1])
        written = [stroke * (1.1 * size / capital) for stroke in ink]
        moved = beside(written, formula.strokes, white * size, before=True)
        yield Row(
            "behind a number", white, [*canonical(number), *formula.tokens], [*moved, *formula.strokes], formula.strokes, formula.tokens
        )  # fmt: skip
    seed = 0
    for kind, others in BESIDE.items():
        for white in WHITES:
            for _ in range(EACH):
                rng, style = random.Random(seed), STYLES[seed % len(STYLES)]
                first, second = (drawn(kind, style, rng.choice(texts), seed) for texts in (EQUATIONS, others))
                size = float(np.median([high for stroke in first.strokes if (high := np.ptp(stroke[:, 1])) > 8]))
                strokes = [*first.strokes, *beside(second.strokes, first.strokes, white * size)]
                yield Row(
                    f"beside {kind}", white, [*first.tokens, *second.tokens], strokes, first.strokes, first.tokens
                )
                seed += 1


def beside(moved: Strokes, fixed: Strokes, white: float, before: bool = False) -> Strokes:
    """Strokes, moved to the right or left of others, their middles at one height, with so much white between."""
    points, there = np.concatenate(moved), np.concatenate(fixed)
    side = there[:, 0].min() - white - points[:, 0].max() if before else there[:, 0].max() + white - points[:, 0].min()
    middle = (there[:, 1].min() + there[:, 1].max() - points[:, 1].min() - points[:, 1].max()) / 2
    return [stroke + (side, middle) for stroke in moved]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="math", help="a checkpoint as load_recognizer takes it, math or auto")
    parser.add_argument("--misses", action="store_true", help="prints what was read wrong")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result file there")
    arguments = parser.parse_args()
    recognizer = load_recognizer(arguments.model)
    found: dict[tuple[str, float], list[tuple[bool, bool]]] = {}
    for row in tqdm(list(rows()), "side by side", leave=False):
        # Where a cell or line ends is not looked at.
        text = " ".join(read_ink(row.strokes, recognizer).text.split())
        right = tokens_of(text) == row.tokens
        alone = tokens_of(read_ink(row.alone, recognizer).text) == row.alone_tokens
        found.setdefault((row.kind, row.white), []).append((right, alone))
        if arguments.misses and not right:
            print(f"{row.kind}, {row.white}: {''.join(row.tokens)}\n    {text}")
    table: list[list[Cell]] = [
        [kind, white, len(some), *(percent(share(sum(both[place] for both in some), len(some))) for place in (0, 1))]
        for (kind, white), some in sorted(found.items())
    ]
    columns = ["a formula", "white, symbols high", "drawings", "wholly right %", "the formula alone right %"]
    print(markdown(columns, table))
    if arguments.results:
        name = "side-by-side" if arguments.model == "math" else f"side-by-side-{Path(arguments.model).name}"
        write_results(arguments.results / f"evaluation-{name}.json", columns, table, f"Checkpoint {arguments.model}.")


if __name__ == "__main__":
    main()
