"""Trains other shapes of the text checkpoint for the same time each, and prints what they read: `python -m training.evaluation.compare_shapes --minutes 9`.

Each takes the shipped checkpoint's backbone, which stays as it is, and trains all that comes after it from nothing, with
its own rate schedule over that time, on the same stream of lines. Interrupted, it goes on with the shapes that are not
done. The table is in training/README.md.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from hwr_core import load_recognizer
from hwr_core.checkpoints.line_encoder import BLOCKS
from hwr_core.metrics import cer
from training.evaluation.lines import parameters_in, read_all
from training.evaluation.tables import comparable, print_row
from training.evaluation.timing import drawing_seconds
from training.evaluation.validation import COPISTE, FIRST_SETS, validation_lines

SHAPES = {
    "as trained: width 256, 4 + 3 layers, 48 px, characters": [],
    "encoder of 2 layers": ["--encoder-layers", "2"],
    "decoder of 1 layer": ["--decoder-layers", "1"],
    "width 384": ["--hidden", "384"],
    "lines 32 px high": ["--height", "32"],
    "lines 64 px high": ["--height", "64"],
    "byte pairs, 500 tokens": ["--bpe", "500"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=12, help="training time of each shape")
    parser.add_argument("--limit", type=int, default=150, help="lines of each validation set, chosen by chance")
    parser.add_argument("--out", type=Path, default=Path("runs/compare"))
    arguments, others = parser.parse_known_args()
    for index, options in enumerate(SHAPES.values()):
        folder = arguments.out / str(index)
        command = [
            sys.executable,
            "-m",
            "training.fit.train",
            "text",
            "--minutes",
            str(arguments.minutes),
            "--run",
            str(folder),
        ]
        subprocess.run(
            [*command, "--backbone", "models/text", "--freeze", str(len(BLOCKS)), *options, *others], check=True
        )
    print_row(["shape", "M parameters", "steps", "CER drawn", "CER Copiste", "ms a line"])
    print_row(["---"] * 6)
    for index, name in enumerate(SHAPES):
        checkpoint = arguments.out / str(index) / "checkpoint"
        recognizer = load_recognizer(str(checkpoint))
        drawn: list[tuple[str, str]] = []
        scanned: list[tuple[str, str]] = []
        for title, lines in validation_lines(recognizer, arguments.limit, FIRST_SETS).items():
            texts = [reading.text for reading in read_all(recognizer, [image for image, _ in lines], 1, name)]
            (scanned if title == COPISTE else drawn).extend(zip((text for _, text in lines), texts, strict=True))
        rates = [
            cer(*zip(*((comparable(a), comparable(b)) for a, b in pairs), strict=True)) for pairs in (drawn, scanned)
        ]
        parameters = parameters_in(checkpoint) / 1e6
        steps = json.loads((arguments.out / str(index) / "state.json").read_text(encoding="utf-8"))["step"]
        print_row(
            [
                name,
                f"{parameters:.1f}",
                f"{steps:.0f}",
                *(f"{rate:.1%}" for rate in rates),
                f"{1000 * drawing_seconds(recognizer):.0f}",
            ]
        )


if __name__ == "__main__":
    main()
