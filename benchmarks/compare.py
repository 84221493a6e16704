"""Times two checkouts of this project in turn, in one run: `python -m benchmarks.compare ../other-checkout`.

Each round starts a new process in one checkout, then one in the other, so that a machine that gets slower in between
slows both. A process imports, loads both checkpoints, and reads drawn lines, a formula, and a photographed page, all
made by its own code from the same seeds. `--results docs/results` also writes the documentation's table.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.memory import photo
from training.evaluation.results import Cell, markdown, write_results

ROOT = Path(__file__).resolve().parents[1]
HERE, THERE = "this checkout", "the other"

# Only what both checkouts have: the public functions, and the pens that write by script.
PROGRAM = """
import json, re, statistics, sys, time
begun = time.perf_counter()
from hwr_core import PreprocessSettings, load_recognizer, open_image, read_ink, read_page
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line

def median(call, times):
    call()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds)

words = ["meet me at the station at 7:30"]
strokes = write(words[0], slant=0.1, unsteadiness=0.006)
text = load_recognizer("text")
read_ink(strokes, text)
found = {"a new process to its first reading": 1000 * (time.perf_counter() - begun)}
found["a drawn line, greedy"] = median(lambda: read_ink(strokes, text, beams=1), 15)
found["a drawn line, four beams"] = median(lambda: read_ink(strokes, text, beams=4), 15)
lines = [render_line(write(words[0], slant=0.1, unsteadiness=0.006, seed=seed), 96, 5) for seed in range(32)]
found["32 lines in batches, four beams"] = median(lambda: text.read(lines, 4), 2)
page = open_image(sys.argv[1])
found["a photographed page of 24 lines"] = median(lambda: read_page(page, text, PreprocessSettings()), 2)
math = load_recognizer("math")
formula = write_formula()
found["a drawn formula, four beams"] = median(lambda: read_ink(formula, math, beams=4), 10)
found["peak memory"] = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps(found))
"""
OLD_NAMES = {"hwr_core.ink.handprint": "hwr_core.handprint", "hwr_core.ink.strokes": "hwr_core.ink"}  # before the rooms


def measured(checkout: Path, page: Path, threads: int) -> dict[str, float]:
    """One process in `checkout`: milliseconds of each task, and megabytes at the peak."""
    program = PROGRAM
    if not (checkout / "hwr_core" / "ink").is_dir():
        for new, old in OLD_NAMES.items():
            program = program.replace(new, old)
    variables = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(page)], cwd=checkout, env=variables, check=True, stdout=subprocess.PIPE
    )
    return json.loads(done.stdout)


def table_of(rounds: list[tuple[dict[str, float], dict[str, float]]]) -> list[list[Cell]]:
    """For each task: the median of both checkouts, and the median of the rounds' ratios."""
    rows: list[list[Cell]] = []
    for name in rounds[0][0]:
        here, there = ([run[side][name] for run in rounds] for side in (0, 1))
        ratio = statistics.median(a / b for a, b in zip(here, there, strict=True))
        unit = "MB" if name == "peak memory" else "ms"
        rows.append(
            [f"{name}, {unit}", round(statistics.median(here)), round(statistics.median(there)), round(ratio, 2)]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the root of the other checkout")
    parser.add_argument("--name", default=THERE, help="the other checkout's name in the table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result file there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.jpg"
        page.write_bytes(photo())
        rounds = [
            (
                measured(ROOT, page, arguments.threads),
                measured(arguments.other.resolve(), page, arguments.threads),
            )
            for _ in range(arguments.rounds)
        ]
    columns = ["from input to text", HERE, arguments.name, "ratio"]
    rows = table_of(rounds)
    note = f"Medians of {arguments.rounds} processes of each checkout in turn, {arguments.threads} threads."
    print(f"{markdown(columns, rows)}\n\n{note}")
    if arguments.results:
        write_results(arguments.results / "benchmark-compare.json", columns, rows, note)


if __name__ == "__main__":
    main()
