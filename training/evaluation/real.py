"""Real photos and scans, of which nothing was trained on: `python -m training.evaluate real`.

The notes, forms, letters and formulas of `../shared/data/real`. The order of a letter's transcript, and its letterhead,
are not always those of the page. So a second character error rate compares each line with the line that is most like
it, wherever it stands.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image
from tqdm import tqdm

from hwr_core import load_recognizer, read_page
from hwr_core.decoding.latex import canonical, pieces
from hwr_core.errors import HandwritingError
from hwr_core.metrics import edit_distance
from hwr_core.pipeline import read_picture
from hwr_core.recognizer import Recognizer
from training.data.datasets import DATA
from training.evaluation.cases import rows_of
from training.evaluation.results import Table, percent, share
from training.evaluation.tables import comparable


@dataclass
class Edits:
    """The edits of a set of pictures.

    Attributes:
        pictures: How many were read.
        characters: Those of the transcripts, with single spaces.
        in_order: Edits between the whole texts.
        in_any_order: Edits between lines that are most alike, or of a picture's whole text where that has fewer, as
            when a line was read as two.
    """

    pictures: int = 0
    characters: int = 0
    in_order: int = 0
    in_any_order: int = 0

    def add(self, truth: Sequence[str], lines: Sequence[str]) -> None:
        """Adds one picture: the lines of its transcript, and the lines that were read."""
        whole = " ".join(truth)
        self.pictures += 1
        self.characters += len(whole)
        in_order = edit_distance(whole, " ".join(lines))
        self.in_order += in_order
        self.in_any_order += min(in_order, edits_in_any_order(truth, lines))


def edits_in_any_order(truth: Sequence[str], lines: Sequence[str]) -> int:
    """Edits between lines that are paired, the most alike first; lines without a pair count whole.

    Args:
        truth: the lines of the transcript.
        lines: the lines that were read, in any order.

    Returns:
        Insertions, deletions and substitutions of characters.
    """
    distances = {(i, j): edit_distance(a, b) for i, a in enumerate(truth) for j, b in enumerate(lines)}
    likeness = {pair: edits / max(1, len(truth[pair[0]]), len(lines[pair[1]])) for pair, edits in distances.items()}
    left, others, edits = set(range(len(truth))), set(range(len(lines))), 0
    for i, j in sorted(distances, key=lambda pair: likeness[pair]):
        if i in left and j in others:
            left.discard(i)
            others.discard(j)
            edits += distances[i, j]
    return edits + sum(len(truth[i]) for i in left) + sum(len(lines[j]) for j in others)


def evaluate_real(recognizer: Recognizer, arguments: argparse.Namespace) -> list[Table]:
    """Reads all pictures. Returns a table of the character error rates by set; `math` reads the formulas."""
    folder = DATA / "real"
    records = [json.loads(row) for row in (folder / "real.jsonl").read_text(encoding="utf-8").splitlines()]
    readers = _readers(recognizer, load_recognizer("math"), arguments.beams)
    sets: dict[str, Edits] = {}
    for record in tqdm(records[: arguments.limit], "real", leave=False):
        in_form = formula_in_form if record["kind"] == "formula" else comparable
        truth = [in_form(line) for line in record["text"].split("\n")]
        lines = [in_form(line) for line in readers[record["kind"]](Image.open(folder / record["image"]))]
        sets.setdefault(record["set"], Edits()).add(truth, lines)
        if arguments.misses and lines != truth:
            print(record["image"], *(f"    {line}" for line in lines), sep="\n")
    columns = ["real pictures", "pictures", "characters", "CER %, in order", "CER %, in any order"]
    return [Table("", columns, [_row(name, found) for name, found in sets.items()])]


def formula_in_form(text: str) -> str:
    """A formula in its canonical form; a text that is no formula stays as it is."""
    try:
        return "".join(pieces(canonical(text)))
    except HandwritingError:
        return text


def _readers(text: Recognizer, math: Recognizer, beams: int | None) -> dict[str, Callable[[Image.Image], list[str]]]:
    return {
        "page": lambda image: rows_of(read_page(image, text, beams=beams)),
        "line": lambda image: [text.read([image], beams=beams)[0].text],
        "formula": lambda image: rows_of(read_picture(lambda: image, math, "formula", beams=beams)),
    }


def _row(name: str, found: Edits) -> list[str | int | float | None]:
    rates = (share(found.in_order, found.characters), share(found.in_any_order, found.characters))
    return [name, found.pictures, found.characters, *map(percent, rates)]
