"""How sure a greedy reading must be for beams not to find another: `python -m training.evaluation.beam_threshold`, for `hwr_core.decoding.decode.SURE`.

Reads some lines of each validation set greedily, and with four beams whatever the greedy reading is like, and prints by the greedy reading's confidence how
often the two differ, and which is right where they do.
"""

import argparse
from itertools import pairwise
from unittest import mock

from hwr_core import load_recognizer
from hwr_core.decoding import decode
from training.evaluation.lines import read_all
from training.evaluation.tables import comparable, print_row
from training.evaluation.validation import validation_lines

EDGES = (0.0, 0.5, 0.7, 0.8, 0.85, 0.9, 1.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=200, help="lines of each validation set, chosen by chance")
    recognizer = load_recognizer("text")
    found = []
    for name, lines in validation_lines(recognizer, parser.parse_args().limit).items():
        images = [image for image, _ in lines]
        greedy = read_all(recognizer, images, 1, name)
        with mock.patch.object(decode, "SURE", 1.0), mock.patch.object(decode, "LIKELY", 1.0):
            beams = read_all(recognizer, images, 4, name)
        found += [
            (one.confidence, one.text, four.text, text)
            for one, four, (_, text) in zip(greedy, beams, lines, strict=True)
        ]
    print_row(["greedy confidence", "lines", "another text with four beams", "there right: greedy", "four beams"])
    print_row(["---"] * 5)
    for low, high in pairwise(EDGES):
        part = [row[1:] for row in found if low <= row[0] < high]
        differ = [[comparable(text) for text in row] for row in part if row[0] != row[1]]
        right = [sum(row[reader] == row[2] for row in differ) for reader in (0, 1)]
        print_row([f"{low} to {min(high, 1.0)}", f"{len(part)}", f"{len(differ)}", *map(str, right)])


if __name__ == "__main__":
    main()
