"""How well whole pages are found and read: `python -m training.evaluate pages`.

The 15 pages of `../shared/data/pages`, as they were scanned and as a phone would take them (by code: on a table, tilted, in
perspective, with a shadow, blurred, noisy, as JPEG), beside `rapidocr` reading the same pages whole. `--steps` switches each step of
the preprocessing on and off. The lines' places and texts are the transcribers'.

They left out what is printed on a page, such as two lines of consent. So a second CER leaves out, for both readers, lines
that lie where nothing was transcribed. They listed the page numbers of a table of contents after its entries, and file names
at the end. These are read where they stand, and a third CER takes the lines in the transcribers' order.
"""

import argparse
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from hwr_core.imaging.page_detection import clockwise
from hwr_core.imaging.preprocess import preprocess
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.line_detection import cut
from hwr_core.layout.outlines import overlap
from hwr_core.metrics import cer
from hwr_core.pipeline import read_page
from hwr_core.reading import Page
from hwr_core.recognizer import Recognizer
from training.data.datasets import DATA
from training.evaluation.results import Cell, Table, percent, share
from training.evaluation.tables import comparable

PHONE_SIDE = 3000  # pixels of the longer side of what the phone takes
STEPS: dict[str, dict] = {
    "as by default": {},
    "perspective off": {"perspective": False},
    "flattening off": {"flatten": False},
    "levelling off": {"deskew": False},
    "ruled lines taken away": {"ruling": True},
    "denoised": {"denoise": 1},
    "Otsu's threshold": {"threshold": "otsu"},
    "Sauvola's threshold": {"threshold": "sauvola"},
    "strokes brought to 4 pixels": {"stroke": "normalise"},
}


@dataclass(frozen=True)
class Transcribed:
    """A page's picture and its lines: each a polygon (n, 2) on the picture, and what is written there."""

    name: str
    image: Image.Image
    polygons: list[np.ndarray]
    texts: list[str]


def transcribed_pages() -> list[Transcribed]:
    found = []
    for row in (DATA / "pages" / "pages.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(row)
        image = Image.open(DATA / "pages" / record["image"]).convert("RGB")
        lines = record["lines"]
        found.append(
            Transcribed(
                record["image"],
                image,
                [np.array(line["polygon"], float) for line in lines],
                [line["text"] for line in lines],
            )
        )
    return found


def as_by_phone(page: Transcribed, seed: int) -> Transcribed:
    """The page as a phone would take it, its lines where they then are."""
    rng = np.random.default_rng(seed)
    width, height = page.image.size
    scale = 0.82 * PHONE_SIDE / max(width, height)
    size = np.array([width, height]) * scale
    frame = (size / 0.82).round().astype(int)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
    angle = np.deg2rad(rng.uniform(-5, 5))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    placed = (corners - size / 2) @ turn.T + frame / 2 + rng.uniform(-0.045, 0.045, (4, 2)) * size
    matrix = cv2.getPerspectiveTransform((corners / scale).astype(np.float32), placed.astype(np.float32))
    table = np.array([(70, 46, 30), (40, 42, 46), (120, 96, 66), (58, 74, 60)][seed % 4], float)
    grain = cv2.GaussianBlur(rng.normal(0, 40, (frame[1], frame[0])).astype(np.float32), (0, 0), sigmaX=25, sigmaY=1.2)
    photo = table + grain[..., None] * 1.5
    on_page = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, tuple(frame.tolist())) > 127
    warped = cv2.warpPerspective(np.asarray(page.image), matrix, tuple(frame.tolist()), flags=cv2.INTER_AREA)
    photo = np.where(on_page[..., None], warped, photo)
    down, across = np.mgrid[0 : 1 : complex(0, frame[1]), 0 : 1 : complex(0, frame[0])]
    direction = rng.uniform(0, 2 * np.pi)
    along = (across - 0.5) * np.cos(direction) + (down - 0.5) * np.sin(direction)
    light = 1 - 0.25 * (along + 0.5) - rng.uniform(0.15, 0.4) / (1 + np.exp(-(along - rng.uniform(-0.1, 0.3)) * 30))
    photo = cv2.GaussianBlur((photo * light[..., None]).astype(np.float32), (0, 0), rng.uniform(0.6, 1.3))
    photo = (photo + rng.normal(0, 4, photo.shape)).clip(0, 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 85))])
    taken = Image.open(io.BytesIO(packed.tobytes())).convert("RGB")
    polygons = [cv2.perspectiveTransform(polygon[None], matrix)[0] for polygon in page.polygons]
    return replace(page, image=taken, polygons=polygons)


