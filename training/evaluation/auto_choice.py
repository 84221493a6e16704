"""How well `auto` tells text from formulas: `python -m training.evaluation.auto_choice`.

Every drawing is read by both checkpoints. The tables show how many of each set were in doubt, and which reading was
kept. None of the writers is in the training data, and CROHME's test set is left out: the constants of
`hwr_core.text_or_formula` are chosen by this command.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from hwr_core import load_recognizer
from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.ink.formula import render_formula
from hwr_core.ink.strokes import Strokes, level, render_line
from hwr_core.reading import Reading
from hwr_core.text_or_formula import in_doubt, more_probable
from training.data.crohme import crohme
from training.data.datasets import iam_ondb
from training.evaluation.drawn import drawings
from training.evaluation.drawn.formulas import formulas
from training.evaluation.lines import chosen
from training.evaluation.results import markdown, write_results

LIMIT = 90  # drawings of each set
COLUMNS = ("set", "truth", "drawings", "asked", "kept as text", "kept as a formula", "told right %")
NOTE = (
    "Each drawing whole, as one line of text or one formula. The constants were chosen on 90 drawings of each of these "
    "sets, which these overlap."
)
SETS: dict[str, tuple[bool, Callable[[], Sequence]]] = {
    "IAM-OnDB, validation writers": (False, lambda: iam_ondb("val_v")),
    "texts drawn by code": (False, drawings),
    "CROHME, kept writers": (True, lambda: crohme("dev")),
    "formulas drawn by code": (True, formulas),
}


@dataclass(frozen=True)
class Both:
    """The readings of one drawing.

    Attributes:
        formula: Whether it is a formula.
        text: Its reading as text.
        math: Its reading as a formula; None if it was not asked for.
    """

    formula: bool
    text: Reading
    math: Reading | None

    @property
    def kept_formula(self) -> bool:
        """Whether the formula is kept."""
        return self.math is not None and more_probable([self.text], [self.math])[0] is self.math


def read_both(strokes: Strokes, formula: bool, recognizer: AutoRecognizer) -> Both:
    """Reads a drawing as one line of text, and as one formula if it is in doubt."""
    line = render_line(level(strokes), recognizer.ink_height, recognizer.ink_stroke_width)
    text = recognizer.text.read([line])[0]
    return Both(formula, text, recognizer.math.read([render_formula(strokes)])[0] if in_doubt(text) else None)


def row(name: str, found: Sequence[Both]) -> list[str | int | float]:
    """The row of a set in the table."""
    kept = sum(both.kept_formula for both in found)
    right = sum(both.kept_formula == both.formula for both in found)
    asked = sum(both.math is not None for both in found)
    truth = "formula" if found[0].formula else "text"
    return [name, truth, len(found), asked, len(found) - kept, kept, round(100 * right / len(found), 1)]


def main() -> None:
    """Prints the table, and writes it with `--results`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=LIMIT, help="drawings of each set, chosen by chance")
    parser.add_argument("--misses", action="store_true", help="print every drawing that was told wrong")
    parser.add_argument("--results", type=Path, help="the result file to write")
    arguments = parser.parse_args()
    recognizer = load_recognizer("auto")
    assert isinstance(recognizer, AutoRecognizer)
    rows = []
    for name, (formula, given) in SETS.items():
        found = [
            read_both(item.strokes, formula, recognizer)
            for item in tqdm(chosen(list(given()), arguments.limit), name, leave=False)
        ]
        rows.append(row(name, found))
        for both in found if arguments.misses else ():
            if both.kept_formula != both.formula:
                print(name, both.text.text, both.text.confidence, both.math and (both.math.text, both.math.confidence))
    print(markdown(COLUMNS, rows))
    if arguments.results:
        write_results(arguments.results, COLUMNS, rows, NOTE)


if __name__ == "__main__":
    main()
