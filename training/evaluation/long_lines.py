"""How well long drawn lines are read: `python -m training.evaluation.long_lines`.

Words drawn in the five hands of `training.evaluation.drawn`, 40 to 200 characters to a line. The text must not get worse with the length.
"""

import argparse
import random
from pathlib import Path

from hwr_core import load_recognizer, read_ink
from hwr_core.metrics import cer
from training.evaluation.drawn import STYLES, write
from training.evaluation.results import Cell, markdown, percent, write_results

LENGTHS = (40, 80, 120, 160, 200)  # characters
WORDS = (
    "the letter came on monday and we read it at the long table near the window while rain fell over the garden "
    "please bring two bottles of milk some bread and the small blue notebook from my desk before noon thank you"
).split()


def line(length: int, seed: int) -> str:
    """Words at random, `length` characters or a few less."""
    rng, words = random.Random(seed), ["and"]
    while sum(map(len, words)) + len(words) < length:
        words.append(rng.choice(WORDS))
    return " ".join(words)[:length].rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text", help="a checkpoint as load_recognizer takes it")
    parser.add_argument("--lines", type=int, default=20, help="of each length")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result file there")
    arguments = parser.parse_args()
    recognizer = load_recognizer(arguments.model)
    rows: list[list[Cell]] = []
    for length in LENGTHS:
        truths = [line(length, seed) for seed in range(arguments.lines)]
        drawn = [write(text, STYLES[seed % len(STYLES)], seed) for seed, text in enumerate(truths)]
        found = [read_ink(strokes, recognizer).text.replace("\n", " ") for strokes in drawn]
        rows.append([length, len(truths), percent(cer(truths, found))])
    columns = ["characters", "lines", "CER %"]
    print(markdown(columns, rows))
    if arguments.results:
        write_results(arguments.results / "evaluation-long-lines.json", columns, rows, f"Checkpoint {arguments.model}.")


if __name__ == "__main__":
    main()
