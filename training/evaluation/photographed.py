"""How single formulas and lines are read from photos: `python -m training.evaluation.photographed`.

CROHME's formulas by the writers kept for choices, and lines of IAM-OnDB's `val_v`, are put on paper by code and photographed
by code: a pen's uneven ink in a colour, paper in uneven light, a shadow's edge across it or printed lines under it, blur, noise,
a tilted camera, JPEG. Nothing of it is the code that draws training pictures. Each photo is read as a picture of one line
or formula (`Recognizer.read`), as a page (`read_page`) by the checkpoint for it, and as a page by `auto`.
"""

import argparse
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from hwr_core import load_recognizer, read_page
from hwr_core.ink.formula import ink_size
from hwr_core.ink.strokes import Strokes, draw, level
from hwr_core.metrics import cer
from hwr_core.reading import Page
from training.data.crohme import crohme
from training.data.datasets import iam_ondb
from training.evaluation.formulas import tokens_of
from training.evaluation.results import markdown, write_results
from training.evaluation.tables import comparable
from training.evaluation.validation import chosen

PAPERS = ("plain", "shadow", "ruled", "squared")
SYMBOL = (35.0, 60.0)  # pixels of a symbol's height
FORMULAS_STEP = 3  # every third formula is read
LINES = 160
COLUMNS = ("photos", "number", "read as one %", "as a page %", "as a page by auto %")


def photo(strokes: Strokes, seed: int, paper: str) -> Image.Image:
    """Strokes on a paper of `PAPERS`, photographed; always the same for a seed."""
    rng = np.random.default_rng(seed)
    scale = rng.uniform(*SYMBOL) / ink_size(strokes)
    margin = rng.uniform(30, 100)
    low = np.concatenate(strokes).min(0)
    placed = [(stroke - low) * scale + margin for stroke in strokes]
    width, height = (int(side + margin) for side in np.concatenate(placed).max(0))
    ink = (255.0 - draw(placed, (height, width), rng.uniform(2, 4.5))) / 255
    grain = rng.random((max(2, height // 8), max(2, width // 8))).astype(np.float32)
    ink = ink * (1 - 0.35 * cv2.resize(grain, (width, height)))
    seen = _paper(width, height, paper, rng)
    seen *= 1 - ink[..., None] * np.array([rng.uniform(0.55, 0.95), rng.uniform(0.5, 0.9), rng.uniform(0.2, 0.9)])
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.6)), float)
    seen += rng.normal(0, rng.uniform(1, 6), seen.shape)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-0.03, 0.03, (4, 2)) * (width, min(height, width / 2))
    tilted = cv2.warpPerspective(
        np.clip(seen, 0, 255).astype(np.uint8),
        cv2.getPerspectiveTransform(moved.astype(np.float32), corners),
        (width, height),
        borderMode=cv2.BORDER_REPLICATE,
    )
    packed = io.BytesIO()
    Image.fromarray(tilted).save(packed, "JPEG", quality=int(rng.uniform(35, 85)))
    return Image.open(packed).convert("RGB")


def _paper(width: int, height: int, paper: str, rng: np.random.Generator) -> np.ndarray:
    """A sheet in uneven light, (height, width, 3) float."""
    down, across = np.mgrid[0:height, 0:width]
    side = across / width if rng.random() < 0.5 else 1 - across / width
    light = rng.uniform(150, 235) * (1 - rng.uniform(0, 0.35) * side) * (1 - rng.uniform(0, 0.25) * down / height)
    seen = light[..., None] * np.array([1, rng.uniform(0.95, 1), rng.uniform(0.85, 1)])
    if paper == "shadow":
        turn = rng.uniform(0, np.pi)
        edge = (across - width / 2) * np.cos(turn) + (down - height / 2) * np.sin(turn)
        seen *= (1 - rng.uniform(0.3, 0.55) / (1 + np.exp(-edge / rng.uniform(3, 25))))[..., None]
    if paper in ("ruled", "squared"):
        apart, lines = rng.uniform(28, 60), np.zeros((height, width))
        for y in np.arange(rng.uniform(0, apart), height, apart):
            cv2.line(lines, (0, int(y)), (width, int(y + rng.uniform(-2, 2))), 1.0, 1, cv2.LINE_AA)
        for x in np.arange(rng.uniform(0, apart), width, apart) if paper == "squared" else ():
            cv2.line(lines, (int(x), 0), (int(x), height), 1.0, 1, cv2.LINE_AA)
        seen *= 1 - rng.uniform(0.1, 0.35) * lines[..., None] * np.array([1, 0.8, 0.5])
    return seen


def formula_rows(limit: int | None) -> list[list]:
    """The share of formulas read wholly right, by paper."""
    given = chosen(crohme("dev")[::FORMULAS_STEP], limit)
    math, auto = load_recognizer("math"), load_recognizer("auto")
    ways: list[Callable[[Image.Image], list]] = [
        lambda image: [tokens_of(math.read([image])[0].text)],
        lambda image: _tokens(read_page(image, math)),
        lambda image: _tokens(read_page(image, auto)),
    ]
    right = []
    for number, formula in enumerate(tqdm(given, "formulas", leave=False)):
        image = photo(formula.strokes, number, PAPERS[number % len(PAPERS)])
        right.append([way(image) == [formula.tokens] for way in ways])
    return [
        [f"formulas, {paper}: wholly right", len(part), *(round(100 * float(share), 1) for share in np.mean(part, 0))]
        for place, paper in enumerate(PAPERS)
        if len(part := right[place :: len(PAPERS)])
    ]


def _tokens(page: Page) -> list:
    return [tokens_of(line.reading.text) if line.formula else line.reading.text for line in page.lines]


def line_rows(limit: int | None) -> list[list]:
    """The wrong characters of lines, by paper."""
    given = chosen(iam_ondb("val_v"), LINES if limit is None else limit)
    text, auto = load_recognizer("text"), load_recognizer("auto")
    ways: list[Callable[[Image.Image], str]] = [
        lambda image: text.read([image])[0].text,
        lambda image: read_page(image, text).text,
        lambda image: read_page(image, auto).text,
    ]
    found = []
    for number, line in enumerate(tqdm(given, "lines", leave=False)):
        image = photo(level(line.strokes), number, PAPERS[number % len(PAPERS)])
        found.append([comparable(way(image)) for way in ways])
    truths = [comparable(line.text) for line in given]
    return [
        [
            f"lines, {paper}: wrong characters",
            len(part),
            *(_wrong(truths[place :: len(PAPERS)], texts) for texts in zip(*part, strict=True)),
        ]
        for place, paper in enumerate(PAPERS)
        if len(part := found[place :: len(PAPERS)])
    ]


def _wrong(truths: Sequence[str], texts: Sequence[str]) -> float:
    return round(100 * cer(truths, texts), 1)


def main() -> None:
    """Prints the table, and writes it with `--results`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, help="formulas, and lines")
    parser.add_argument("--results", type=Path, help="the result file to write")
    arguments = parser.parse_args()
    rows = [*formula_rows(arguments.limit), *line_rows(arguments.limit)]
    print(markdown(COLUMNS, rows))
    if arguments.results:
        write_results(
            arguments.results,
            COLUMNS,
            rows,
            "Photos made by code. The rules for shadows, ruled lines and the direction were made looking at these photos; "
            "neither checkpoint was trained on their writers.",
        )


if __name__ == "__main__":
    main()
