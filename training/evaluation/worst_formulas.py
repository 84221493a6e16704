"""Draws the formulas that a math checkpoint reads worst, by what went wrong: `python -m training.evaluation.worst_formulas --out worst.png`.

Of CROHME's test2013, or with `--dev` of the writers of its training set who are kept for choices. Each with its LaTeX
above and the reading's below.
"""

import argparse
from pathlib import Path

import numpy as np

from hwr_core import load_recognizer
from hwr_core.ink.formula import render_formula
from hwr_core.metrics import edit_distance
from training.data.crohme import crohme
from training.evaluation.formulas import Tokens, read_all
from training.evaluation.worst_lines import picture

CAUSES = ("a part was not read", "more was read than is written", "only where signs stand", "only capital or small", "other signs", "signs and where they stand")  # fmt: skip
LAYOUT = {"{", "}", "^", "_", r"\frac", r"\sqrt"}
SHORTEST = 4  # tokens of a formula that is counted


def cause(written: Tokens, read: Tokens) -> str:
    """What went wrong: one of `CAUSES`."""
    if len(read) < 0.7 * len(written):
        return CAUSES[0]
    if len(read) > 1.3 * len(written):
        return CAUSES[1]
    signs, found = ([token for token in tokens if token not in LAYOUT] for tokens in (written, read))
    if signs == found:
        return CAUSES[2]
    if [token.casefold() for token in written] == [token.casefold() for token in read]:
        return CAUSES[3]
    layouts = [["·" if token not in LAYOUT else token for token in tokens] for tokens in (written, read)]
    return CAUSES[4] if layouts[0] == layouts[1] else CAUSES[5]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="math")
    parser.add_argument("--dev", action="store_true")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--limit", type=int, help="the first so many formulas")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    formulas = crohme("dev" if arguments.dev else "test2013")[: arguments.limit]
    found, _ = read_all(formulas, load_recognizer(arguments.model), None, "formulas")
    distances = np.array(
        [edit_distance(formula.tokens, tokens) for formula, tokens in zip(formulas, found, strict=True)]
    )
    rates = distances / [len(formula.tokens) if len(formula.tokens) >= SHORTEST else np.inf for formula in formulas]
    groups: dict[str, list] = {name: [] for name in CAUSES}
    for index in np.argsort(-rates)[: arguments.count]:
        formula, tokens = formulas[index], found[index]
        groups[cause(formula.tokens, tokens)].append(
            (render_formula(formula.strokes), " ".join(formula.tokens), " ".join(tokens))
        )
    groups = {name: some for name, some in groups.items() if some}
    picture(groups, height=110).quantize(16).save(arguments.out, optimize=True)
    wrong = np.flatnonzero(distances)
    print(f"{len(formulas)} formulas, {len(wrong)} with an error; the worst {arguments.count}, by cause:")
    for name, some in groups.items():
        print(f"  {name}: {len(some)}")
    print("all formulas with an error, by cause:")
    causes = [cause(formulas[index].tokens, found[index]) for index in wrong]
    for name in CAUSES:
        print(f"  {name}: {causes.count(name)}")


if __name__ == "__main__":
    main()
