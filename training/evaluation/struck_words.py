"""How many struck-out words are told, by validation set: `python -m training.evaluation.struck_words --limit 60`.

One word of each line is struck out by code with the line's own pen, or underlined, and the line is read anew. `layout/struck_words.py`
says which words are struck out.
"""

import argparse
import random
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from hwr_core import load_recognizer
from hwr_core.imaging.grey_levels import percentiles
from hwr_core.imaging.ink_mask import ink_mask, stroke_width
from hwr_core.layout.baselines import ink_base
from hwr_core.layout.struck_words import with_struck_words
from hwr_core.layout.words import parts_of, spans_of
from hwr_core.reading import Line, Reading
from hwr_core.recognizer import Recognizer
from training.evaluation.results import Cell, percent, share, write_results
from training.evaluation.tables import print_row
from training.evaluation.validation import validation_lines
from training.synthesis.struck import struck_picture

COLUMNS = ["set", "words struck out", "told %", "words underlined", "taken for struck out %", "other words", "taken for struck out %"]  # fmt: skip
LEAST_LETTERS = 3  # of a word that is struck out or underlined
UNDERLINE = 0.25  # of the line's height: an underline lies so far below the baseline at most


def line_of(grey: np.ndarray, reading: Reading) -> Line:
    """A line of its own, with what its picture tells of struck-out words."""
    image = Image.fromarray(grey)
    return with_struck_words(Line((0, 0, *image.size), image, reading))


def columns_of(line: Line) -> list[tuple[int, int]]:
    """From and to which column of a line's picture each word stands."""
    columns = np.flatnonzero(ink_mask(np.asarray(line.image)).any(0))
    first, width = columns[0], np.ptp(columns) + 1
    return [
        (first + round(left * width), first + round(right * width)) for left, right in parts_of(line, spans_of(line))
    ]


def underlined(grey: np.ndarray, columns: tuple[int, int], rng: random.Random) -> np.ndarray:
    """The picture of a line with a stroke of its own pen under the columns."""
    found = ink_base(Image.fromarray(grey))
    assert found is not None
    (left, right), ink = found
    level = (left + right) / 2 + rng.uniform(0, UNDERLINE) * (ink[1] - ink[0])
    rise = rng.uniform(-0.04, 0.04) * (columns[1] - columns[0])
    ends = [(columns[0], level * len(grey) - rise), (columns[1], level * len(grey) + rise)]
    drawn, pen = grey.copy(), max(1, round(stroke_width(grey) * rng.uniform(0.7, 1.2)))
    start, end = ((round(x), round(y)) for x, y in ends)
    return cv2.line(drawn, start, end, int(percentiles(grey, (1,))[0]), pen, cv2.LINE_AA)


def is_told(recognizer: Recognizer, grey: np.ndarray, columns: tuple[int, int]) -> bool | None:
    """Whether the word at these columns is told as struck out; None where nothing is read."""
    (reading,) = recognizer.read([Image.fromarray(grey)])
    line = line_of(grey, reading)
    if not reading.text:
        return None
    middle = sum(columns) / 2
    there = [
        span for span, (left, right) in zip(spans_of(line), columns_of(line), strict=True) if left <= middle <= right
    ]
    return any(line.reading.is_struck(*span) for span in there)


def row_of(name: str, images: list[Image.Image], recognizer: Recognizer, rng: random.Random) -> list[Cell]:
    """A row of the table: one set."""
    told: dict[str, list[bool]] = {"struck": [], "underlined": [], "plain": []}
    for image in tqdm(images, name, leave=False):
        grey = np.array(image.convert("L"))
        (reading,) = recognizer.read([image])
        line = line_of(grey, reading)
        spans = spans_of(line)
        told["plain"] += [line.reading.is_struck(*span) for span in spans]
        long = [number for number, (start, end) in enumerate(spans) if end - start >= LEAST_LETTERS]
        if not long:
            continue
        columns = columns_of(line)[rng.choice(long)]
        part = np.ascontiguousarray(grey[:, slice(*columns)])
        struck = grey.copy()
        struck[:, slice(*columns)] = struck_picture(part, rng)
        for kind, changed in (("struck", struck), ("underlined", underlined(grey, columns, rng))):
            found = is_told(recognizer, changed, columns)
            told[kind] += [] if found is None else [found]
    cells: list[Cell] = [name]
    for marked in told.values():
        cells += [len(marked), percent(share(sum(marked), len(marked)))]
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text")
    parser.add_argument("--limit", type=int, default=60, help="lines of each set")
    parser.add_argument("--results", type=Path, help="a result file to write")
    arguments = parser.parse_args()
    recognizer, rng = load_recognizer(arguments.model), random.Random(11)
    rows = []
    print_row(COLUMNS)
    for name, lines in validation_lines(recognizer, arguments.limit).items():
        rows.append(row_of(name, [image for image, _ in lines], recognizer, rng))
        print_row(map(str, rows[-1]))
    if arguments.results:
        note = "A word of each line, struck out or underlined by code. The thresholds were chosen on such lines, with other strokes."
        write_results(arguments.results, COLUMNS, rows, note)


if __name__ == "__main__":
    main()
