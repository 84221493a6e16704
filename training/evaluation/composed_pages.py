"""Pages composed by code, with known text, places and reading order.

    page = composed(seed=3)
    page.kind, page.image, page.pieces  # pieces in reading order

The handwriting is that of validation writers: lines of IAM-OnDB `val_v` and `val_t` as strokes, and lines of Copiste's writers kept aside.
Digits, prices, labels and marks are in the hands of `training.evaluation.drawn`. No line of a page was trained on.
"""

import io
import random
import re
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.conversion import to_grey
from hwr_core.imaging.line_image import crop_to_ink
from hwr_core.ink.strokes import Strokes, draw
from training.data.datasets import iam_ondb, scans
from training.evaluation.drawn import write
from training.evaluation.drawn.formulas import formulas

KINDS = (
    "columns", "form", "table", "grid", "margin note", "mixed inks", "heading", "formulas in text", "list", "turned",
)  # fmt: skip
PAPERS = ((252, 252, 250), (248, 246, 236), (240, 238, 232), (255, 255, 255), (236, 240, 242))
INKS = ((20, 20, 30), (28, 35, 110), (15, 40, 160), (60, 60, 60))
LIGHT_INKS = ((150, 150, 150), (170, 165, 160), (240, 160, 30), (200, 60, 60), (90, 150, 90))
STRUCK = re.compile(r">[^<>]*<|<>")  # what is struck out, as the transcribers note it
# Transcripts that say more than was written, seen on the pictures of their lines.
AS_WRITTEN = {
    "(each held half in company time, half in the": "(each held in company time, half in the",
    "all the staff. The old lady insisted on": "the staff. The old lady insisted on",
    "and possibly comparable alone caraway": "possibly comparable alone caraway",
    "considéré comme une des figures majeurs du théâtre et": "considéré comme une des figure du théâtre et",
    "held both her hands tightly behind her": "both her hands tightly behind her",
    "with the figures. Then there was": "with figures. Then there was",
    "Un Internet eXchange Point (ou IX ou IXP ou point": "Un Internet eXchange (ou IX ou IXP ou point",
}
HANDS = ("print", "sans", "italic", "playful")
LABELS = ("Name", "Date", "City", "Street", "Phone", "Total", "Age", "Order no.", "Signed", "Email")
ITEMS = ("Bread", "Butter", "Milk", "Coffee", "Sugar", "Apples", "Two pens", "Paper", "Lamp", "Green tea", "Rice")
MARKS = ("•", "☐", "☑", "→", "-")


@dataclass(frozen=True)
class Piece:
    """A piece of writing that stands in one place: a line, or a cell of a row.

    `box` is left, top, right, bottom in pixels of the page. `row` numbers the lines in reading order: pieces of one row
    share it. `mark` is a list mark before the text, which a reader may leave out.
    """

    text: str
    box: tuple[int, int, int, int]
    row: int
    formula: bool = False
    mark: str = ""


@dataclass(frozen=True)
class ComposedPage:
    """`pieces` are in reading order; `turn` is the degrees counter-clockwise by which the upright page was turned."""

    kind: str
    image: Image.Image
    pieces: tuple[Piece, ...]
    turn: int = 0


