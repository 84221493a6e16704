"""A math run's learning curve: how a fixed sample of 300 formulas that nobody trains on is read by the moving average, time and again.

    python -m training.formula_curve runs/math docs/results/math_learning_curve.json                  # one row more, now
    python -m training.formula_curve runs/math docs/results/math_learning_curve.json --every 60       # until interrupted
    python -m training.formula_curve models/math docs/results/math_learning_curve.json --note start   # a checkpoint's folder does as well

The share that is wholly right of formulas by the CROHME writers kept for choices, of formulas drawn by script, of the thirty with rows, of large
numbers, and of Detexify's signs kept aside. Greedily and without a language model: the rows are to be compared with one another, not with the model card. Of a run, each
checkpoint that was read is kept in `kept/`, for `training.average`.
"""

import argparse
import datetime
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from hwr_core import load_recognizer, read_ink
from hwr_core.metrics import edit_distance
from hwr_core.recognizer import Recognizer
from tests.ink.formulas import formulas
from tests.ink.matrices import large_numbers, matrices
from training.crohme import crohme
from training.curve import append, sample_of, snapshot
from training.detexify import detexify
from training.evaluate_math import Sign, tokens_of
from training.formula_symbols import EXTRA, SECOND

SAMPLE = {"dev": 150, "drawn": 50, "matrices": 30, "large numbers": 20, "signs": 50}  # formulas of each set
COMMAND = "python -m training.formula_curve RUN RESULTS"


def sample() -> dict[str, Sequence]:
    """The formulas of each set, always the same."""
    written = {*EXTRA, *SECOND}  # the signs that CROHME has few or none of
    signs = [Sign([token], strokes) for token, flourished, strokes in detexify("val") if token in written and not flourished]
    sets = {"dev": crohme("dev"), "drawn": formulas(), "matrices": matrices(), "large numbers": large_numbers(), "signs": signs}
    return {name: sample_of(sets[name], count) for name, count in SAMPLE.items()}


def rates(recognizer: Recognizer) -> dict[str, float]:
    """Of each set the share of formulas whose tokens are all right; of `dev` also the share with at most two wrong."""
    recognizer.decoding = replace(recognizer.decoding, language_model_weight=0.0)
    found = {}
    for name, given in sample().items():
        read = [tokens_of(read_ink(formula.strokes, recognizer, beams=1).text) for formula in given]
        distances = [edit_distance(formula.tokens, tokens) for formula, tokens in zip(given, read, strict=True)]
        found[name] = round(distances.count(0) / len(distances), 4)
        if name == "dev":
            found["dev, up to two wrong"] = round(sum(distance <= 2 for distance in distances) / len(distances), 4)
    return found


def measure(folder: Path, note: str | None = None) -> dict:
    """One row: of a run, or of a checkpoint's folder."""
    row: dict = {"date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes")}
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = folder
        if (folder / "state.json").exists():
            checkpoint = Path(scratch) / "checkpoint"
            record = snapshot(folder, checkpoint)
            row |= {"step": int(record["step"]), "minutes": round(record["seconds"] / 60, 1)}
            shutil.copytree(checkpoint, folder / "kept" / f"{row['step']:06d}", dirs_exist_ok=True)
        if note:
            row["note"] = note
        return row | {"right": rates(load_recognizer(str(checkpoint), backend="torch"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a run's folder, or a checkpoint's")
    parser.add_argument("results", type=Path, help="the JSON file that gets the row")
    parser.add_argument(
        "--every", type=float, metavar="MINUTES", help="again after so long, until interrupted; the same step is not read twice"
    )
    parser.add_argument("--note", help="what is special about this row")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    done = None
    while True:
        state = arguments.folder / "state.json"
        step = json.loads(state.read_text(encoding="utf-8"))["step"] if state.exists() else None
        if not arguments.every or (step is not None and step != done):
            row = measure(arguments.folder, arguments.note)
            append(arguments.results, row, SAMPLE, COMMAND)
            print(json.dumps(row), flush=True)
            done = row.get("step")
        if not arguments.every:
            return
        time.sleep(60 * arguments.every)


if __name__ == "__main__":
    main()
