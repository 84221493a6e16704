"""How pages of handwriting are read from photos: `python -m training.evaluation.photographed_pages`.

Lines of IAM-OnDB's `val_v` that follow one another are put on a sheet by code and photographed by code, each page on papers and
under conditions of `KINDS`. So a row beside `plain` says what a condition costs. Nothing of it is the code that draws training
pictures. The pages are read by `read_page` with the text checkpoint.
"""

import argparse
import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from hwr_core import load_recognizer, read_page
from hwr_core.ink.formula import ink_size
from hwr_core.ink.strokes import draw, level
from hwr_core.metrics import cer
from training.data.datasets import InkLine, iam_ondb
from training.evaluation.results import markdown, write_results
from training.evaluation.tables import comparable

KINDS = (
    "plain", "ruled", "squared", "dotted", "spiral", "folded", "curved", "pencil", "marker", "blurred", "corrected",
    "other side",
)  # fmt: skip
PAGES = 8
WIDTH, PITCH = 1500, 64  # pixels: of the sheet, and from line to line
SYMBOL = 26.0  # pixels of a letter's height, usually
COLUMNS = ("pages of each kind", "lines written", "lines read", "wrong characters %", "of the worst page %")
INKS = ((0.85, 0.75, 0.4), (0.85, 0.85, 0.8))  # shares of red, green and blue that ink takes away
RULES = (0.35, 0.25, 0.12)


