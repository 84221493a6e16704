"""How `auto` reads sheets of formulas: `python -m training.evaluation.formula_sheets`.

Each sheet holds two to six formulas drawn by code, one below the other. It is read as strokes and as a photo. A formula
counts as found if a line of the kind formula stands where it is, and nowhere else. With `--numbered` each formula has an
exercise's number in the margin, `a)`, `(2)` or `3.`, which is part of it.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from hwr_core import load_recognizer
from hwr_core.decoding.latex import canonical
from hwr_core.ink.formula import ink_size
from hwr_core.ink.strokes import Strokes, draw
from hwr_core.pipeline import read_ink, read_page
from hwr_core.reading import Box, Page
from hwr_core.recognizer import Recognizer
from training.evaluation.drawn import write
from training.evaluation.drawn.formulas import DrawnFormula, formulas
from training.evaluation.formulas import tokens_of
from training.evaluation.results import markdown, write_results

SHEETS = 12
SYMBOL = (40.0, 60.0)  # pixels of a symbol's height
WHITE = (1.0, 2.0)  # of a symbol's height: the white between two formulas
COVERED = 0.8  # share of a formula's box that its line covers at least
MOST_AREA = 3.0  # times the area of the formula's box that its line's has at most, both with a border
BORDER = 10  # pixels
NUMBER_HEIGHT = 45.0  # pixels of a capital before a formula
MARGIN, INDENT = 40, 160  # pixels left of the numbers, and between the left edges with and without numbers
COLUMNS = ("sheets", "formulas", "found %", "rightly read %", "lines too many")


@dataclass(frozen=True)
class Sheet:
    """A sheet of formulas.

    Attributes:
        formulas: From the top, with their numbers if they have some.
        strokes: Of each formula, in pixels of the sheet.
        size: Width and height in pixels.
    """

    formulas: list[DrawnFormula]
    strokes: list[Strokes]
    size: tuple[int, int]

    @property
    def boxes(self) -> list[Box]:
        """Left, top, right and bottom of each formula."""
        return [_box(strokes) for strokes in self.strokes]

    def photo(self, seed: int) -> Image.Image:
        """The sheet as a camera sees it: grey paper, uneven light, noise."""
        rng = np.random.default_rng(seed)
        width, height = self.size
        ink = draw([stroke for strokes in self.strokes for stroke in strokes], (height, width), rng.uniform(3, 5))
        down, across = np.mgrid[0:height, 0:width].astype(np.float32)
        light = 225 - rng.uniform(0, 50) * across / width - rng.uniform(0, 40) * down / height
        seen = light - (255.0 - ink) / 255 * rng.uniform(110, 170) + rng.normal(0, 3, (height, width))
        return Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))


def sheet(seed: int) -> Sheet:
    """A sheet, always the same for a seed."""
    rng = random.Random(seed)
    chosen = rng.sample(formulas(), rng.randint(2, 6))
    size, top, placed = rng.uniform(*SYMBOL), 80.0, []
    for formula in chosen:
        scale = size / ink_size(formula.strokes)
        low = np.concatenate(formula.strokes).min(0)
        left = rng.uniform(60, 200)
        strokes = [(stroke - low) * scale + (left, top) for stroke in formula.strokes]
        placed.append(strokes)
        top = _box(strokes)[3] + rng.uniform(*WHITE) * size
    right = max(_box(strokes)[2] for strokes in placed)
    return Sheet(chosen, placed, (right + 120, round(top) + 80))


def numbered(given: Sheet, seed: int) -> Sheet:
    """The sheet with a number before each formula, all of one kind."""
    rng, style = random.Random(f"numbers of {seed}"), given.formulas[0].style
    kind, letters = rng.choice(("{})", "{}.", "({})")), rng.random() < 0.5
    chosen, placed = [], []
    for place, (formula, strokes, box) in enumerate(zip(given.formulas, given.strokes, given.boxes, strict=True)):
        number = kind.format("abcdefgh"[place] if letters else place + 1)
        ink = write(number, style, 10 * seed + place)
        capital = np.ptp(np.concatenate(write("H", style, 10 * seed + place))[:, 1])
        scaled = [stroke * NUMBER_HEIGHT / capital for stroke in ink]
        low, high = (getattr(np.concatenate(scaled), side)(0) for side in ("min", "max"))
        moved = (MARGIN + rng.uniform(0, 10) - low[0], (box[1] + box[3] - low[1] - high[1]) / 2)
        placed.append([*(stroke + moved for stroke in scaled), *(stroke + (INDENT, 0) for stroke in strokes)])
        chosen.append(replace(formula, tokens=[*canonical(number), *formula.tokens]))
    return Sheet(chosen, placed, (given.size[0] + INDENT, given.size[1]))


def counts(given: Sheet, page: Page) -> tuple[int, int, int, list[str]]:
    """How many formulas were found, how many rightly read, how many lines were too many, and what was wrong."""
    left = list(page.lines)
    found = right = 0
    misses = []
    for formula, box in zip(given.formulas, given.boxes, strict=True):
        line = next((line for line in left if line.formula and _is_at(line.box, box)), None)
        if line is None:
            misses.append(f"not found: {' '.join(formula.tokens)}")
            continue
        left.remove(line)
        found += 1
        if tokens_of(line.reading.text) == formula.tokens:
            right += 1
        else:
            misses.append(f"{' '.join(formula.tokens)} read {line.reading.text}")
    misses += [f"too many: {line.reading.text} ({'formula' if line.formula else 'text'})" for line in left]
    return found, right, len(left), misses


def row(name: str, totals: Sequence[int]) -> list[str | int | float]:
    """The row of a kind of sheet in the table."""
    formulas_in_all, found, right, more = totals
    return [
        name,
        formulas_in_all,
        round(100 * found / formulas_in_all, 1),
        round(100 * right / formulas_in_all, 1),
        more,
    ]


def read(given: Sheet, seed: int, recognizer: Recognizer, photographed: bool) -> Page:
    """The sheet as a photo or as strokes, read."""
    if photographed:
        return read_page(given.photo(seed), recognizer)
    return read_ink([stroke for strokes in given.strokes for stroke in strokes], recognizer)


def _box(strokes: Strokes) -> Box:
    points = np.concatenate(strokes)
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))


def _is_at(line: Box, formula: Box) -> bool:
    """Whether a line stands where the formula is, and covers little else."""
    one, other = (np.array(box) + (-BORDER, -BORDER, BORDER, BORDER) for box in (line, formula))
    common = np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0))
    area, whole = np.prod(one[2:] - one[:2]), np.prod(other[2:] - other[:2])
    return bool(common >= COVERED * whole and area <= MOST_AREA * whole)


def main() -> None:
    """Prints the table, and writes it with `--results`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=SHEETS, help="sheets")
    parser.add_argument("--first", type=int, default=0, help="number of the first sheet; 0 to 13 were used for tuning")
    parser.add_argument("--numbered", action="store_true", help="with a number before each formula")
    parser.add_argument("--misses", action="store_true", help="print everything that was not found or read wrong")
    parser.add_argument("--results", type=Path, help="the result file to write")
    arguments = parser.parse_args()
    recognizer = load_recognizer("auto")
    rows = []
    for name, photographed in (("drawn", False), ("photographed", True)):
        totals = np.zeros(4, int)
        for seed in tqdm(range(arguments.first, arguments.first + arguments.limit), name, leave=False):
            given = numbered(sheet(seed), seed) if arguments.numbered else sheet(seed)
            *numbers, misses = counts(given, read(given, seed, recognizer, photographed))
            totals += (len(given.formulas), *numbers)
            if arguments.misses and misses:
                print(f"{name} {seed}", *misses, sep="\n    ", flush=True)
        rows.append(row(name, totals.tolist()))
    print(markdown(COLUMNS, rows))
    if arguments.results:
        note = (
            f"Two to six formulas a sheet, {arguments.limit} sheets; a formula is found if a line stands in its place. "
            "The rules of grouping and the constants of the choice were tuned on sheets 0 to 13 and on the same formulas."
        )
        write_results(arguments.results, COLUMNS, rows, note)


if __name__ == "__main__":
    main()
