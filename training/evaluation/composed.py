"""How much of composed pages is read, reported as unread, lost or invented: `python -m training.evaluate composed`.

300 pages of ten kinds (`composed_pages.py`), beside `rapidocr` reading the same pages whole.
"""

import argparse
import time
from collections.abc import Callable, Sequence

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


COLUMNS = (
    "kind of page", "words", "lost %", "reported %", "invented %", "right neighbour %", "CER % in order", "CER % in any order", "seconds a page"
)  # fmt: skip


def evaluate_composed(recognizer: Recognizer, arguments: argparse.Namespace) -> list[Table]:
    """Makes one table a reader: a row for each kind of page, and one for all."""
    pages = [composed(seed) for seed in range(arguments.limit or PAGES)]
    readers = {"": by_recognizer(recognizer, arguments.beams)}
    if not arguments.alone:
        readers["rapidocr"] = by_rapidocr()
    tables = []
    for name, read in readers.items():
        kinds = {kind: Account() for kind in (*KINDS, "all")}
        seconds = dict.fromkeys(kinds, 0.0)
        counts = dict.fromkeys(kinds, 0)
        for page in tqdm(pages, name, leave=False):
            started = time.perf_counter()
            read_lines = read(page)
            taken = time.perf_counter() - started
            found = account(page, *read_lines)
            for kind in (page.kind, "all"):
                kinds[kind].add(found)
                seconds[kind] += taken
                counts[kind] += 1
            if arguments.misses:
                print(page.kind, *found.misses, sep="\n    ")
        rows = [row(kind, found, seconds[kind] / counts[kind]) for kind, found in kinds.items() if found.words]
        tables.append(Table(name, COLUMNS, rows))
    return tables


def row(kind: str, found: Account, seconds: float) -> list[Cell]:
    """A row of the table: the shares in percent."""
    shares = (
        share(found.lost, found.words), share(found.reported, found.words), share(found.invented, found.characters),
        share(found.right_neighbours, found.neighbours), share(found.ordered_edits, found.characters),
        share(found.edits, found.characters),
    )  # fmt: skip
    return [kind, found.words, *map(percent, shares), round(seconds, 1)]