class Sheet:
    """A sheet of written lines, before it is photographed; always the same for a seed."""

    def __init__(self, seed: int, kind: str, lines: list[InkLine]):
        self.rng, self.kind = np.random.default_rng(100 * seed + 7), kind
        count = int(self.rng.integers(5, 9))
        start = int(self.rng.integers(0, len(lines) - count))
        self.lines = lines[start : start + count]
        self.left = 150 if kind == "spiral" else 70
        self.ink = np.zeros((PITCH * (count + 3), WIDTH), np.float32)
        pen, size = (6.0, 1.3 * SYMBOL) if kind == "marker" else (float(self.rng.uniform(2.2, 3.6)), SYMBOL)
        for row, line in enumerate(self.lines):
            self._write(line, PITCH * (row + 1.6), pen, size)
        grain = self.rng.random((self.ink.shape[0] // 6, WIDTH // 6)).astype(np.float32)
        self.ink *= 1 - 0.3 * cv2.resize(grain, self.ink.shape[::-1])

    def _write(self, line: InkLine, baseline: float, pen: float, size: float) -> None:
        strokes = level(line.strokes)
        points = np.concatenate(strokes)
        scale = min(size / ink_size(strokes), (WIDTH - self.left - 40) / np.ptp(points[:, 0]))
        low = np.array([points[:, 0].min(), np.median(points[:, 1])])
        placed = [(stroke - low) * scale + (self.left + self.rng.uniform(0, 12), baseline) for stroke in strokes]
        self.ink = np.maximum(self.ink, (255.0 - draw(placed, self.ink.shape, pen)) / 255)

    def photo(self) -> Image.Image:
        seen = self._paper() * (1 - self.ink[..., None] * self._colour())
        seen = self._blurred(self._changed(seen))
        height, width = seen.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        moved = (corners + self.rng.uniform(-0.015, 0.015, (4, 2)) * (width, height)).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(moved, corners)
        seen = np.asarray(cv2.warpPerspective(seen, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), float)
        seen *= np.linspace(1, 1 - self.rng.uniform(0, 0.3), width)[None, :, None]
        seen += self.rng.normal(0, 3.5, seen.shape)
        packed = io.BytesIO()
        Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).save(packed, "JPEG", quality=60)
        return Image.open(packed).convert("RGB")

    def _colour(self) -> np.ndarray:
        colour = INKS[int(self.rng.integers(len(INKS)))]
        return np.array((0.42, 0.42, 0.4) if self.kind == "pencil" else colour)

    def _paper(self) -> np.ndarray:
        height = len(self.ink)
        paper = np.ones((height, WIDTH, 3)) * (225, 221, 213)
        if self.kind in ("ruled", "spiral", "pencil", "curved"):
            self._rule(paper, np.arange(0.75 * PITCH, height, PITCH), (), 2)
        if self.kind == "squared":
            self._rule(paper, np.arange(10, height, PITCH / 2), np.arange(10, WIDTH, PITCH / 2), 1)
        if self.kind == "dotted":
            for y in np.arange(10, height, PITCH / 2):
                for x in np.arange(10, WIDTH, PITCH / 2):
                    cv2.circle(paper, (int(x), int(y)), 2, (140, 140, 140), -1, cv2.LINE_AA)
        return paper

    def _rule(self, paper: np.ndarray, across: np.ndarray, down, thick: int) -> None:
        lines = np.zeros(paper.shape[:2])
        for y in across:
            cv2.line(lines, (0, int(y)), (WIDTH, int(y)), 1.0, thick, cv2.LINE_AA)
        for x in down:
            cv2.line(lines, (int(x), 0), (int(x), len(paper)), 1.0, thick, cv2.LINE_AA)
        paper *= 1 - lines[..., None] * RULES

    def _changed(self, seen: np.ndarray) -> np.ndarray:
        """The written sheet with what its kind adds: a fold, a wire, a teacher's pen, the writing of its other side."""
        height = len(seen)
        if self.kind == "folded":
            for y in (0.35 * height, 0.68 * height):
                seen *= 1 - 0.35 * np.exp(-(((np.arange(height) - y) / 6) ** 2))[:, None, None]
            seen *= 1 - 0.3 * np.exp(-(((np.arange(WIDTH) - WIDTH / 2) / 5) ** 2))[None, :, None]
        if self.kind == "spiral":
            for y in range(20, height, 40):
                cv2.circle(seen, (40, y), 11, (70, 60, 55), -1, cv2.LINE_AA)
                cv2.line(seen, (0, y - 6), (40, y), (160, 160, 165), 6, cv2.LINE_AA)
        if self.kind == "corrected":
            red = np.zeros(seen.shape[:2])
            for _ in range(5):
                x, y = int(self.rng.uniform(200, 1200)), int(PITCH * (self.rng.integers(len(self.lines)) + 1.6))
                cv2.ellipse(red, (x, y), (int(self.rng.uniform(40, 90)), 26), 0, 0, 360, 1.0, 3, cv2.LINE_AA)
                cv2.line(red, (x + 200, y + 20), (x + 320, y + 22), 1.0, 3, cv2.LINE_AA)
            seen *= 1 - red[..., None] * (0.1, 0.75, 0.75)
        if self.kind == "other side":
            seen *= 1 - 0.25 * np.asarray(cv2.GaussianBlur(self.ink[:, ::-1], (0, 0), 2))[..., None]
        return seen

    def _blurred(self, seen: np.ndarray) -> np.ndarray:
        seen = np.asarray(cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 3.2 if self.kind == "blurred" else 1.0))
        if self.kind == "curved":
            down, across = np.mgrid[0 : seen.shape[0], 0:WIDTH].astype(np.float32)
            bent = down - 45 * np.exp(-across / 300) + 20
            seen = np.asarray(cv2.remap(seen, across, bent, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
            seen *= (1 - 0.5 * np.exp(-across / 160))[..., None]
        return seen


def rows(pages: int) -> list[list]:
    """For each kind: its lines, how many were found, and the wrong characters of all pages and of the worst."""
    lines, text = iam_ondb("val_v"), load_recognizer("text")
    table = []
    for kind in tqdm(KINDS, "kinds", leave=False):
        truths, texts, written, found = [], [], 0, 0
        for seed in range(pages):
            sheet = Sheet(seed, kind, lines)
            page = read_page(sheet.photo(), text)
            truths.append(comparable(" ".join(line.text for line in sheet.lines)))
            texts.append(comparable(" ".join(page.text.split())))
            written, found = written + len(sheet.lines), found + len(page.lines)
        worst = max(cer([truth], [read]) for truth, read in zip(truths, texts, strict=True))
        table.append([kind, written, found, round(100 * cer(truths, texts), 1), round(100 * worst, 1)])
    return table


def main() -> None:
    """Prints the table, and writes it with `--results`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=PAGES, help="pages of each kind")
    parser.add_argument("--results", type=Path, help="the result file to write")
    arguments = parser.parse_args()
    table = rows(arguments.limit)
    print(markdown(COLUMNS, table))
    if arguments.results:
        write_results(
            arguments.results,
            COLUMNS,
            table,
            f"Photos made by code, {arguments.limit} of each kind, of the same lines. The search for missed lines, the rules for the other "
            "side's writing, bindings and dots were made looking at these pages; the checkpoint was not trained on their writers.",
        )


if __name__ == "__main__":
    main()
