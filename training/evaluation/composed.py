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
from training.evaluation.tables import print_row

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


def evaluate_composed(recognizer: Recognizer, arguments: argparse.Namespace) -> None:
    """Prints one table a reader: a row for each kind of page, and one for all."""
    pages = [composed(seed) for seed in range(arguments.limit or PAGES)]
    readers = {recognizer.name: by_recognizer(recognizer, arguments.beams)}
    if not arguments.alone:
        readers["rapidocr"] = by_rapidocr()
    for name, read in readers.items():
        started = time.perf_counter()
        kinds = {kind: Account() for kind in (*KINDS, "all")}
        for page in tqdm(pages, name, leave=False):
            found = account(page, *read(page))
            kinds[page.kind].add(found)
            kinds["all"].add(found)
            if arguments.misses:
                print(page.kind, *found.misses, sep="\n    ")
        seconds = (time.perf_counter() - started) / len(pages)
        print_table(f"{len(pages)} pages, {name}, {seconds:.1f} s a page", kinds)


def print_table(title: str, kinds: dict[str, Account]) -> None:
    print_row([title, "words", "lost", "reported", "invented", "right neighbour", "CER in order", "CER in any order"])
    print_row(["---"] * 8)
    for kind, found in kinds.items():
        if found.words:
            shares = (
                found.lost / found.words, found.reported / found.words, found.invented / found.characters,
                found.right_neighbours / max(1, found.neighbours), found.ordered_edits / found.characters,
                found.edits / found.characters,
            )  # fmt: skip
            print_row([kind, str(found.words), *(f"{share:.1%}" for share in shares)])
    print()
