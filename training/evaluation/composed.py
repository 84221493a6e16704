"""How much of composed pages is read, reported as unread, lost or invented: `python -m training.evaluate composed`.

300 pages of ten kinds (`composed_pages.py`), beside `rapidocr` reading the same pages whole.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from hwr_core.pipeline import read_page
from hwr_core.recognizer import Recognizer
from training.evaluation.composed_pages import KINDS, ComposedPage, composed
from training.evaluation.ink_account import Account, Box, ReadLine, account
from training.evaluation.results import Cell, Table, percent, share

PAGES = 300
Reader = Callable[[ComposedPage], tuple[list[ReadLine], Sequence[Box]]]


def by_recognizer(recognizer: Recognizer, beams: int | None) -> Reader:
    def read(page: ComposedPage) -> tuple[list[ReadLine], Sequence[Box]]:
        found = read_page(page.image, recognizer, beams=beams)
        return [ReadLine(line.reading.text, line.box) for line in found.lines], getattr(found, "unread", ())

    return read


def by_rapidocr() -> Reader:
    from rapidocr import RapidOCR
    from rapidocr.utils.output import RapidOCROutput

    engine = RapidOCR(params={"Global.log_level": "error"})

    def read(page: ComposedPage) -> tuple[list[ReadLine], Sequence[Box]]:
        found = engine(np.asarray(page.image)[..., ::-1].copy())
        assert isinstance(found, RapidOCROutput)  # detection and recognition were both asked for
        lines = []
        for corners, text in zip([] if found.boxes is None else found.boxes, found.txts or (), strict=True):
            (left, top), (right, bottom) = np.min(corners, 0).tolist(), np.max(corners, 0).tolist()
            lines.append(ReadLine(text, (left, top, right, bottom)))
        return lines, ()

    return read


@dataclass
class Count:
    """What became of the writing on some pages, and how long it took."""

    account: Account = field(default_factory=Account)
    seconds: float = 0.0
    pages: int = 0

    def add(self, found: Account, seconds: float) -> None:
        self.account.add(found)
        self.seconds += seconds
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
            started = time.perf_counter()
            read_lines = read(page)
            taken = time.perf_counter() - started
            found = account(page, *read_lines)
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
    return [kind, found.words, *map(percent, shares), round(count.seconds / count.pages, 1)]
