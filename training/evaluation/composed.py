"""How much of composed pages is read, reported as unread, lost or invented: `python -m training.evaluate composed`.

300 pages of ten kinds (`composed_pages.py`), beside `rapidocr` reading the same pages whole. `--keep FOLDER` keeps the
readings, so that a reader that did not change is not asked again, and a run that was stopped goes on.
"""

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hwr_core.pipeline import read_page
from hwr_core.recognizer import Recognizer
from training.evaluation.composed_pages import KINDS, ComposedPage, composed
from training.evaluation.ink_account import Account, Box, ReadLine, account
from training.evaluation.results import Cell, Table, percent, share

PAGES = 300
PageReading = tuple[list[ReadLine], Sequence[Box]]
Reader = Callable[[ComposedPage], PageReading]


def by_recognizer(recognizer: Recognizer, beams: int | None) -> Reader:
    def read(page: ComposedPage) -> PageReading:
        found = read_page(page.image, recognizer, beams=beams)
        return [ReadLine(line.reading.text, line.box) for line in found.lines], getattr(found, "unread", ())

    return read


def by_rapidocr() -> Reader:
    from rapidocr import RapidOCR
    from rapidocr.utils.output import RapidOCROutput

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else -1
    engine = RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": cores})

    def read(page: ComposedPage) -> PageReading:
        found = engine(np.asarray(page.image)[..., ::-1].copy())
        assert isinstance(found, RapidOCROutput)  # detection and recognition were both asked for
        lines = []
        for corners, text in zip([] if found.boxes is None else found.boxes, found.txts or (), strict=True):
            (left, top), (right, bottom) = np.min(corners, 0).tolist(), np.max(corners, 0).tolist()
            lines.append(ReadLine(text, (left, top, right, bottom)))
        return lines, ()

    return read


def timed(read: Reader, page: ComposedPage, kept: Path | None) -> tuple[PageReading, float | None]:
    """A page's reading and its seconds. A reading that is kept has none: another run made it, on another load.

    Args:
        read: Reads the page unless its reading is kept.
        page: To read.
        kept: The file of its reading, written if it does not hold this page's. None: nothing is kept.
    """
    picture = hashlib.sha256(page.image.tobytes()).hexdigest()
    if kept is not None and kept.exists() and (found := json.loads(kept.read_text("utf-8")))["picture"] == picture:
        return ([ReadLine(text, tuple(box)) for text, box in found["lines"]], found["unread"]), None
    started = time.perf_counter()
    lines, unread = read(page)
    seconds = time.perf_counter() - started
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        content = {"picture": picture, "lines": [(line.text, line.box) for line in lines], "unread": list(unread)}
        kept.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return (lines, unread), seconds


@dataclass
class Count:
    """What became of the writing on some pages, and how long it took; `seconds` is None if a reading was kept."""

    account: Account = field(default_factory=Account)
    seconds: float | None = 0.0
    pages: int = 0

    def add(self, found: Account, seconds: float | None) -> None:
        self.account.add(found)
        self.seconds = None if self.seconds is None or seconds is None else self.seconds + seconds
        self.pages += 1


COLUMNS = (
    "kind of page", "words", "lost %", "reported %", "invented %", "right neighbour %", "CER % in order", "CER % in any order", "seconds a page"
)  # fmt: skip


def evaluate_composed(recognizer: Recognizer, arguments: argparse.Namespace) -> list[Table]:
    """Makes one table a reader: a row for each kind of page, and one for all. A page is composed when it is read."""
    seeds = range(arguments.limit or PAGES)
    readers = {}
    if not arguments.others:
        readers[""] = by_recognizer(recognizer, arguments.beams)
    if not arguments.alone:
        readers["rapidocr"] = by_rapidocr()
    counts = {name: {kind: Count() for kind in (*KINDS, "all")} for name in readers}
    for seed in tqdm(seeds, "composed", leave=False):
        page = composed(seed)
        for name, read in readers.items():
            kept = arguments.keep and arguments.keep / (name or arguments.model) / f"{seed}.json"
            reading, taken = timed(read, page, kept)
            found = account(page, *reading)
            for kind in (page.kind, "all"):
                counts[name][kind].add(found, taken)
            if arguments.misses and found.misses:
                print(f"{seed} {page.kind} {name}".strip(), *found.misses, sep="\n    ", flush=True)
    return [
        Table(name, COLUMNS, [row(kind, count) for kind, count in kinds.items() if count.pages])
        for name, kinds in counts.items()
    ]


def row(kind: str, count: Count) -> list[Cell]:
    """A row of the table: the shares in percent."""
    found = count.account
    shares = (
        share(found.lost, found.words), share(found.reported, found.words), share(found.invented, found.characters),
        share(found.right_neighbours, found.neighbours), share(found.ordered_edits, found.characters),
        share(found.edits, found.characters),
    )  # fmt: skip
    seconds = None if count.seconds is None else round(count.seconds / count.pages, 1)
    return [kind, found.words, *map(percent, shares), seconds]
