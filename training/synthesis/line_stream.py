"""The endless stream of training lines, in batches of similar width, made in worker processes while training runs."""

import itertools
import random
from collections import deque
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import IterableDataset, get_worker_info
from transformers import PreTrainedTokenizerFast

from hwr_core.checkpoints.pixels import WIDTH_STRIDE, LinePixels, stacked
from hwr_core.imaging.line_image import crop_to_ink, spread_contrast
from hwr_core.ink.strokes import Strokes
from training.data import datasets as data
from training.data.charset import close_up
from training.data.formula_symbols import hershey
from training.data.languages import LANGUAGES
from training.data.pictures import decoded
from training.data.word_frequencies import Vocabulary
from training.synthesis import signs
from training.synthesis.augment import add_things, beside, cut_tightly, degrade, draw_varied, frame, soil
from training.synthesis.batch import IGNORED, Batch, halved, of_few_shapes, padded_to
from training.synthesis.blanks import blank
from training.synthesis.drawn_lines import FontWriter, Glyphs, WordPool, set_side_by_side
from training.synthesis.phrases import Phrases
from training.synthesis.recombined_scans import ScanPool

# Shares of the stream. Scans of one difficult hand (Hooker) count less than their number of lines.
MIXTURE = {
    "ink": 0.18,
    "ink_words": 0.09,
    "ink_long": 0.02,
    "glyphs": 0.16,
    "fonts": 0.26,
    "printed": 0.05,
    "copiste": 0.17,
    "scan_words": 0.07,
    "dhsd": 0.06,
    "dhsd_words": 0.02,
    "numbers": 0.025,
    "tables": 0.015,
    "peraire": 0.025,
    "cremma19": 0.02,
    "poilus": 0.02,
    "hooker": 0.01,
    "blank": 0.025,
}
APART = 0.07  # of the lines in glyphs and fonts: capitals with their letters apart
LISTED, CROSSED_OUT, UNDERLINED = (
    0.03,
    0.03,
    0.04,
)  # of the lines: a mark before them, a crossed-out stretch beside, a line below
LONGEST = 160  # characters
_, PAD, EOS, UNK = range(4)  # of SPECIAL
Sample = tuple[np.ndarray, str]  # grey picture of a line, dark on light, and its text


