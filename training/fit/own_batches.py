"""Batches of one's own lines or formulas, varied, with general lines between them."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from transformers import PreTrainedTokenizerFast

from hwr_core.checkpoints.pixels import FormulaPixels, LinePixels
from hwr_core.decoding.latex import canonical
from hwr_core.errors import HandwritingError
from hwr_core.imaging.line_image import crop_to_ink
from training.data.own_lines import OwnLine
from training.data.replay import Sample
from training.fit.model import MAX_LENGTH
from training.synthesis.augment import cut_tightly, degrade, draw_varied, frame, soil
from training.synthesis.batch import Batch
from training.synthesis.line_stream import UNK, collate, fits

OWN_IN_BATCH = 6  # lines
VARIANTS = 4  # of each line
FEWEST_BATCHES, MOST_BATCHES = 8, 40
VARIED = 0.8  # share of the lines that are varied

Item = tuple[np.ndarray, list[int]]  # a picture as the encoder takes it, and its tokens


class Input(Protocol):
    """What a checkpoint takes: pictures and tokens."""

    def item(self, grey: np.ndarray, text: str, rng: random.Random | None = None, drawn: bool = False) -> Item | None:
        """A line for a batch.

        Args:
            grey: The picture.
            text: Its transcript.
            rng: Varies the picture; None leaves it as it is.
            drawn: Whether the picture has no paper of its own.

        Returns:
            None if nothing is written on the picture, or if the text does not fit it.
        """


class LineInput:
    """Lines of text for a checkpoint with CTC."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, height: int):
        self.tokenizer, self.pixels = tokenizer, LinePixels(height)

    def item(self, grey: np.ndarray, text: str, rng: random.Random | None = None, drawn: bool = False) -> Item | None:
        if rng is not None and rng.random() < VARIED:
            grey = degrade(grey, rng, drawn)
        pick = 1.0 if rng is None else rng.random()
        cropped = frame(grey, rng) if rng and pick < 0.2 else cut_tightly(grey, rng) if rng and pick < 0.3 else None
        cropped = crop_to_ink(grey) if cropped is None else cropped
        if cropped is None or min(cropped.shape) < 4:
            return None
        picture = self.pixels.line(cropped)
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        return (picture, ids) if UNK not in ids and fits(ids, picture.shape[1]) else None


class FormulaInput:
    """Formulas."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast):
        self.vocabulary, self.pixels = tokenizer.get_vocab(), FormulaPixels()

    def item(self, grey: np.ndarray, text: str, rng: random.Random | None = None, drawn: bool = False) -> Item | None:
        if rng is not None and rng.random() < VARIED:
            grey = soil(grey, rng, drawn)
        cropped = crop_to_ink(grey)
        if cropped is None or min(cropped.shape) < 4:
            return None
        zoom = 1.0 if rng is None else rng.uniform(0.9, 1.12)
        ids = [self.vocabulary[token] for token in canonical(text)]
        return (self.pixels.formula(cropped, zoom), ids) if len(ids) < MAX_LENGTH - 1 else None


def check_formulas(lines: Sequence[OwnLine], known: Sequence[str]) -> None:
    """Checks that a checkpoint can write the formulas.

    Raises:
        HandwritingError: One is not well formed, or has an unknown token. The message names its place.
    """
    for line in lines:
        try:
            tokens = canonical(line.text)
        except HandwritingError as error:
            raise HandwritingError(f"The formula in {line.origin} is not well formed: {error}") from None
        if unknown := [token for token in tokens if token not in known]:
            raise HandwritingError(f"The checkpoint cannot write {unknown[0]!r}, which is in {line.origin}.")


def batch_count(lines: int) -> int:
    """Batches that are prepared for so many lines: each line comes in some `VARIANTS`."""
    return min(MOST_BATCHES, max(FEWEST_BATCHES, -(-lines * VARIANTS // OWN_IN_BATCH)))


@dataclass
class OwnBatches:
    """Endless batches of one's own lines, varied, each with general lines.

    Attributes:
        lines: One's own.
        input: What the checkpoint takes.
        general: Makes a general line: a picture and its text. None: there are none.
        replay: General lines for each line of one's own.
        seed: Of the variation.
    """

    lines: Sequence[OwnLine]
    input: Input
    general: Callable[[random.Random], Sample] | None = None
    replay: float = 0.5
    seed: int = 1
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def __iter__(self) -> Iterator[Batch]:
        left: list[OwnLine] = []
        while True:
            found: list[Item] = []
            while len(found) < OWN_IN_BATCH:
                if not left:
                    left = self.rng.sample(list(self.lines), len(self.lines))
                line = left.pop()
                drawn = line.strokes is not None and not line.formula
                grey = draw_varied(line.strokes, self.rng) if drawn and line.strokes else line.grey
                if item := self.input.item(grey, line.text, self.rng, drawn):
                    found.append(item)
            while self.general is not None and len(found) < round(OWN_IN_BATCH * (1 + self.replay)):
                if item := self.input.item(*self.general(self.rng), self.rng):
                    found.append(item)
            yield collate(found)


def plain_batches(lines: Sequence[OwnLine], input: Input) -> list[Batch]:
    """Batches of lines as they are, without variation and without general lines."""
    found = [item for line in lines if (item := input.item(line.grey, line.text)) is not None]
    found.sort(key=lambda item: item[0].shape[1])
    return [collate(found[start : start + OWN_IN_BATCH]) for start in range(0, len(found), OWN_IN_BATCH)]
