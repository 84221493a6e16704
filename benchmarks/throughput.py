"""Lines a second, a page, and several users at once: `python -m benchmarks.throughput`.

48 drawn lines through the shipped checkpoint, one at a time and in batches, beside the usual demo (see `latency.py`), PP-OCRv6-small (`rapidocr`)
and Tesseract, one at a time as they are used; a page of 24 lines; then 1, 4 and 16 users who each send drawings to the real server, one after the other.
"""

import argparse
import json
import statistics
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.latency import usual_demo
from benchmarks.memory import photo
from benchmarks.serving import server
from hwr_core import load_recognizer, open_image, read_page
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.runtime.memory import keep_heaps_few
from training.evaluation.peers import peers
from training.evaluation.timing import TEXT

COUNT = 48
REQUESTS = 8  # of each user


def per_second(call: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    call()
    return count / (time.perf_counter() - started)


def ask(address: str, strokes: list) -> tuple[float, int, str]:
    """Seconds, status and text of one request; the status is 0 where there was no answer."""
    body = json.dumps({"strokes": strokes, "beams": 1}).encode()
    request = urllib.request.Request(f"{address}/api/ink", body, {"content-type": "application/json"})
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return time.perf_counter() - started, answer.status, json.load(answer)["text"]
    except OSError as error:  # refused, dropped or too late
        return time.perf_counter() - started, getattr(error, "code", 0), ""


def users_table() -> None:
    strokes = [stroke.tolist() for stroke in write(TEXT, slant=0.1, unsteadiness=0.006)]
    print("\n| users at once | requests | lost | p50 ms | p95 ms | requests a second |\n|---|---|---|---|---|---|")
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
            print(
                f"| {users} | {len(answers)} | {lost} | {statistics.median(times):.0f} | {p95:.0f} | {len(answers) / seconds:.1f} |"
            )


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    keep_heaps_few()  # as the server does
    recognizer = load_recognizer("text")
    images = [render_line(write(TEXT, slant=0.1, unsteadiness=0.006, seed=seed), 96, 5) for seed in range(COUNT)]
    recognizer.read(images[:8])
    rows = []
    for name, beams in (("greedy", 1), ("4 beams", 4)):
        rows.append(
            (
                f"text, one at a time, {name}",
                per_second(lambda beams=beams: [recognizer.read([image], beams) for image in images], COUNT),
            )
        )
        rows.append((f"text, batched, {name}", per_second(lambda beams=beams: recognizer.read(images, beams), COUNT)))
    for name, reader in peers().items():
        reader(images[0])
        rows.append(
            (f"{name}, one at a time", per_second(lambda reader=reader: [reader(image) for image in images], COUNT))
        )
    demo = usual_demo()
    demo()
    rows.append(("the usual demo, one at a time", per_second(lambda: [demo() for _ in range(8)], 8)))
    print(f"| lines of {len(TEXT)} characters | a second | times the demo's |\n|---|---|---|")
    for name, rate in rows:
        print(f"| {name} | {rate:.1f} | {rate / rows[-1][1]:.1f} |")
    page = open_image(photo())
    found = len(read_page(page, recognizer).lines)
    print(
        f"\nA photographed page of 12 megapixels, {found} lines found, 4 beams: {1 / per_second(lambda: read_page(page, recognizer), 1):.1f} s"
    )
    users_table()


if __name__ == "__main__":
    main()