class Sheet:
    """A sheet of paper to write on; `pieces` collects what was written, in the order of the calls."""

    def __init__(self, rng: random.Random, width: int, height: int):
        self.rng = rng
        self.paper = np.array(rng.choice(PAPERS), np.float32)
        self.pixels = np.full((height, width, 3), self.paper, np.float32)
        self.pieces: list[Piece] = []
        self.row = 0

    def blend(self, darkness: np.ndarray, left: int, top: int, ink: tuple[int, int, int]) -> None:
        """Puts ink where `darkness` (height, width) float, 0 to 1, says so."""
        area = self.pixels[top : top + darkness.shape[0], left : left + darkness.shape[1]]
        share = darkness[: area.shape[0], : area.shape[1], None]
        area[:] = area * (1 - share) + np.array(ink, np.float32) * share

    def put(self, darkness: np.ndarray, text: str, left: int, top: int, ink: tuple[int, int, int], **more) -> Piece:
        """Writes a piece and notes it; `left` and `top` are those of its ink."""
        self.blend(darkness, left, top, ink)
        box = (left, top, left + darkness.shape[1], top + darkness.shape[0])
        self.pieces.append(Piece(text, box, self.row, **more))
        return self.pieces[-1]

    def next_row(self) -> None:
        self.row += 1

    def picture(self, noise: float) -> Image.Image:
        height, width = self.pixels.shape[:2]
        generator = np.random.default_rng(self.rng.randrange(1 << 30))
        shade = cv2.resize(
            generator.uniform(0.9, 1.0, (3, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        blurred = np.asarray(cv2.GaussianBlur(self.pixels * shade[..., None], (0, 0), 0.7))
        pixels = blurred + generator.normal(0, noise, blurred.shape)
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@cache
def _ink_lines() -> list:
    lines = [line for split in ("val_v", "val_t") for line in iam_ondb(split)]
    return [line for line in lines if 8 <= len(line.text) <= 60]


@cache
def _scan_lines() -> list:
    return [line for line in scans("copiste", "val") if 8 <= len(line.text) <= 70]


def drawn_darkness(strokes: Strokes, height: float, pen: float) -> np.ndarray:
    """Strokes as ink, (height, width) float 0 to 1, cut to the ink; `height` pixels for the tallest."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = height / max(float(high[1] - low[1]), 1e-6)
    edge = pen / 2 + 1
    width, tall = (int(np.ceil(side * scale + 2 * edge)) for side in high - low)
    grey = draw([(stroke - low) * scale + edge for stroke in strokes], (tall, width), pen)
    return (255 - grey).astype(np.float32) / 255


def hand_darkness(text: str, hand: str, size: float, pen: float, seed: int) -> np.ndarray:
    """`text` in one of the drawn hands, its capitals `size` pixels high."""
    strokes = write(text, hand, seed)
    points = np.concatenate(strokes)
    reference = np.concatenate(write("H", hand, seed))
    return drawn_darkness(strokes, size * float(np.ptp(points[:, 1]) / max(np.ptp(reference[:, 1]), 1e-6)), pen)


def sentence(rng: random.Random, size: float, widest: int) -> tuple[np.ndarray, str]:
    """A line of a validation writer, as ink cut to it, at most `widest` pixels wide."""
    for _ in range(60):
        if rng.random() < 0.7:
            line = rng.choice(_ink_lines())
            darkness: np.ndarray | None = drawn_darkness(line.strokes, size * 1.5, rng.uniform(2.2, 4.0))
        else:
            line = rng.choice(_scan_lines())
            darkness = _scan_darkness(line.jpeg, size * 1.5)
        if darkness is not None and darkness.shape[1] <= widest:
            text = " ".join(STRUCK.sub("", line.text).split())
            return darkness, AS_WRITTEN.get(text, text)
    text = "see you at 7:30"
    return hand_darkness(text, "print", size, 3.0, 1), text


def _scan_darkness(jpeg: bytes, height: float) -> np.ndarray | None:
    grey = crop_to_ink(to_grey(Image.open(io.BytesIO(jpeg))))
    if grey is None:
        return None
    paper, dark = np.percentile(grey, (70, 1))
    darkness = ((paper - 12 - grey.astype(np.float32)) / max(paper - dark - 12, 30)).clip(0, 1)
    width = max(8, round(grey.shape[1] * height / grey.shape[0]))
    return cv2.resize(darkness, (width, round(height)), interpolation=cv2.INTER_AREA)


def composed(seed: int, kind: str | None = None) -> ComposedPage:
    """The page of a seed, always the same; the kinds take turns."""
    rng = random.Random(seed)
    kind = kind or KINDS[seed % len(KINDS)]
    sheet = Sheet(rng, rng.randint(1300, 1900), rng.randint(1500, 2300))
    size = rng.uniform(30, 46)
    makers = {
        "columns": _columns, "form": _form, "table": _table, "grid": _grid, "margin note": _margin_note,
        "mixed inks": _mixed_inks, "heading": _heading, "formulas in text": _formulas, "list": _list, "turned": _turned,
    }  # fmt: skip
    makers[kind](sheet, rng, size)
    page = ComposedPage(kind, sheet.picture(rng.uniform(1, 4)), tuple(sheet.pieces))
    return turned(page, rng.choice((90, 180, 270))) if kind == "turned" else page


def turned(page: ComposedPage, degrees: int) -> ComposedPage:
    """The page turned counter-clockwise by a quarter, a half or three quarters."""
    width, height = page.image.size
    moves = {
        90: lambda b: (b[1], width - b[2], b[3], width - b[0]),
        180: lambda b: (width - b[2], height - b[3], width - b[0], height - b[1]),
        270: lambda b: (height - b[3], b[0], height - b[1], b[2]),
    }
    pieces = tuple(replace(piece, box=moves[degrees](piece.box)) for piece in page.pieces)
    return ComposedPage(page.kind, page.image.rotate(degrees, expand=True), pieces, degrees)


def _paragraph(sheet: Sheet, rng: random.Random, left: int, top: int, right: int, lines: int, size: float, ink) -> int:
    """Writes lines below each other; returns where the next would start."""
    pitch = round(size * rng.uniform(2.1, 2.7))
    for _ in range(lines):
        darkness, text = sentence(rng, size, right - left)
        if top + darkness.shape[0] > len(sheet.pixels) - 20:
            break
        sheet.put(darkness, text, left + rng.randint(0, 6), top, ink)
        sheet.next_row()
        top += max(pitch, darkness.shape[0] + round(0.25 * size))
    return top


def _columns(sheet: Sheet, rng: random.Random, size: float) -> None:
    middle, gutter = sheet.pixels.shape[1] // 2, rng.randint(60, 130)
    ink, lines, top = rng.choice(INKS), rng.randint(5, 9), rng.randint(80, 200)
    _paragraph(sheet, rng, 70, top, middle - gutter // 2, lines, size, ink)
    _paragraph(
        sheet, rng, middle + gutter // 2, top + rng.randint(-10, 30), sheet.pixels.shape[1] - 50, lines, size, ink
    )


def _form(sheet: Sheet, rng: random.Random, size: float) -> None:
    top, printed = rng.randint(90, 220), rng.choice(INKS)
    start = rng.randint(430, 620)
    for label in rng.sample(LABELS, rng.randint(4, 7)):
        seed = rng.randrange(1 << 20)
        sheet.put(hand_darkness(label, "sans", size, 2.5, seed), label, 90, top, printed)
        darkness, text = sentence(rng, size, sheet.pixels.shape[1] - start - 60)
        sheet.put(darkness, text, start, max(10, top - (darkness.shape[0] - round(size)) // 2), rng.choice(INKS[1:3]))
        if rng.random() < 0.5:
            rule = top + round(1.6 * size)
            sheet.pixels[rule : rule + 2, start : sheet.pixels.shape[1] - 60] *= 0.75
        sheet.next_row()
        top += round(size * rng.uniform(2.8, 3.6))


def _table(sheet: Sheet, rng: random.Random, size: float) -> None:
    hand, ink = rng.choice(HANDS), rng.choice(INKS)
    light = rng.choice(LIGHT_INKS) if rng.random() < 0.4 else ink
    lefts = [90, rng.randint(560, 700), rng.randint(950, 1150)]
    top, pitch = rng.randint(90, 250), round(size * rng.uniform(2.0, 2.8))
    rows, ruled = rng.randint(4, 9), rng.random() < 0.4
    for item in rng.sample(ITEMS, rows):
        cells = [item, str(rng.randint(1, 99)), f"{rng.randint(0, 99)}.{rng.randint(0, 99):02d}"]
        for index, (left, text) in enumerate(zip(lefts, cells, strict=True)):
            darkness = hand_darkness(text, hand, size, 3.0, rng.randrange(1 << 20))
            sheet.put(darkness, text, left + rng.randint(0, 8), top + rng.randint(-2, 2), light if index == 2 else ink)
        if ruled:
            rule = top + round((pitch + size) / 2) + 4
            sheet.pixels[rule : rule + 2, 70 : lefts[2] + 220] *= 0.7
        sheet.next_row()
        top += pitch


def _grid(sheet: Sheet, rng: random.Random, size: float) -> None:
    hand, ink, size = rng.choice(HANDS), rng.choice(INKS), size * rng.uniform(1, 1.8)
    columns, rows, pitch = rng.randint(1, 6), rng.randint(2, 7), round(size * rng.uniform(2.0, 3.0))
    left, top = rng.randint(90, 300), rng.randint(90, 300)
    characters = "0123456789" if rng.random() < 0.7 else "ABCDEFGHKLMNPRSTUVXYZ"
    for row in range(rows):
        for column in range(columns):
            text = rng.choice(characters)
            darkness = hand_darkness(text, hand, size, rng.uniform(3, 4.5), rng.randrange(1 << 20))
            sheet.put(
                darkness, text, left + column * pitch + rng.randint(-3, 3), top + row * pitch + rng.randint(-3, 3), ink
            )
        sheet.next_row()


def _margin_note(sheet: Sheet, rng: random.Random, size: float) -> None:
    right = round(sheet.pixels.shape[1] * rng.uniform(0.66, 0.74))
    top = rng.randint(90, 200)
    _paragraph(sheet, rng, 80, top, right, rng.randint(6, 10), size * 0.9, rng.choice(INKS))
    lowest = max(piece.box[3] for piece in sheet.pieces)
    note = rng.randint(top, max(top, lowest - round(5 * size)))
    for text in rng.choice(
        (("see photo", "page 12"), ("ask Tom", "again!"), ("check", "this one"), ("NB", "not so", "in 1984"))
    ):
        darkness = hand_darkness(text, "playful", size * 0.75, 2.4, rng.randrange(1 << 20))
        sheet.put(darkness, text, right + round(2.2 * size), note, (190, 40, 40))
        sheet.next_row()
        note += round(1.7 * size)


def _mixed_inks(sheet: Sheet, rng: random.Random, size: float) -> None:
    top = rng.randint(90, 200)
    for number in range(rng.randint(4, 8)):
        ink = rng.choice(LIGHT_INKS) if number % 2 else rng.choice(INKS)
        darkness, text = sentence(rng, size, sheet.pixels.shape[1] - 160)
        if top + darkness.shape[0] > len(sheet.pixels) - 20:
            break
        sheet.put(darkness, text, 80 + rng.randint(0, 20), top, ink)
        sheet.next_row()
        top += darkness.shape[0] + round(size)


def _heading(sheet: Sheet, rng: random.Random, size: float) -> None:
    text = rng.choice(("SHOPPING", "TO DO", "Notes", "Chapter 3", "HOLIDAY", "Monday", "PLAN B"))
    large = size * rng.uniform(2.5, 4.5)
    darkness = hand_darkness(text, "print", large, large / 7, rng.randrange(1 << 20))
    top = rng.randint(60, 150)
    sheet.put(darkness, text, 90, top, (15, 15, 20))
    sheet.next_row()
    ink = rng.choice(LIGHT_INKS[:2] + INKS)
    _paragraph(
        sheet,
        rng,
        90,
        top + darkness.shape[0] + round(size),
        sheet.pixels.shape[1] - 80,
        rng.randint(3, 6),
        size * 0.8,
        ink,
    )


def _formulas(sheet: Sheet, rng: random.Random, size: float) -> None:
    top, ink = rng.randint(90, 180), rng.choice(INKS)
    drawn = [formula for formula in formulas() if formula.kind in ("arithmetic", "algebra", "fractions", "roots")]
    for number in range(rng.randint(4, 6)):
        if number % 2:
            formula = rng.choice(drawn)
            tall = formula.kind in ("fractions",) or r"\frac" in formula.tokens
            darkness = drawn_darkness(formula.strokes, size * (3.2 if tall else 1.3), 3.0)
            sheet.put(darkness, " ".join(formula.tokens), 160, top, ink, formula=True)
            sheet.next_row()
            top += darkness.shape[0] + round(1.3 * size)
        else:
            top = _paragraph(sheet, rng, 80, top, sheet.pixels.shape[1] - 80, rng.randint(1, 2), size, ink) + round(
                0.5 * size
            )


def _list(sheet: Sheet, rng: random.Random, size: float) -> None:
    mark, ink, top = rng.choice(MARKS), rng.choice(INKS), rng.randint(90, 200)
    left = 100
    for _ in range(rng.randint(4, 8)):
        darkness, text = sentence(rng, size, sheet.pixels.shape[1] - 260)
        if top + darkness.shape[0] > len(sheet.pixels) - 20:
            break
        _mark(sheet, mark, left, top + darkness.shape[0] // 2, size, ink)
        sheet.put(darkness, text, left + round(1.6 * size), top, ink, mark=mark)
        sheet.next_row()
        top += darkness.shape[0] + round(0.8 * size)


def _mark(sheet: Sheet, mark: str, left: int, middle: int, size: float, ink: tuple[int, int, int]) -> None:
    side = round(size * 0.9)
    picture = np.zeros((side + 8, side + 8), np.uint8)
    low, high, half = 4, side + 3, (side + 7) // 2
    if mark == "•":
        cv2.circle(picture, (half, half), max(3, side // 6), 255, -1, cv2.LINE_AA)
    elif mark in "☐☑":
        cv2.rectangle(picture, (low, low), (high, high), 255, 2, cv2.LINE_AA)
        if mark == "☑":
            cv2.polylines(
                picture,
                [np.array([[low + 4, half], [half, high - 4], [high - 2, low + 2]])],
                False,
                255,
                3,
                cv2.LINE_AA,
            )
    elif mark == "→":
        cv2.arrowedLine(picture, (low, half), (high, half), 255, 2, cv2.LINE_AA, 0, 0.35)
    else:
        cv2.line(picture, (low, half), (high, half), 255, 3, cv2.LINE_AA)
    sheet.blend(picture.astype(np.float32) / 255, left, middle - picture.shape[0] // 2, ink)


def _turned(sheet: Sheet, rng: random.Random, size: float) -> None:
    if rng.random() < 0.4:
        _grid(sheet, rng, size) if rng.random() < 0.3 else _short_words(sheet, rng, size)
    else:
        _paragraph(
            sheet, rng, 80, rng.randint(80, 160), sheet.pixels.shape[1] - 80, rng.randint(4, 8), size, rng.choice(INKS)
        )


def _short_words(sheet: Sheet, rng: random.Random, size: float) -> None:
    hand, ink, top = rng.choice(HANDS), rng.choice(INKS), rng.randint(90, 300)
    for text in rng.sample(("yes", "no", "ok", "42", "Tom", "milk", "tea", "7:30", "maybe", "Anna"), rng.randint(3, 5)):
        sheet.put(hand_darkness(text, hand, size * 1.2, 3.2, rng.randrange(1 << 20)), text, 120, top, ink)
        sheet.next_row()
        top += round(2.6 * size)
