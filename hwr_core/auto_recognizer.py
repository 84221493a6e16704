"""Text and formulas mixed: lines in doubt are read by both built-in checkpoints, and the more probable reading is kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from hwr_core.decoding.network import Network
from hwr_core.decoding.scores import DecodingSettings
from hwr_core.imaging.arrays import is_picture
from hwr_core.loaded_model import Pixels
from hwr_core.own_words import checked_words
from hwr_core.reading import Reading
from hwr_core.recognizer import MAX_BATCH_SIZE, Recognizer
from hwr_core.tasks import Task, TextOf
from hwr_core.text_or_formula import LEAST_FORMULA, in_doubt, more_probable

NAME = "auto"


class AutoRecognizer(Recognizer):
    """Reads lines of text and formulas with the text and the math checkpoint: `load_recognizer("auto")`.

    Each image is read as text. One in doubt is read as a formula too, and the more probable reading is kept;
    `Reading.formula` tells which it is. The network, the tokenizer and the task are the text checkpoint's.
    """

    def __init__(
        self,
        load: Callable[[str], Recognizer],
        batch_size: int | None = None,
        changes: dict[str, Any] | None = None,
        words: tuple[str, ...] = (),
    ):
        """Loads nothing yet.

        Args:
            load: Loads a built-in checkpoint by its name. Picklable; needed again only to pickle the recognizer.
            batch_size: Images per batch, as for `Recognizer`.
            changes: Decoding settings that differ from the checkpoints' own.
            words: Words to favour in text.

        Raises:
            ValueError: `batch_size` is not a whole number in its range.
        """
        if batch_size is not None and not (type(batch_size) is int and 1 <= batch_size <= MAX_BATCH_SIZE):
            raise ValueError(f"The batch size is a whole number from 1 to {MAX_BATCH_SIZE}, not {batch_size!r:.60}.")
        self._load, self._chosen_batch_size, self._changes, self._words = load, batch_size, changes or {}, words

    @cached_property
    def text(self) -> Recognizer:
        """The recognizer of text."""
        return self._loaded("text")

    @cached_property
    def math(self) -> Recognizer:
        """The recognizer of formulas. It is loaded when the first line is in doubt."""
        return self._loaded("math")

    @property
    def of_text(self) -> Recognizer:
        return self.text

    @property
    def of_formulas(self) -> Recognizer:
        return self.math

    @property
    def doubting(self) -> Recognizer:
        """The recognizer of formulas for ink that may be text: it gives up where no formula would be kept."""
        return self.math.with_decoding(give_up_below=LEAST_FORMULA)

    @property
    def name(self) -> str:
        return NAME

    @property
    def batch_size(self) -> int:
        return self.text.batch_size

    @property
    def network(self) -> Network:
        return self.text.network

    @property
    def pixels(self) -> Pixels:
        return self.text.pixels

    @property
    def tokenizer(self) -> Any:
        return self.text.tokenizer

    @property
    def text_of(self) -> TextOf:
        return self.text.text_of

    @property
    def decoding(self) -> DecodingSettings:
        return self.text.decoding

    @property
    def task(self) -> Task:
        return self.text.task

    def with_decoding(self, **changes: Any) -> "AutoRecognizer":
        self.text.with_decoding(**changes)  # raises an error for settings that do not exist
        return AutoRecognizer(self._load, self._chosen_batch_size, self._changes | changes, self._words)

    def with_batch_size(self, batch_size: int) -> "AutoRecognizer":
        return AutoRecognizer(self._load, batch_size, self._changes, self._words)

    def with_words(self, words: str | Iterable[str]) -> "AutoRecognizer":
        return AutoRecognizer(self._load, self._chosen_batch_size, self._changes, checked_words(words))

    def __reduce__(self) -> tuple:
        return AutoRecognizer, (self._load, self._chosen_batch_size, self._changes, self._words)

    def stream(
        self, images: Sequence[Image.Image | np.ndarray], beams: int | None = None
    ) -> Iterator[dict[int, Reading]]:
        pictures: list[Any] = [images] if is_picture(images) else list(images)
        doubtful: dict[int, Reading] = {}
        for batch in self.text.stream(pictures, beams):
            doubtful |= {index: reading for index, reading in batch.items() if in_doubt(reading)}
            if sure := {index: reading for index, reading in batch.items() if index not in doubtful}:
                yield sure
        numbers = list(doubtful)
        if not numbers:
            return
        for batch in self.doubting.stream([pictures[number] for number in numbers], beams):
            found = {numbers[place]: reading for place, reading in batch.items()}
            yield {number: more_probable([doubtful[number]], [reading])[0] for number, reading in found.items()}

    def _loaded(self, name: str) -> Recognizer:
        recognizer = self._load(name)
        if self._changes:
            recognizer = recognizer.with_decoding(**self._changes)
        if self._words and name == "text":
            recognizer = recognizer.with_words(self._words)
        return recognizer if self._chosen_batch_size is None else recognizer.with_batch_size(self._chosen_batch_size)
