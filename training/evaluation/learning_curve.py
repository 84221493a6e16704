"""A run's learning curve: how a fixed sample of 300 validation lines is read by the moving average, time and again.

    python -m training.evaluation.learning_curve runs/text docs/results/text-learning-curve.json                  # one row more, now
    python -m training.evaluation.learning_curve runs/text docs/results/text-learning-curve.json --every 60       # until interrupted
    python -m training.evaluation.learning_curve models/text docs/results/text-learning-curve.json --note start   # a checkpoint's folder does as well

Greedily and without a language model: the rows are to be compared with one another, not with the model card. Of a run, each checkpoint that was
read is kept in `kept/`, for `training.fit.average`.
"""

import argparse
import datetime
import io
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from hwr_core import load_recognizer
from hwr_core.ink.strokes import level, render_line
from hwr_core.metrics import cer
from hwr_core.recognizer import Recognizer
from training.data.datasets import iam_ondb, scans
from training.evaluation.results import write_results
from training.evaluation.tables import comparable

SAMPLE = {"val_v": 50, "val_t": 50, "copiste": 75, "dhsd": 75, "tables": 25, "numbers": 25}  # lines of each set
SETTLED = 20  # seconds after which a saved state is whole
WAIT = 15  # seconds between two looks at a run that is saving


@dataclass(frozen=True)
class Curve:
    """What a learning curve measures.

    Attributes:
        command: The command that adds rows.
        headings: Each rate's name, and its column's heading.
        note: What a reader must know about the sample.
        rates: Reads the sample, and returns each rate by its name, 0 to 1.
    """

    command: str
    headings: dict[str, str]
    note: str
    rates: Callable[[Recognizer], dict[str, float]]


def counts_of(sample: dict[str, int]) -> str:
    """The size of each set, for a note: `val_v 50, val_t 50`."""
    return ", ".join(f"{name} {count}" for name, count in sample.items())


def sample_of(lines: Sequence, count: int) -> list:
    return random.Random(300).sample(list(lines), min(count, len(lines)))


def sample(recognizer: Recognizer) -> dict[str, list[tuple[Image.Image, str]]]:
    """The pictures and texts of each set, always the same lines; ink is drawn as the recognizer wants it."""
    found = {}
    for name, count in SAMPLE.items():
        if name.startswith("val_"):
            lines = sample_of(iam_ondb(name), count)
            height, width = recognizer.ink_height, recognizer.ink_stroke_width
            found[name] = [(render_line(level(line.strokes), height, width), line.text) for line in lines]
        else:
            lines = sample_of(scans(name, "val"), count)
            found[name] = [(Image.open(io.BytesIO(line.jpeg)), line.text) for line in lines]
    return found


def rates(recognizer: Recognizer) -> dict[str, float]:
    """The character error rate of each set and, as their mean, of `all`."""
    recognizer = recognizer.with_decoding(language_model_weight=0.0)
    found = {}
    for name, lines in sample(recognizer).items():
        texts = [comparable(reading.text) for reading in recognizer.read([image for image, _ in lines], beams=1)]
        found[name] = round(cer([comparable(text) for _, text in lines], texts), 4)
    found["all"] = round(sum(found.values()) / len(found), 4)
    return found


def snapshot(run: Path, target: Path) -> dict:
    """Copies the run's last checkpoint to `target`, whole, and returns the state's record; waits while the run is saving."""
    while True:
        if time.time() - (run / "state.json").stat().st_mtime > SETTLED:
            before = (run / "state.json").read_bytes()
            shutil.copytree(run / "checkpoint", target, dirs_exist_ok=True)
            if (run / "state.json").read_bytes() == before:
                return json.loads(before)
        time.sleep(WAIT)


TEXT = Curve(
    "python -m training.evaluation.learning_curve RUN RESULTS",
    {**{name: f"{name} CER %" for name in SAMPLE}, "all": "mean CER %"},
    "A fixed sample of validation lines, read by the moving average, greedily and without a language model. "
    f"Lines of each set: {counts_of(SAMPLE)}.",
    rates,
)


def measure(folder: Path, curve: Curve, note: str | None = None) -> dict:
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
        return row | {"rates": curve.rates(load_recognizer(str(checkpoint), backend="torch"))}


def append(path: Path, row: dict, curve: Curve) -> None:
    """Adds a row to a result file, which is made where there is none."""
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    at_step = f"step {row['step']:,}" if "step" in row else ""
    name = ", ".join(filter(None, (at_step, row.get("note"))))
    percent = [round(100 * row["rates"][key], 2) for key in curve.headings]
    columns = ["checkpoint", "minutes of training", *curve.headings.values(), "read at"]
    write_results(path, columns, [*rows, [name, row.get("minutes"), *percent, row["date"]]], curve.note, curve.command)


def follow(curve: Curve, description: str | None) -> None:
    """The command of a learning curve: adds one row, or one whenever `--every` minutes have passed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a run's folder, or a checkpoint's")
    parser.add_argument("results", type=Path, help="the JSON file that gets the row")
    parser.add_argument(
        "--every",
        type=float,
        metavar="MINUTES",
        help="repeat after so many minutes, until interrupted; the same step is not read twice",
    )
    parser.add_argument("--note", help="what is special about this row")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    done = None
    while True:
        state = arguments.folder / "state.json"
        step = json.loads(state.read_text(encoding="utf-8"))["step"] if state.exists() else None
        if step is None or step != done:
            row = measure(arguments.folder, curve, arguments.note)
            append(arguments.results, row, curve)
            print(json.dumps(row), flush=True)
            done = row.get("step")
        if not arguments.every:
            return
        time.sleep(60 * arguments.every)


if __name__ == "__main__":
    follow(TEXT, __doc__)
