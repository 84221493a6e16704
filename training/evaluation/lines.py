"""How well a text checkpoint reads lines and drawings: `python -m training.evaluate text` and `ink`.

Text: lines by unseen writers, words in no frequency list, marked words. Ink: what people write first, drawn by script
in unseen hands. `--results docs/results/evaluation-text.json` writes the tables there and beside.
"""

import argparse
import hashlib
import math
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from safetensors import safe_open
from tqdm import tqdm

from hwr_core.checkpoints.registry import find
from hwr_core.errors import HandwritingError
from hwr_core.metrics import calibration, cer, wer
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.threads import free_threads
from training.data.datasets import scans
from training.data.word_frequencies import listed_words
from training.evaluation.drawn import Drawing, drawings, more_drawings
from training.evaluation.peers import TESSERACT, Reader
from training.evaluation.results import Table, percent, share
from training.evaluation.tables import comparable
from training.evaluation.timing import TEXT, drawing_seconds
from training.evaluation.validation import COPISTE, FIRST_SETS, INK_SETS, chosen, drawn, validation_lines
from training.evaluation.word_scores import ReadWord, marked_words, read_words, unlisted_errors

TOGETHER = "IAM-OnDB, both"
NEW_TEXTS = "Copiste, only texts that no one in training copied"
Measure = tuple[str, Callable[[list[str], list[str]], float]]  # its heading, and (truths, texts) → share


@dataclass
class SetReadings:
    """A validation set as it was read: transcripts, each reader's texts, and the recognizer's readings."""

    truths: list[str]
    texts: dict[str, list[str]]
    readings: list[Reading] = field(default_factory=list)

    def part(self, indices: Iterable[int]) -> "SetReadings":
        """The lines of these indices."""
        kept = list(indices)
        texts = {reader: [texts[index] for index in kept] for reader, texts in self.texts.items()}
        return SetReadings([self.truths[index] for index in kept], texts)


def read_all(recognizer: Recognizer, images: list[Image.Image], beams: int | None, name: str) -> list[Reading]:
    with tqdm(total=len(images), desc=name, leave=False) as bar:
        return recognizer.read(images, beams=beams, on_progress=lambda done, _: bar.update(done - bar.n))


def texts_by_reader(
    recognizer: Recognizer, others: dict[str, Reader], images: list[Image.Image], beams: int | None, name: str
) -> tuple[list[Reading], dict[str, list[str]]]:
    """The recognizer's readings, and by reader the texts as they are compared, the recognizer's first."""
    readings = read_all(recognizer, images, beams, name)
    texts = {recognizer.name: [comparable(reading.text) for reading in readings]}
    for other, read in others.items():
        with ThreadPoolExecutor(
            os.cpu_count() if other == TESSERACT else 1
        ) as pool:  # a process of one thread for each line
            texts[other] = [
                comparable(text) for text in tqdm(pool.map(read, images), f"{name}, {other}", len(images), leave=False)
            ]
    return readings, texts


def evaluate_text(recognizer: Recognizer, others: dict[str, Reader], arguments: argparse.Namespace) -> list[Table]:
    """Reads all validation lines. Returns the tables of errors, rare words, line confidences and marked words."""
    sets: dict[str, SetReadings] = {}
    for name, lines in validation_lines(recognizer, arguments.limit).items():
        readings, texts = texts_by_reader(recognizer, others, [image for image, _ in lines], arguments.beams, name)
        sets[name] = SetReadings([comparable(text) for _, text in lines], texts, readings)
    own = recognizer.name
    return [
        error_table("", "validation lines", {**sets, **derived_sets(sets)}, ("CER %", cer), ("WER %", wer)),
        unlisted_table(sets, own, listed_words(arguments.downloads)),
        confidence_table(sets, own),
        marked_words("marked-words", words_of(sets.values())),
        marked_words("marked-words-first-sets", words_of(sets[name] for name in FIRST_SETS)),
    ]


def words_of(sets: Iterable[SetReadings]) -> list[ReadWord]:
    """All words that were read, each compared with its line's transcript."""
    pairs = [pair for one in sets for pair in zip(one.truths, one.readings, strict=True)]
    return [word for truth, reading in pairs for word in read_words(truth, reading)]


def derived_sets(sets: dict[str, SetReadings]) -> dict[str, SetReadings]:
    """Both ink sets together, and the lines of Copiste whose text is on no training page."""
    ink = [sets[name] for name in INK_SETS]
    texts = {reader: [text for one in ink for text in one.texts[reader]] for reader in ink[0].texts}
    known = trigrams(
        line.text for name in ("copiste", "peraire", "cremma19", "poilus") for line in scans(name, "train")
    )
    own = [trigrams([truth]) for truth in sets[COPISTE].truths]
    new = [index for index, some in enumerate(own) if len(some) > 2 * len(some & known) or not some]
    return {TOGETHER: SetReadings([t for one in ink for t in one.truths], texts), NEW_TEXTS: sets[COPISTE].part(new)}


