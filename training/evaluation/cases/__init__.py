"""Small inputs that were read wrong once, right or wrong today: `python -m training.evaluate cases`.

The inputs lie beside this module. The README there describes `cases.json`.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hwr_core import load_recognizer, read_ink, read_page
from hwr_core.ink.strokes import Strokes
from hwr_core.reading import Page
from hwr_core.recognizer import Recognizer

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """An input and its right reading.

    Attributes:
        kind: What the case is about.
        file: A picture, or a JSON file of strokes.
        right: The accepted readings, each a list of lines.
        form: "page", "line" or "ink".
        drawing: The drawing's name, if the JSON file has several.
        formulas: True if text and formulas are told apart.
        rows: True if the lines are compared one by one, False if the whole text is.
        marks: The list mark that may stand before each line, or be left out.
    """

    kind: str
    file: str
    right: tuple[tuple[str, ...], ...]
    form: str = "page"
    drawing: str = ""
    formulas: bool = False
    rows: bool = False
    marks: str = ""

    def accepts(self, lines: Sequence[str]) -> bool:
        """Whether a reading's lines are right; runs of white space count as one space."""
        return any(self._folded(lines) == self._folded(right) for right in self.right)

    def _folded(self, lines: Sequence[str]) -> list[str]:
        texts = [" ".join(line.split()) for line in lines]
        if self.marks:
            texts = [text.removeprefix(self.marks).lstrip() for text in texts]
        return texts if self.rows else [" ".join(" ".join(texts).split())]


def cases() -> list[Case]:
    """All cases, in the order of `cases.json`."""
    found = []
    for entry in json.loads((FOLDER / "cases.json").read_text(encoding="utf-8")):
        right = tuple(map(tuple, entry.pop("right")))
        found.append(Case(right=right, form=entry.pop("as", "page"), **entry))
    return found


def read_case(case: Case, recognizer: Recognizer, beams: int | None = None) -> list[str]:
    """Reads a case. Returns the text of its lines; a table's row is one line."""
    if case.form == "ink":
        page = read_ink(_strokes(case), recognizer, beams)
        return [line.reading.text for line in page.lines]
    image = Image.open(FOLDER / case.file)
    if case.form == "line":
        return [reading.text for reading in recognizer.read([image], beams=beams)]
    return rows_of(read_page(image, recognizer, beams=beams))


def rows_of(page: Page) -> list[str]:
    """The rows of a page's text."""
    return page.text.split("\n") if page.text else []


def evaluate_cases(recognizer: Recognizer, arguments: argparse.Namespace) -> None:
    """Prints right or wrong for each case, and the total. `recognizer` reads the cases without formulas."""
    auto = load_recognizer("auto")
    given = cases()
    right = 0
    for case in given:
        lines = read_case(case, auto if case.formulas else recognizer, arguments.beams)
        accepted = case.accepts(lines)
        right += accepted
        print(f"{'right' if accepted else 'wrong'}  {case.file:24} {case.kind}")
        if not accepted:
            print(f"       read {lines}\n       not  {list(case.right[0])}")
    print(f"\n{right} of {len(given)} right")


def _strokes(case: Case) -> Strokes:
    drawn = json.loads((FOLDER / case.file).read_text(encoding="utf-8"))
    strokes = drawn[case.drawing] if case.drawing else drawn
    return [np.array(stroke, float) for stroke in strokes]