def found_share(polygons: list[np.ndarray], page: Page) -> tuple[int, int]:
    """How many of the lines have a found one with an intersection over union of 0.5 or more, and how many there are."""
    return sum(any(overlap(polygon, line.corners) >= 0.5 for line in page.lines) for polygon in polygons), len(polygons)


def one_line(texts: list[str]) -> str:
    return comparable(" ".join(texts))


def by_hand(page: Transcribed, recognizer: Recognizer, beams: int | None) -> str:
    """The text of the lines cut out where the transcribers drew them, in their order."""
    grey = preprocess(
        page.image, PreprocessSettings(perspective=False, deskew=False, crop=False, invert="never"), steps_side=0
    )
    to_page = np.linalg.inv(grey.to_photo)
    corners = [clockwise(cv2.boxPoints(cv2.minAreaRect(polygon.astype(np.float32)))) for polygon in page.polygons]
    images = [cut(grey.image, cv2.perspectiveTransform(quad[None], to_page)[0]) for quad in corners]
    return one_line([reading.text for reading in recognizer.read(images, beams=beams)])


def rapidocr_page(page: Transcribed, engine) -> tuple[str, str]:
    """All that it reads, and what of it lies where something was transcribed."""
    found = engine(np.asarray(page.image)[..., ::-1].copy())
    texts = list(found.txts or ())
    return one_line(texts), one_line(where_transcribed(page, [] if found.boxes is None else list(found.boxes), texts))


def where_transcribed(page: Transcribed, outlines: list, texts: list[str]) -> list[str]:
    """The texts of those outlines of which a tenth or more lies inside the transcribed lines."""
    scale = 1000 / max(page.image.size)
    mask = np.zeros((round(page.image.height * scale) + 1, round(page.image.width * scale) + 1), np.uint8)
    for polygon in page.polygons:
        cv2.fillPoly(mask, [(polygon * scale).round().astype(np.int32)], 1)
    kept = []
    for outline, text in zip(outlines, texts, strict=True):
        own = np.zeros_like(mask)
        cv2.fillPoly(own, [(np.asarray(outline, float) * scale).round().astype(np.int32)], 1)
        if (own & mask).sum() >= 0.1 * max(1, own.sum()):
            kept.append(text)
    return kept


def in_their_order(page: Transcribed, outlines: Sequence, texts: Sequence[str]) -> list[str]:
    """The texts of lines that lie on transcribed ones, in these lines' order."""
    placed = []
    for outline, text in zip(outlines, texts, strict=True):
        shares = [overlap(polygon, outline) for polygon in page.polygons]
        if max(shares, default=0.0) > 0:
            placed.append((int(np.argmax(shares)), text))
    return [text for _, text in sorted(placed, key=lambda item: item[0])]


