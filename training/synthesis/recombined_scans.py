"""Scanned lines cut into words, and words of one writer put into new lines: other sentences in the same hands."""

import random

import cv2
import numpy as np

from hwr_core.imaging.ink_mask import ink_mask
from training.data.charset import STRUCK
from training.data.datasets import ScanLine
from training.synthesis import struck

Word = tuple[str, np.ndarray]  # its text, and its piece of the line over the line's whole height


def cut_words(grey: np.ndarray, text: str) -> list[Word] | None:
    """The line's words, told apart by its widest gaps; None where the gaps do not tell clearly."""
    texts = text.split(" ")
    columns = np.flatnonzero(ink_mask(grey).any(0))
    if len(columns) < 2:
        return None
    gaps = np.diff(columns)
    order = np.argsort(-gaps, kind="stable")
    cuts, rest = np.sort(order[: len(texts) - 1]), order[len(texts) - 1 :]
    if len(cuts) < len(texts) - 1:
        return None
    if len(cuts) and (
        gaps[cuts].min() < 0.15 * grey.shape[0] or (len(rest) and gaps[cuts].min() < 1.7 * gaps[rest[0]])
    ):
        return None
    starts = [columns[0], *columns[cuts + 1]]
    ends = [*columns[cuts], columns[-1]]
    return [
        (word, grey[:, max(0, left - 2) : right + 3]) for word, left, right in zip(texts, starts, ends, strict=True)
    ]


class ScanPool:
    """Lines by writer, of which new ones are made."""

    def __init__(self, lines: list[ScanLine]):
        self.writers: dict[str, list[ScanLine]] = {}
        for line in lines:
            self.writers.setdefault(line.writer, []).append(line)
        self.names = [name for name, own in self.writers.items() if len(own) >= 5]
        self.weights = [len(self.writers[name]) for name in self.names]

    def compose(self, rng: random.Random) -> tuple[np.ndarray, str] | None:
        """One to six words of two or three lines by one writer side by side, now and then one struck out; None where the lines do not come apart."""
        own = self.writers[rng.choices(self.names, self.weights)[0]]
        pool: list[Word] = []
        for line in rng.sample(own, 3):
            grey = cv2.imdecode(np.frombuffer(line.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
            if grey is not None:
                pool += cut_words(grey, line.text) or []
        if not pool:
            return None
        words = rng.sample(pool, min(len(pool), rng.randint(1, 6)))
        if rng.random() < struck.SHARE:
            place = rng.randrange(len(words))
            text, image = words[place]
            if len(text) >= struck.LEAST_LETTERS:
                words[place] = text + STRUCK, struck.struck_picture(image, rng)
        height = max(image.shape[0] for _, image in words)
        paper = int(np.median([np.percentile(image, 80) for _, image in words]))
        pieces = []
        for _, image in words:
            tone = paper - np.percentile(image, 80)  # one sheet, though the scans of its lines differ a little
            image = np.clip(image + tone, 0, 255).astype(np.uint8)
            image = cv2.resize(image, (max(1, round(image.shape[1] * height / image.shape[0])), height))
            gap = np.full((height, round(height * rng.uniform(0.18, 0.5))), paper, np.uint8)
            pieces += [image, gap]
        joined = np.concatenate(pieces[:-1], 1)
        return cv2.copyMakeBorder(joined, 0, 0, 3, 3, cv2.BORDER_CONSTANT, value=paper), " ".join(
            text for text, _ in words
        )
