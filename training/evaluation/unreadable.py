"""Below which confidence a reading is no text: `python -m training.evaluation.unreadable [--model math]`.

Pictures without text (ruled and squared paper, shadows, wood, edges, scribbles, made by the training's code from seeds that it does not
use) beside lines or formulas of validation writers: for each floor, how many of both a checkpoint would call unreadable. The floor goes
into the checkpoint's `config.json` as `unreadable_below`.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from hwr_core import load_recognizer
from hwr_core.ink.formula import render_formula
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from training.data.crohme import crohme
from training.evaluation.results import Cell, markdown, percent, write_results
from training.evaluation.validation import ALL_SETS, chosen, validation_lines
from training.synthesis.blanks import blank

FLOORS = (0.3, 0.4, 0.5, 0.6, 0.7)  # of the mean confidence of the characters, geometric


def means(readings: Sequence[Reading]) -> np.ndarray:
    """The geometric mean of each reading's character confidences, (readings,) float; 0 for an empty reading."""
    values = [np.log(np.maximum(reading.character_confidences, 1e-9)) for reading in readings]
    return np.array([float(np.exp(of_line.mean())) if len(of_line) else 0.0 for of_line in values])


def written(recognizer: Recognizer, limit: int) -> dict[str, list[Image.Image]]:
    """Pictures of validation writers."""
    if recognizer.reads_formulas:
        formulas = chosen(crohme("dev"), limit)
        return {"CROHME, writers kept aside": [render_formula(formula.strokes) for formula in formulas]}
    sets = validation_lines(recognizer, limit, ALL_SETS)
    return {name: [image for image, _ in lines] for name, lines in sets.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text")
    parser.add_argument("--limit", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result file there")
    arguments = parser.parse_args()
    recognizer = load_recognizer(arguments.model).with_decoding(unreadable_below=0.0)
    rng = random.Random("pictures without text, for validation")
    pictures = {"without text": [Image.fromarray(blank(rng)) for _ in range(arguments.limit)]}
    rows: list[list[Cell]] = []
    for name, images in {**pictures, **written(recognizer, arguments.limit)}.items():
        found = means(recognizer.read(images))
        shares = [percent(float((found < floor).mean())) for floor in FLOORS]
        rows.append([name, len(images), percent(float((found == 0).mean())), *shares])
    columns = ["pictures", "number", "read as nothing, %", *(f"below {floor}, %" for floor in FLOORS)]
    print(markdown(columns, rows))
    if arguments.results:
        name = "math" if recognizer.reads_formulas else "text"
        write_results(arguments.results / f"evaluation-unreadable-{name}.json", columns, rows, f"Checkpoint {name}.")


if __name__ == "__main__":
    main()