def evaluate_pages(recognizer: Recognizer, arguments: argparse.Namespace) -> Sequence[Table]:
    """The pages beside `rapidocr`, in all and each for itself; with `--steps`, each step of the preprocessing instead."""
    scans = transcribed_pages()[: arguments.limit]
    versions = {
        "as scanned": scans,
        "as a phone takes them": [as_by_phone(page, seed) for seed, page in enumerate(scans)],
    }
    if arguments.steps:
        return [_steps_table(versions, recognizer, arguments.beams)]
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})
    rows: list[Sequence[Cell]] = []
    each: list[Sequence[Cell]] = []
    for name, pages in versions.items():
        truths = [one_line(page.texts) for page in pages]
        found = _read(pages, recognizer, PreprocessSettings(), arguments.beams, name)
        hand = [by_hand(page, recognizer, arguments.beams) for page in tqdm(pages, f"{name}, by hand", leave=False)]
        started = time.perf_counter()
        other = [rapidocr_page(page, engine) for page in tqdm(pages, f"{name}, rapidocr", leave=False)]
        other_seconds = (time.perf_counter() - started) / len(pages)
        theirs, theirs_chosen = zip(*other, strict=True)
        errors = [
            percent(cer(truths, list(texts)))
            for texts in (found.chosen, found.ordered, found.texts, hand, theirs_chosen, theirs)
        ]
        rows.append(
            [name, found.lines_found, *errors[:4], round(found.seconds, 1), *errors[4:], round(other_seconds, 1)]
        )
        each += [
            [name, page.name, there, len(page.polygons), *(percent(cer([truth], [text])) for text in texts)]
            for page, there, truth, *texts in zip(
                pages, found.shares, truths, found.chosen, found.texts, hand, strict=True
            )
        ]
    columns = [
        f"{len(scans)} pages", "lines found %", "page CER %", "page CER with the lines in the transcribers' order %",
        "page CER with what is not transcribed %", "CER of lines cut out by hand %", "seconds a page", "rapidocr page CER %",
        "rapidocr page CER with what is not transcribed %", "rapidocr seconds a page",
    ]  # fmt: skip
    heads = [
        "pages",
        "page",
        "lines found",
        "lines",
        "page CER %",
        "with what is not transcribed %",
        "cut out by hand %",
    ]
    return [Table("", columns, rows), Table("each", heads, each)]


def _steps_table(versions: dict[str, list[Transcribed]], recognizer: Recognizer, beams: int | None) -> Table:
    columns = ["preprocessing", *(f"{name}: {what}" for name in versions for what in ("lines found %", "page CER %"))]
    rows: list[Sequence[Cell]] = []
    for step, changes in STEPS.items():
        cells: list[Cell] = [step]
        for name, pages in versions.items():
            found = _read(pages, recognizer, PreprocessSettings(**changes), beams, f"{step}, {name}")
            cells += [found.lines_found, percent(cer([one_line(page.texts) for page in pages], found.chosen))]
        rows.append(cells)
    return Table("steps", columns, rows)


@dataclass(frozen=True)
class ReadPages:
    """What was read of some pages.

    Attributes:
        shares: of each page, the number of its lines that were found.
        lines: the number of lines in all.
        texts: of each page, its text.
        chosen: of each page, its text where something was transcribed.
        ordered: the same with the lines in the transcribers' order.
        seconds: a page.
    """

    shares: list[int]
    lines: int
    texts: list[str]
    chosen: list[str]
    ordered: list[str]
    seconds: float

    @property
    def lines_found(self) -> float | None:
        return percent(share(sum(self.shares), self.lines))


def _read(
    pages: list[Transcribed], recognizer: Recognizer, settings: PreprocessSettings, beams: int | None, name: str
) -> ReadPages:
    shares, texts, chosen, ordered, seconds = [], [], [], [], 0.0
    for page in tqdm(pages, name, leave=False):
        started = time.perf_counter()
        read = read_page(page.image, recognizer, settings, beams)
        seconds += time.perf_counter() - started
        shares.append(found_share(page.polygons, read)[0])
        lines = [line.reading.text for line in read.lines]
        texts.append(one_line(lines))
        outlines = [line.corners for line in read.lines]
        chosen.append(one_line(where_transcribed(page, outlines, lines)))
        ordered.append(one_line(in_their_order(page, outlines, lines)))
    return ReadPages(shares, sum(len(page.polygons) for page in pages), texts, chosen, ordered, seconds / len(pages))