def unlisted_table(sets: dict[str, SetReadings], reader: str, listed: frozenset[str]) -> Table:
    """The error rate of words that are in no frequency list, mostly names, beside that of all other words."""
    counts = {name: unlisted_errors(one.truths, one.texts[reader], listed) for name, one in sets.items()}
    n, wrong, others, missed = (sum(column) for column in zip(*counts.values(), strict=True))
    counts["all"] = (n, wrong, others, missed)
    rows = [
        [name, n, percent(share(wrong, n)), others, percent(share(missed, others))]
        for name, (n, wrong, others, missed) in counts.items()
    ]
    columns = ["validation lines", "words in no frequency list", "wrong %", "other words", "others wrong %"]
    return Table("unlisted-words", columns, rows)


def confidence_table(sets: dict[str, SetReadings], reader: str) -> Table:
    """How many lines of each confidence are wholly right."""
    right = [text == truth for one in sets.values() for text, truth in zip(one.texts[reader], one.truths, strict=True)]
    bins = calibration([reading.confidence for one in sets.values() for reading in one.readings], right)
    rows = [[f"{low:.1f} to {high:.1f}", count, percent(rate) if count else None] for low, high, count, rate in bins]
    return Table("confidence", ["confidence of the line", "lines", "wholly right %"], rows)


def trigrams(texts: Iterable[str]) -> set[tuple[str, ...]]:
    """All three words that follow one another: several of Copiste's volunteers copied the same texts."""
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    return {tuple(line[start : start + 3]) for line in words for start in range(len(line) - 2)}


def evaluate_ink(recognizer: Recognizer, others: dict[str, Reader], arguments: argparse.Namespace) -> list[Table]:
    """Reads the drawings. Returns tables by kind and by hand, of the first part and of the second."""
    tables = []
    for part, made in (("", drawings()), ("more", more_drawings())):
        given = chosen(made, arguments.limit)
        images = [drawn(drawing.strokes, recognizer) for drawing in given]
        _, texts = texts_by_reader(recognizer, others, images, arguments.beams, part or "drawings")
        found = SetReadings([comparable(drawing.text) for drawing in given], texts)
        for name, key in ((part, lambda d: d.kind), (f"{part}-hands".strip("-"), lambda d: d.style)):
            groups = {
                group: found.part(i for i, d in enumerate(given) if key(d) == group)
                for group in dict.fromkeys(map(key, given))
            }
            measures = (("wholly right %", share_right), ("CER %", cer))
            tables.append(error_table(name, "drawn by script", {**groups, "all": found}, *measures))
        if arguments.misses:
            print_misses(given, found.truths, texts[recognizer.name])
    return tables


def print_misses(given: list[Drawing], truths: list[str], texts: list[str]) -> None:
    for drawing, truth, text in zip(given, truths, texts, strict=True):
        if text != truth:
            print(f"{drawing.kind:10} {drawing.style:8} {truth!r} read {text!r}")


def share_right(truths: list[str], texts: list[str]) -> float:
    return sum(map(str.__eq__, truths, texts)) / max(1, len(truths))


def error_table(name: str, title: str, sets: dict[str, SetReadings], *measures: Measure) -> Table:
    """One row a set, and for each reader every measure; the checkpoint's columns are not named after it."""
    first, *others = next(iter(sets.values())).texts
    columns = [
        title,
        "lines",
        *(measure for measure, _ in measures),
        *(f"{reader} {measure}" for reader in others for measure, _ in measures),
    ]
    rows = [
        [
            row,
            len(one.truths),
            *(percent(rate(one.truths, one.texts[reader])) for reader in (first, *others) for _, rate in measures),
        ]
        for row, one in sets.items()
    ]
    return Table(name, columns, rows)


def parameters_in(folder: Path) -> int:
    """How many a checkpoint's weights hold."""
    with safe_open(folder / "model.safetensors", "np") as weights:
        return sum(int(math.prod(weights.get_slice(name).get_shape())) for name in weights.keys())  # noqa: SIM118  it is no dictionary


def folder_of(model: str) -> Path:
    """The folder of a checkpoint.

    Raises:
        HandwritingError: the checkpoint is not on this machine.
    """
    folder = find(model)
    if folder is None:
        raise HandwritingError(f"{model} is not on this machine: name a folder.")
    return folder


def print_size_and_time(recognizer: Recognizer, arguments: argparse.Namespace) -> None:
    folder = folder_of(arguments.model)
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    settings = recognizer.settings(arguments.beams)
    milliseconds = 1000 * drawing_seconds(recognizer, settings.beams)
    language = f"language model at {settings.language_model_weight}" if settings.language_model else "no language model"
    print(
        f"{arguments.model}, {settings.beams} beams, {language}: {parameters_in(folder) / 1e6:.2f} M parameters, {files / 1e6:.1f} MB on disk, ",
        end="",
    )
    print(f"{milliseconds:.0f} ms a drawn line of {len(TEXT)} characters ({free_threads()} threads)\n")


def note_of(recognizer: Recognizer, arguments: argparse.Namespace) -> str:
    """Which checkpoint was read and how, for a result file."""
    settings = recognizer.settings(arguments.beams)
    names = ("text", "math") if arguments.model == "auto" else (arguments.model,)
    weights = " and ".join(weights_hash(folder_of(name)) for name in names)
    lines = "all of them" if arguments.limit is None else f"at most {arguments.limit} of each set"
    return f"Checkpoint {arguments.model}, weights {weights}, {settings.beams} beams, {lines}."


def weights_hash(folder: Path) -> str:
    """The first twelve digits of the SHA-256 of a checkpoint's weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:12]