class LineStream(IterableDataset):
    """Draws a source by `MIXTURE`, makes a line of it, varies it, and groups the lines of a pool into batches by width."""

    def __init__(
        self,
        seed: int,
        vocabularies: dict[str, Vocabulary],
        height: int = 48,
        pixels_per_batch: int = 14_000,
        printed_faces: dict[str, bytes] | None = None,
    ):
        self.seed, self.vocabularies, self.pixels_per_batch = seed, vocabularies, pixels_per_batch
        self.few_shapes = False  # of batches: what a GPU needs
        self.pool = max(240, pixels_per_batch // 200)  # lines: some ten small batches, or three of a GPU's
        self.tokenizer: Tokenizer | None = None
        self.processor = LinePixels(height)
        self.ink = data.iam_ondb("train")
        self.by_writer: dict[str, list[data.InkLine]] = {}
        for line in self.ink:
            self.by_writer.setdefault(line.writer or "", []).append(line)
        self.scans = {name: data.scans(name, "train") for name in data.SCANS}
        self.words = WordPool(self.ink)
        self.scan_words = {name: ScanPool(self.scans[name]) for name in ("copiste", "dhsd")}
        symbols = data.crohme_symbols()
        for digit, drawings in data.pen_digits().items():
            symbols.setdefault(digit, []).extend(drawings)
        for letter, drawings in hershey().items():
            symbols.setdefault(letter, drawings)  # the capitals that CROHME's formulas lack
        self.glyphs = Glyphs(symbols)
        self.fonts = FontWriter(data.fonts())
        self.printed = FontWriter(printed_faces, monoline=0.03) if printed_faces else None
        self.mixture = {name: share for name, share in MIXTURE.items() if name != "printed" or self.printed}
        self.recent: deque[np.ndarray] = deque(maxlen=60)  # lines to stand near others
        self.sentences = {"en": [close_up(line.text) for line in self.ink] + data.english()}
        for code, spoken in LANGUAGES.items():
            if spoken.transcripts:
                self.sentences[code] = [line.text for name in spoken.transcripts for line in self.scans[name]]
        for language, texts in data.sentences().items():
            self.sentences.setdefault(language, []).extend(texts)
        self.forms = data.form_lines()

    def tokenize_with(self, tokenizer: PreTrainedTokenizerFast) -> "LineStream":
        self.tokenizer = tokenizer.backend_tokenizer
        return self

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        seed = self.seed * 1000 + (worker.id if worker else 0)
        cv2.setNumThreads(0)
        self.rng = random.Random(seed)
        self.phrases = Phrases(self.sentences, self.vocabularies, self.rng, self.forms)
        if self.few_shapes:
            for shape, lines in of_few_shapes(iter(self.line, None), self.pixels_per_batch * self.processor.height):
                yield halved(padded_to(collate(lines), shape))
        while True:
            yield from self.batches()

    def batches(self) -> list[Batch]:
        lines = sorted((self.line() for _ in range(self.pool)), key=lambda line: line[0].shape[1])
        batches: list[list[tuple[np.ndarray, list[int]]]] = []
        batch: list[tuple[np.ndarray, list[int]]] = []
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
        if self.tokenizer is None:
            raise ValueError("The stream has no tokenizer: call tokenize_with first.")
        while True:
            source = self.rng.choices(list(self.mixture), list(self.mixture.values()))[0]
            sample = self.draw(source)
            if sample is None:
                continue
            grey, text = self.with_mark(*sample) if source != "blank" else sample
            picture = self.varied(grey, source)
            if picture is None or min(picture.shape) < 4:
                continue
            line = self.processor.line(picture)
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
            if UNK not in ids and len(ids) <= LONGEST and fits(ids, line.shape[1]):
                return line, ids

    def varied(self, grey: np.ndarray, source: str) -> np.ndarray | None:
        """The picture as a scanner or a phone and a detector's box make it; None where no ink is left."""
        synthetic = (source not in self.scans and not source.endswith("_words")) or source == "ink_words"
        if source == "blank":
            grey = soil(grey, self.rng, False)
            cropped = crop_to_ink(grey) if self.rng.random() < 0.5 else None
            # A lone upright rule would be an l, a 1 or a |.
            return grey if cropped is None or cropped.shape[1] < cropped.shape[0] else cropped
        clean = grey
        if self.recent:
            grey = add_things(grey, self.recent, self.rng)
        if self.rng.random() < 0.2 or not self.recent:
            self.recent.append(spread_contrast(clean))
        grey = degrade(grey, self.rng, synthetic)
        pick = self.rng.random()
        return (
            frame(grey, self.rng) if pick < 0.3 else cut_tightly(grey, self.rng) if pick < 0.42 else crop_to_ink(grey)
        )

    def with_mark(self, grey: np.ndarray, text: str) -> Sample:
        """Now and then a list's mark before the line, which its text has too, or a crossed-out stretch beside it, which it has not."""
        if (pick := self.rng.random()) < LISTED:
            mark = self.rng.choice(["•", "☐", "☑", "→", *signs.CIRCLED])
            drawn = signs.sign(mark, self.glyphs.figures, self.rng)
            return (grey, text) if drawn is None else (beside(grey, drawn, self.rng), f"{mark} {text}")
        if pick < LISTED + CROSSED_OUT:
            scribble = signs.crossed_out(self.rng.uniform(0.8, 4), self.rng.uniform(0.6, 1.1), self.rng)
            return beside(grey, scribble, self.rng, before=self.rng.random() < 0.5), text
        return grey, text

    def draw(self, source: str) -> Sample | None:
        makers: dict[str, Callable[[], Sample | None]] = {
            "ink": self.ink_line, "ink_words": self.ink_words, "ink_long": self.ink_long, "glyphs": self.glyph_line,
            "fonts": lambda: self.font_line(self.fonts), "printed": lambda: self.font_line(self.printed) if self.printed else None,
            "scan_words": lambda: self.scan_words["copiste"].compose(self.rng), "dhsd": lambda: self.widened(self.scan_line("dhsd")),
            "dhsd_words": lambda: self.widened(self.scan_words["dhsd"].compose(self.rng)), "blank": lambda: (blank(self.rng), ""),
        }  # fmt: skip
        return makers[source]() if source in makers else self.scan_line(source)

    def widened(self, sample: Sample | None) -> Sample | None:
        """DHSD's pictures as wide as they may have been before they were squeezed."""
        return sample and (data.widened(sample[0], self.rng.uniform(*data.SQUEEZED)), sample[1])

    def ink_line(self) -> Sample:
        line = self.rng.choice(self.ink)
        return draw_varied(self.underlined(line.strokes), self.rng), line.text

    def ink_long(self) -> Sample:
        """Two or three lines of one writer in one row."""
        own = self.by_writer[self.rng.choice(self.ink).writer or ""]
        lines = self.rng.choices(own, k=self.rng.choice([2, 2, 3]))
        height = float(np.median([np.ptp(np.concatenate(line.strokes)[:, 1]) for line in lines]))
        level = [[s - (0, np.median(np.concatenate(line.strokes)[:, 1])) for s in line.strokes] for line in lines]
        return draw_varied(set_side_by_side(level, height, self.rng, (0.3, 0.8)), self.rng), " ".join(
            line.text for line in lines
        )

    def underlined(self, strokes: Strokes) -> Strokes:
        if self.rng.random() > UNDERLINED:
            return strokes
        points = np.concatenate(strokes)
        low, height = points.min(0), float(np.ptp(points[:, 1])) * 0.7
        lines = signs.underline(float(np.ptp(points[:, 0])) / max(height, 1e-3), self.rng)
        return strokes + [stroke * height + (low[0], float(np.percentile(points[:, 1], 90))) for stroke in lines]

    def ink_words(self) -> Sample:
        text, strokes = self.words.compose(self.rng, self.rng.choice([1, 1, 2, 3, 4, 6]))
        text, strokes = self.with_number(text, strokes) if self.rng.random() < 0.35 else (text, strokes)
        return draw_varied(self.underlined(strokes), self.rng), text

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
        if self.rng.random() < APART:
            text, apart = self.phrases.capitals(), self.rng.uniform(0.3, 1.3)
            return (
                (draw_varied(self.glyphs.compose(text, self.rng, apart), self.rng), text)
                if self.glyphs.can_write(text)
                else None
            )
        text = self.phrases.draw()
        text = text.upper() if self.rng.random() < 0.15 else text
        if len(text) > 40 or not self.glyphs.can_write(text):
            text = self.phrases.everyday()
        if not self.glyphs.can_write(text):
            return None
        return draw_varied(self.underlined(self.glyphs.compose(text, self.rng)), self.rng), text

    def font_line(self, fonts: FontWriter) -> Sample | None:
        apart = self.rng.uniform(0.3, 1.1) if self.rng.random() < APART else 0.0
        text = self.phrases.capitals() if apart else self.phrases.draw()
        grey = fonts.render(text, self.rng, apart)
        return None if grey is None else (grey, text)

    def scan_line(self, name: str) -> Sample:
        line = self.rng.choice(self.scans[name])
        return decoded(line.jpeg), line.text


def fits(ids: list[int], width: int) -> bool:
    """Whether a line of that many pixels has the columns that CTC needs: one a token, one more between two of a kind."""
    repeats = sum(a == b for a, b in itertools.pairwise(ids))
    return len(ids) + repeats + 1 <= width // WIDTH_STRIDE


def collate(lines: list[tuple[np.ndarray, list[int]]]) -> Batch:
    targets = torch.full((len(lines), max(len(ids) for _, ids in lines) + 1), IGNORED)
    for row, (_, ids) in zip(targets, lines, strict=True):
        row[: len(ids) + 1] = torch.tensor([*ids, EOS])
    return Batch(torch.from_numpy(stacked([line for line, _ in lines])), targets)
