"""The training data in `../shared/data` (its README describes every file), split by writer.

`HWR_DATA` names another folder of the same files, such as `training.fit.pack` makes.
"""

import gzip
import json
import os
import random
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from training.data.charset import CHARACTERS, close_up, join_apostrophes, normalise
from training.data.languages import LANGUAGES, Language
from training.data.pictures import decoded
from training.data.spelling import SPELLINGS

DATA = Path(os.environ.get("HWR_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
SCANS = ("copiste", "peraire", "cremma19", "poilus", "hooker", "dhsd", "tables", "numbers")
# CROHME's labels for characters that are no single character there.
CROHME_LABELS = {
    "\\times": "×", "\\div": "÷", "\\pm": "±", "\\pi": "π", "\\infty": "∞", "\\rightarrow": "→", "\\lt": "<", "\\gt": ">",
}  # fmt: skip
HELD_OUT = 8  # every eighth writer (where they are not known: page) of these is for validation
WITH_VALIDATION = ("copiste", "dhsd", "tables", "numbers")
SQUEEZED = (1.0, 2.5)  # DHSD's pictures were all made 256 × 64: how much wider they may have been


@dataclass(frozen=True)
class InkLine:
    """A line of IAM-OnDB: its text and its strokes, each (n, 2) float32 in device units, y downwards."""

    text: str
    strokes: list[np.ndarray]
    writer: str | None


@dataclass(frozen=True)
class ScanLine:
    """A scanned line: its text and its picture, encoded as a grey JPEG or WebP."""

    text: str
    jpeg: bytes
    writer: str
    split: str | None = None  # where the file says it


def iam_ondb(split: str, folder: Path = DATA) -> list[InkLine]:
    """`split` is train, val_v or val_t."""
    lines = []
    with gzip.open(folder / "iam_ondb.jsonl.gz", "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            if record["split"] == split:
                strokes = [np.cumsum(np.array(s, np.float32).reshape(-1, 2), 0) for s in record["strokes"]]
                text = normalise(close_up(record["text"]))
                lines.append(InkLine(join_apostrophes(text) if split == "train" else text, strokes, record["writer"]))
    return lines


def scans(name: str, split: str, folder: Path = DATA) -> list[ScanLine]:
    """`split` is train or val. The val of Copiste and DHSD is every eighth writer, that of the tables and the numbers every eighth page; the
    other scans are all for training.

    The writers of the pages in `pages/`, which evaluate page reading, are in neither. DHSD's validation pictures come stretched, each by
    its own amount, always the same.
    """
    of_pages = page_writers(name, folder)
    lines = [line for line in _tar_lines(folder / f"{name}.tar", name) if line.writer not in of_pages]
    if any(line.split for line in lines):
        return [line for line in lines if line.split == split]
    held_out = set(sorted({line.writer for line in lines})[::HELD_OUT]) if name in WITH_VALIDATION else set()
    chosen = [line for line in lines if (line.writer in held_out) == (split == "val")]
    if name == "dhsd" and split == "val":
        rng = random.Random(0)
        return [replace(line, jpeg=stretched(line.jpeg, rng.uniform(*SQUEEZED))) for line in chosen]
    return chosen


def stretched(picture: bytes, by: float) -> bytes:
    """An encoded grey picture `by` times as wide, as PNG."""
    return cv2.imencode(".png", widened(decoded(picture), by))[1].tobytes()


def widened(grey: np.ndarray, by: float) -> np.ndarray:
    return cv2.resize(grey, (round(grey.shape[1] * by), grey.shape[0]), interpolation=cv2.INTER_CUBIC)


def page_writers(name: str, folder: Path = DATA) -> set[str]:
    with open(folder / "pages" / "pages.jsonl", encoding="utf-8") as file:
        images = [json.loads(line)["image"] for line in file]
    prefix = f"{name}_"
    return {writer_of(name, Path(image).stem.removeprefix(prefix)) for image in images if image.startswith(prefix)}


def writer_of(name: str, page: str) -> str:
    """Copiste's page names tell the writer, CREMMA-19's the notebook; elsewhere the page stands for it."""
    if name == "copiste":
        return re.sub(r"_\d$", "", page.removeprefix("imp_"))
    if name == "cremma19":
        return re.sub(r"_\d+$", "", page)
    if name == "peraire":
        return page.removeprefix("test_").removeprefix("train_").removeprefix("val_")
    return page


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """The bytes of a file in an archive.

    Raises:
        ValueError: the member is no file.
    """
    file = tar.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name} is no file.")
    return file.read()


def _tar_lines(path: Path, name: str) -> Iterator[ScanLine]:
    with tarfile.open(path) as tar:
        files = {member.name.removeprefix("./"): member for member in tar if member.isfile()}
        index = _content(tar, files.pop("lines.jsonl")).decode("utf-8")
        for record in map(json.loads, index.splitlines()):
            text = normalise(record["text"])
            if text:
                jpeg = _content(tar, files[record["image"]])
                writer = record.get("writer") if name == "dhsd" else None
                yield ScanLine(text, jpeg, writer or writer_of(name, record["page"]), record.get("split"))


def fonts(folder: Path = DATA) -> dict[str, bytes]:
    """Every handwriting font by its family name, as the TTF file's bytes."""
    usable = {
        font["family"] for font in json.loads((folder / "fonts.json").read_text()) if font["ok"] and font["latin"]
    }
    with tarfile.open(folder / "fonts.tar") as tar:
        members = [member for member in tar if Path(member.name).stem in usable]
        return {Path(member.name).stem: _content(tar, member) for member in members}


def english(folder: Path = DATA) -> list[str]:
    with gzip.open(folder / "english.txt.gz", "rt", encoding="utf-8") as file:
        return [text for line in file if (text := normalise(line))]


def sentences(folder: Path = DATA) -> dict[str, list[str]]:
    """Sentences to draw by language, as the languages' files name them; only those whose every character can be written."""
    found = {
        code: texts
        for code, texts in _by_language(folder / "sentences_eu.jsonl.gz").items()
        if code in LANGUAGES and LANGUAGES[code].sentences
    }
    for code, language in LANGUAGES.items():
        if language.files:
            found.setdefault(code, []).extend(texts_of(language, folder))
    return found


def texts_of(language: Language, folder: Path = DATA) -> list[str]:
    """The lines of a language's own text files that can be written.

    Raises:
        FileNotFoundError: A file lies neither beside the language's file nor in `folder`.
    """
    found = []
    for path in language.files:
        path = path if path.exists() else folder / path.name
        if not path.exists():
            raise FileNotFoundError(
                f"{language.code}.toml names {path.name}, which is neither beside it nor in {folder}."
            )
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
        lines = (normalise(SPELLINGS[language.texts_spelling](line)) for line in text.splitlines())
        found += [line for line in lines if line and set(line) <= set(CHARACTERS)]
    return found


def form_lines(folder: Path = DATA) -> list[str]:
    """Dates, amounts, telephone numbers, addresses and names of all languages whose characters the checkpoint writes."""
    return [text for texts in _by_language(folder / "form_lines.jsonl.gz").values() for text in texts]


def _by_language(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            language = LANGUAGES.get(record["lang"])
            spelled = SPELLINGS[language.texts_spelling if language else ""](record["text"])
            text = normalise(spelled)
            if text and set(text) <= set(CHARACTERS):
                found.setdefault(record["lang"], []).append(text)
    return found


def pen_digits(folder: Path = DATA) -> dict[str, list[list[np.ndarray]]]:
    """UCI's Pen-Based Digits: digit → strokes in units of its height, its middle at the origin."""
    digits: dict[str, list[list[np.ndarray]]] = {}
    with gzip.open(folder / "pendigits.jsonl.gz", "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            strokes = [np.array(stroke, np.float32).reshape(-1, 2) for stroke in record["strokes"]]
            points = np.concatenate(strokes)
            low, high = points.min(0), points.max(0)
            if high[1] > low[1]:
                digits.setdefault(record["label"], []).append(
                    [(stroke - (low + high) / 2) / (high[1] - low[1]) for stroke in strokes]
                )
    return digits


def crohme_symbols(folder: Path = DATA) -> dict[str, list[list[np.ndarray]]]:
    """Single characters out of CROHME's training formulas: label → strokes in units of the digits' height.

    Each symbol stands on its formula's own scale, its centre at y = 0.
    """
    symbols: dict[str, list[list[np.ndarray]]] = {}
    with gzip.open(folder / "crohme.jsonl.gz", "rt", encoding="utf-8") as file:
        for record in map(json.loads, file):
            if record["split"] != "train":
                continue
            strokes = [np.array(stroke, np.float32).reshape(-1, 2) for stroke in record["strokes"]]
            found = [(label, [strokes[i] for i in indices]) for label, indices in record["symbols"]]
            heights = [np.ptp(np.concatenate(ink)[:, 1]) for label, ink in found if label.isdigit() or label.isalpha()]
            scale = np.median(heights) if heights else 0
            if scale <= 0:
                continue
            for label, ink in found:
                if len(label := CROHME_LABELS.get(label, label)) == 1:
                    points = np.concatenate(ink)
                    origin = (points.min(0) + points.max(0)) / 2
                    symbols.setdefault(label, []).append([(stroke - origin) / scale for stroke in ink])
    return symbols
