"""The endless stream of training lines, in batches of similar width, made in worker processes while training runs."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import IterableDataset, get_worker_info
from transformers import PreTrainedTokenizerFast

from hwr_core.checkpoints.pixels import WIDTH_STRIDE, LinePixels, stacked
from hwr_core.imaging.line_image import crop_to_ink
from hwr_core.ink.strokes import Strokes
from training.data import datasets as data
from training.data.charset import close_up
from training.data.word_frequencies import Vocabulary
from training.synthesis.augment import degrade, draw_varied, frame, intrude
from training.synthesis.drawn_lines import FontWriter, Glyphs, WordPool
from training.synthesis.phrases import Phrases
from training.synthesis.recombined_scans import ScanPool

# Shares of the stream. Scans of one difficult hand (Hooker) count less than their number of lines.
MIXTURE = {
    "ink": 0.22,
    "ink_words": 0.10,
    "glyphs": 0.08,
    "fonts": 0.24,
    "copiste": 0.20,
    "scan_words": 0.09,
    "peraire": 0.035,
    "cremma19": 0.03,
    "poilus": 0.025,
    "hooker": 0.01,
}
_, PAD, EOS, UNK = range(4)  # of SPECIAL
Sample = tuple[np.ndarray, str]  # grey picture of a line, dark on light, and its text


@dataclass(frozen=True)
class Batch:
    """`pixels` (batch, 1, height, width) float32; `targets` (batch, length) int64, `</s>` last, padded with −100; of formulas
    also `cells` (batch, 2, rows, columns) int64: the token whose ink is in a cell of features, and its place in the target; −100
    for none."""

    pixels: torch.Tensor
    targets: torch.Tensor
    cells: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)


class LineStream(IterableDataset):
    """Draws a source by `MIXTURE`, makes a line of it, varies it, and groups the lines of a pool into batches by width."""

    def __init__(
        self, seed: int, vocabularies: dict[str, Vocabulary], height: int = 48, pixels_per_batch: int = 14_000
    ):
        self.seed, self.vocabularies, self.pixels_per_batch = seed, vocabularies, pixels_per_batch
        self.pool = max(240, pixels_per_batch // 200)  # lines: some ten small batches, or three of a GPU's
        self.tokenizer: Tokenizer | None = None
        self.processor = LinePixels(height)
        self.ink = data.iam_ondb("train")
        self.scans = {name: data.scans(name, "train") for name in data.SCANS}
        self.words = WordPool(self.ink)
        self.scan_words = ScanPool(self.scans["copiste"])
        self.glyphs = Glyphs(data.crohme_symbols())
        self.fonts = FontWriter(data.fonts())
        french = [line.text for name in ("copiste", "peraire", "cremma19", "poilus") for line in self.scans[name]]
        self.sentences = {"en": [close_up(line.text) for line in self.ink] + data.english(), "fr": french}

    def tokenize_with(self, tokenizer: PreTrainedTokenizerFast) -> "LineStream":
        self.tokenizer = tokenizer.backend_tokenizer
        return self

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        seed = self.seed * 1000 + (worker.id if worker else 0)
        cv2.setNumThreads(0)
        self.rng = random.Random(seed)
        self.phrases = Phrases(self.sentences, self.vocabularies, self.rng)
        while True:
            yield from self.batches()

    def batches(self) -> list[Batch]:
        lines = sorted((self.line() for _ in range(self.pool)), key=lambda line: line[0].shape[1])
        batches, batch = [], []
        for line in lines:
            if batch and line[0].shape[1] * (len(batch) + 1) > self.pixels_per_batch:
                batches.append(batch)
                batch = []
            batch.append(line)
        batches.append(batch)
        self.rng.shuffle(batches)
        return [collate(batch) for batch in batches]

    def line(self) -> tuple[np.ndarray, list[int]]:
        """One line as the encoder gets it, and its token ids; tries again where the text would not fit its picture."""
        while True:
            source = self.rng.choices(list(MIXTURE), MIXTURE.values())[0]
            sample = self.draw(source)
            if sample is None:
                continue
            grey, text = sample
            synthetic = source != "scan_words" and source not in self.scans
            grey = degrade(grey, self.rng, synthetic)
            if source in self.scans and self.rng.random() < 0.15:
                other = self.rng.choice(self.scans[source])
                grey = intrude(grey, cv2.imdecode(np.frombuffer(other.jpeg, np.uint8), 0), self.rng)
            grey = frame(grey, self.rng) if self.rng.random() < 0.35 else crop_to_ink(grey)
            if grey is None or min(grey.shape) < 4:
                continue
            line = self.processor.line(grey)
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
            repeats = sum(a == b for a, b in itertools.pairwise(ids))
            if (
                UNK not in ids
                and len(ids) + repeats + 1 <= line.shape[1] // WIDTH_STRIDE
                and len(ids) < 160
                and line.shape[1] <= 2400
            ):
                return line, ids

    def draw(self, source: str) -> Sample | None:
        makers: dict[str, Callable[[], Sample | None]] = {
            "ink": self.ink_line, "ink_words": self.ink_words, "glyphs": self.glyph_line, "fonts": self.font_line,
            "scan_words": lambda: self.scan_words.compose(self.rng),
        }  # fmt: skip
        return makers[source]() if source in makers else self.scan_line(source)

    def ink_line(self) -> Sample:
        line = self.rng.choice(self.ink)
        return draw_varied(line.strokes, self.rng), line.text

    def ink_words(self) -> Sample:
        text, strokes = self.words.compose(self.rng, self.rng.choice([1, 1, 2, 3, 4, 6]))
        text, strokes = self.with_number(text, strokes) if self.rng.random() < 0.35 else (text, strokes)
        return draw_varied(strokes, self.rng), text

    def with_number(self, text: str, strokes: Strokes) -> tuple[str, Strokes]:
        """Adds a number, a time or a price, which IAM-OnDB has few of, after the words at their size."""
        extra = self.phrases.everyday()
        if not self.glyphs.can_write(extra):
            return text, strokes
        points = np.concatenate(strokes)
        height = float(np.ptp(points[:, 1])) * self.rng.uniform(0.6, 0.9)
        base = float(np.median(points[:, 1])) + 0.3 * height
        number = [stroke * height + (0, base) for stroke in self.glyphs.compose(extra, self.rng)]
        gap = height * self.rng.uniform(0.4, 1.0)
        if self.rng.random() < 0.3:
            extra, text, number, strokes = text, extra, strokes, number
        shift = float(np.concatenate(strokes)[:, 0].max()) + gap - float(np.concatenate(number)[:, 0].min())
        return f"{text} {extra}", strokes + [stroke + (shift, 0) for stroke in number]

    def glyph_line(self) -> Sample | None:
        text = self.phrases.draw()
        text = text.upper() if self.rng.random() < 0.15 else text
        if len(text) > 40 or not self.glyphs.can_write(text):
            text = self.phrases.everyday()
        return (
            (draw_varied(self.glyphs.compose(text, self.rng), self.rng), text) if self.glyphs.can_write(text) else None
        )

    def font_line(self) -> Sample | None:
        text = self.phrases.draw()
        grey = self.fonts.render(text, self.rng)
        return None if grey is None else (grey, text)

    def scan_line(self, name: str) -> Sample:
        line = self.rng.choice(self.scans[name])
        return cv2.imdecode(np.frombuffer(line.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), line.text


def collate(lines: list[tuple[np.ndarray, list[int]]]) -> Batch:
    targets = torch.full((len(lines), max(len(ids) for _, ids in lines) + 1), -100)
    for row, (_, ids) in zip(targets, lines, strict=True):
        row[: len(ids) + 1] = torch.tensor([*ids, EOS])
    return Batch(torch.from_numpy(stacked([line for line, _ in lines])), targets)
