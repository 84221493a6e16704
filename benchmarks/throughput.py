"""Measures lines a second, the time of a page, and several users at once: `python -m benchmarks.throughput`.

48 drawn lines go through the shipped checkpoint, one at a time and in batches. Beside it run the usual demo (see `latency.py`),
PP-OCRv6-small (`rapidocr`) and Tesseract, one line at a time. Then come a page of 24 lines, and 1, 4 and 16 users who each send
drawings to the real server, one after the other. `--results docs/results` also writes the documentation's tables.
"""

import argparse
import json
import statistics
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.latency import usual_demo
from benchmarks.memory import photo
from benchmarks.serving import server
from hwr_core import load_recognizer, open_image, read_page
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.memory import keep_heaps_few
from training.evaluation.peers import peers
from training.evaluation.results import Cell, markdown, write_results
from training.evaluation.timing import TEXT

COUNT = 48
REQUESTS = 8  # of each user


def per_second(call: Callable[[], object], count: int) -> float:
    """How many of `count` items the call processes in a second."""
    started = time.perf_counter()
    call()
    return count / (time.perf_counter() - started)


def ask(address: str, strokes: list) -> tuple[float, int, str]:
    """Sends one drawing. Returns the seconds, the status (0 without an answer) and the text."""
    body = json.dumps({"strokes": strokes, "beams": 1}).encode()
    request = urllib.request.Request(f"{address}/api/ink", body, {"content-type": "application/json"})
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return time.perf_counter() - started, answer.status, json.load(answer)["text"]
    except OSError as error:  # refused, dropped or too late
        return time.perf_counter() - started, getattr(error, "code", 0), ""


def users_rows() -> list[list[Cell]]:
    """For each number of users: lost requests, all requests, p50 and p95 in ms, requests a second."""
    strokes = [stroke.tolist() for stroke in write(TEXT, slant=0.1, unsteadiness=0.006)]
    rows: list[list[Cell]] = []
    with server() as (address, _):
        _, _, expected = ask(address, strokes)
        for users in (1, 4, 16):
            with ThreadPoolExecutor(users) as threads:
                started = time.perf_counter()
                answers = list(threads.map(lambda _: ask(address, strokes), range(users * REQUESTS)))
                seconds = time.perf_counter() - started
            times = sorted(1000 * answer[0] for answer in answers)
            lost = sum(answer[1:] != (200, expected) for answer in answers)
            p95 = times[int(np.ceil(0.95 * len(times))) - 1]
            rate = round(len(answers) / seconds, 1)
            rows.append([users, lost, len(answers), round(statistics.median(times)), round(p95), rate])
    return rows


def read_one(recognizer: Recognizer, beams: int, image: Image.Image) -> object:
    return recognizer.read([image], beams)


def lines_rows(recognizer: Recognizer) -> list[list[Cell]]:
    """For each way of reading `COUNT` lines: lines a second, and that in times of the usual demo."""
    images = [render_line(write(TEXT, slant=0.1, unsteadiness=0.006, seed=seed), 96, 5) for seed in range(COUNT)]
    recognizer.read(images[:8])
    rates: list[tuple[str, float]] = []

    def measure(name: str, call: Callable[[], object], count: int = COUNT) -> None:
        rates.append((name, per_second(call, count)))

    def one_at_a_time(read: Callable[[Image.Image], object]) -> None:
        for image in images:
            read(image)

    for name, beams in (("greedy", 1), ("four beams", 4)):
        measure(f"one at a time, {name}", partial(one_at_a_time, partial(read_one, recognizer, beams)))
        measure(f"batched, {name}", partial(recognizer.read, images, beams))
    for name, reader in peers().items():
        reader(images[0])
        measure(f"{name}, one at a time", partial(one_at_a_time, reader))
    demo = usual_demo()
    demo()
    measure("the usual demo, one at a time", lambda: [demo() for _ in range(8)], 8)
    return [[name, round(rate, 1), round(rate / rates[-1][1], 1)] for name, rate in rates]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result files there")
    folder = parser.parse_args().results
    keep_heaps_few()  # as the server does

    def show(name: str, columns: list[str], rows: list[list[Cell]], note: str = "") -> None:
        print(f"{markdown(columns, rows)}\n\n{note}")
        print()
        if folder:
            write_results(folder / f"{name}.json", columns, rows, note)

    recognizer = load_recognizer("text")
    columns = [f"lines of {len(TEXT)} characters", "lines a second", "times the demo's speed"]
    show("benchmark-throughput", columns, lines_rows(recognizer))
    page = open_image(photo())
    found = len(read_page(page, recognizer).lines)
    seconds = round(1 / per_second(lambda: read_page(page, recognizer), 1), 1)
    row: list[Cell] = [f"a photographed page of 12 megapixels, {found} lines found, four beams", seconds]
    show("benchmark-page", ["page", "seconds"], [row])
    columns = ["users at once", "requests lost", "requests", "p50 ms", "p95 ms", "requests a second"]
    show("benchmark-users", columns, users_rows(), f"Each user sends {REQUESTS} drawings, one after the other; greedy.")


if __name__ == "__main__":
    main()
