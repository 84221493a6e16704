"""TrOCR inference: images of single lines or formulas in, `Reading`s out."""

import math
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from hwr_core.decoding.decode import decode
from hwr_core.decoding.network import Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.decoding.struck import STRUCK, without_marks
from hwr_core.decoding.twins import sureness_of_shape
from hwr_core.decoding.unused_ink import repeats_of
from hwr_core.errors import HandwritingError
from hwr_core.imaging.arrays import is_picture
from hwr_core.imaging.line_image import clean_line_and_mask
from hwr_core.loaded_model import LoadedModel, Pixels
from hwr_core.own_words import checked_words, token_texts, word_list
from hwr_core.reading import BLANK, Alternative, Reading
from hwr_core.runtime.batching import Batcher
from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.scheduling import SLOTS, SMALL
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import spread
from hwr_core.tasks import Parting, Task, TextOf

BATCH_SIZE = 8  # images: larger batches are not faster on a CPU, and take more memory
MAX_BATCH_SIZE = 256  # images
ALTERNATIVES = 5  # other readings of an image, at most
SURE_REPEATS = 0.5  # confidence from which a text that repeats itself is believed
CUT_CONFIDENCE = 0.01  # of a text that ran in circles, at most
SPLIT_FROM = 4  # lines: from here on they are spread over as many batches as can run at once
LONG_LINE = 20  # width divided by height; batches of longer lines are smaller

Progress = Callable[[int, int], None]  # images read, images in all


class Recognizer:
    """Reads images with one checkpoint: text lines, or formulas as LaTeX.

        recognizer = load_recognizer("text")
        readings = recognizer.read([line_image, ...])

    Several threads may read at once. A recognizer never changes, because `load_recognizer` gives the same one to all
    callers: `with_decoding` and `with_batch_size` return copies, which share the network. A pickled recognizer holds
    only the checkpoint's name and settings, and is loaded again where it is unpickled.
    """

    def __init__(
        self,
        model: LoadedModel,
        batch_size: int | None = None,
        reload: "Callable[[], Recognizer] | None" = None,
    ):
        """Wraps a loaded model. Most callers use `load_recognizer` instead.

        Args:
            model: The checkpoint in memory.
            batch_size: Images per batch, 1 to `MAX_BATCH_SIZE`. None: `BATCH_SIZE`, or 1 for formulas when memory is
                short.
            reload: Loads the same checkpoint again. Picklable; needed only to pickle the recognizer.

        Raises:
            ValueError: `batch_size` is not a whole number in its range.
        """
        if batch_size is not None and not (type(batch_size) is int and 1 <= batch_size <= MAX_BATCH_SIZE):
            raise ValueError(f"The batch size is a whole number from 1 to {MAX_BATCH_SIZE}, not {batch_size!r:.60}.")
        self._model, self._chosen_batch_size, self._reload = model, batch_size, reload
        self._changes: dict[str, Any] = {}  # decoding settings that differ from the checkpoint's
        self._words: tuple[str, ...] = ()
        self._process = os.getpid()
        self._exclusive = model.task.memory_intensive and low_memory()
        self._batch_size = batch_size or (1 if self._exclusive else BATCH_SIZE)
        # On torch, two batches at once are much slower than one after the other.
        self._slots = SLOTS.count if model.network.fills_the_cores or self._exclusive else 1
        # A method of this object would be a reference cycle, and keep the weights until the garbage collector runs.
        self._batcher = Batcher(
            partial(_decode_batch, model.network, model.pixels), self._batch_size, partial(SLOTS.acquire, self._slots)
        )

    @property
    def name(self) -> str:
        """The name that the checkpoint was loaded by."""
        return self._model.name

    @property
    def network(self) -> Network:
        """The encoder and decoder."""
        return self._model.network

    @property
    def pixels(self) -> Pixels:
        """Turns RGB images into the encoder's input."""
        return self._model.pixels

    @property
    def tokenizer(self) -> Any:
        """The checkpoint's tokenizer."""
        return self._model.tokenizer

    @property
    def text_of(self) -> TextOf:
        """Turns token ids into text."""
        return self._model.text_of

    @property
    def decoding(self) -> DecodingSettings:
        """How images are decoded unless `beams` is given; see `with_decoding`."""
        return self._model.decoding

    @property
    def task(self) -> Task:
        """What the checkpoint reads."""
        return self._model.task

    @property
    def of_text(self) -> "Recognizer":
        """The recognizer of text where one reads text and formulas; else this one."""
        return self

    @property
    def of_formulas(self) -> "Recognizer | None":
        """The recognizer of formulas, where this one reads some."""
        return self if self.reads_formulas else None

    @property
    def reads_formulas(self) -> bool:
        """True if the readings are LaTeX."""
        return self.task.reads_formulas

    @property
    def ink_height(self) -> int:
        """Height in pixels at which drawn lines are best rendered."""
        return self.task.ink_height

    @property
    def ink_stroke_width(self) -> float:
        """Stroke width in pixels at which drawn lines are best rendered."""
        return self.task.ink_stroke_width

    @property
    def batch_size(self) -> int:
        """Images per batch, at most."""
        return self._batch_size

    def with_decoding(self, **changes: Any) -> "Recognizer":
        """Returns a copy with other decoding settings, which shares the network.

        Args:
            **changes: Fields of `DecodingSettings`, such as `beams=4` or `language_model_weight=0.0`.

        Raises:
            TypeError: There is no such field.
            ValueError: `beams` is below 1.
        """
        _check_beams(changes.get("beams"))
        model = replace(self._model, decoding=replace(self.decoding, **changes))
        return self._copy(model, self._chosen_batch_size, self._changes | changes)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that `with_language` takes, as codes of ISO 639-1; empty where there is no choice."""
        model = self.decoding.language_model
        return model.languages if model is not None and len(model.languages) > 1 else ()

    def likelihood(self, text: str) -> float:
        """The mean log probability of a text's characters in the language that makes it likeliest.

        Characters that the checkpoint does not write are left out. 0 without a language model.
        """
        model = self.decoding.language_model
        if model is None:
            return 0.0
        token_of = {written: token for token, written in enumerate(token_texts(self._model))}
        tokens = [token_of[character] for character in text if character in token_of]
        return float(model.in_each_language(tokens).max()) / (len(tokens) + 1)

    def with_language(self, language: str | None) -> "Recognizer":
        """Returns a copy that takes every line of text to be in one language, and shares the network.

        Args:
            language: One of `languages`; None has each line tell its own.

        Raises:
            HandwritingError: There is no such language.
        """
        if language is not None and language not in self.languages:
            known = ", ".join(self.languages)
            choice = f"choose one of {known}" if known else "leave it out"
            raise HandwritingError(f"The checkpoint {self.name} has no language {language[:20]!r}: {choice}.")
        return self.with_decoding(language=language)

    def with_batch_size(self, batch_size: int) -> "Recognizer":
        """Returns a copy that reads up to `batch_size` images per batch, and shares the network.

        Raises:
            ValueError: `batch_size` is not a whole number from 1 to `MAX_BATCH_SIZE`.
        """
        return self._copy(self._model, batch_size, self._changes)

    @property
    def words(self) -> tuple[str, ...]:
        """The words that the search favours; see `with_words`."""
        return self._words

    @property
    def unwritable_words(self) -> tuple[str, ...]:
        """The listed words that have characters that the checkpoint never writes. They are ignored."""
        table = self.decoding.word_list
        return () if table is None else tuple(table.unwritable)

    def with_words(self, words: str | Iterable[str]) -> "Recognizer":
        """Returns a copy that favours these words, and shares the network.

        Listed names and terms are read right more often. Other words are read as before, unless one resembles a listed
        word and the picture leaves it open. Capitals count too: `Anna` also favours `ANNA`, `anna` also `Anna`.

        Args:
            words: The words, or a text of words with spaces, commas or line breaks between them. They replace words
                given earlier; none ends the favour. A checkpoint of formulas ignores them.

        Raises:
            TooLargeError: There are too many words (`hwr_core.runtime.limits.WORDS`), or one is too long.
        """
        chosen = checked_words(words)
        decoding = replace(self.decoding, word_list=word_list(self._model, chosen))
        copied = self._copy(replace(self._model, decoding=decoding), self._chosen_batch_size, self._changes)
        copied._words = chosen
        return copied

    def _copy(self, model: LoadedModel, batch_size: int | None, changes: dict[str, Any]) -> "Recognizer":
        copied = Recognizer(model, batch_size, self._reload)
        copied._changes, copied._process, copied._words = changes, self._process, self._words
        return copied

    def __reduce__(self) -> tuple:
        """Pickles the checkpoint's name and settings, never its weights.

        Raises:
            pickle.PicklingError: The recognizer was not made by `load_recognizer`.
        """
        if self._reload is None:
            raise pickle.PicklingError("Only a recognizer that load_recognizer returned can be pickled.")
        return _unpickled, (self._reload, self._changes, self._chosen_batch_size, self._words)

    def read(
        self,
        images: Sequence[Image.Image | np.ndarray],
        beams: int | None = None,
        on_progress: Progress | None = None,
        words: str | Iterable[str] = (),
    ) -> list[Reading]:
        """Reads images of single lines or formulas.

        Args:
            images: `PIL` images of any mode, or arrays as `hwr_core.imaging.arrays.as_image` takes them, dark on light
                or light on dark, with any margin. A single image counts as a list of one. A blank image is read as
                empty text without asking the model.
            beams: Hypotheses followed at once; None: `decoding.beams`. More are slower, find more, and give fuller
                alternatives, except for lines that are read with high confidence.
            on_progress: Called as `on_progress(done, total)` after each batch. An exception that it raises stops the
                reading.
            words: Words to favour, as for `with_words`. Empty: those that this recognizer was given.

        Returns:
            One reading for each image, in the order of the images.

        Raises:
            TooLargeError: There are too many words, or one is too long.
            ValueError: `beams` is below 1.
            RuntimeError: The recognizer was loaded before this process was forked, or this thread holds `SLOTS`.
        """
        readings = [BLANK] * (1 if is_picture(images) else len(images))
        done = 0
        for batch in (self.with_words(words) if words else self).stream(images, beams):
            for index, reading in batch.items():
                readings[index] = reading
            done += len(batch)
            if on_progress is not None:
                on_progress(done, len(readings))
        return readings

    def stream(
        self, images: Sequence[Image.Image | np.ndarray], beams: int | None = None
    ) -> Iterator[dict[int, Reading]]:
        """Reads like `read`, and yields each batch as soon as it is done.

        Yields:
            The readings of a batch by their images' indices in `images`.

        Raises:
            ValueError: `beams` is below 1.
            RuntimeError: The recognizer was loaded before this process was forked, or this thread holds `SLOTS`.
        """
        _check_beams(beams)
        self._check_process()
        SLOTS.check_not_held()
        waiting = dict(enumerate(spread(self._partings, [images] if is_picture(images) else images)))
        if blank := {index: BLANK for index, ways in waiting.items() if not ways}:
            yield blank
        size = 0
        waiting = {index: ways for index, ways in waiting.items() if ways}
        while waiting:
            parts = Parts({index: ways[0] for index, ways in waiting.items()})
            size += sum(part.size for part in parts.pictures.values())
            for finished in self._read_parts(parts, beams):
                if found := {index: reading for index, reading in finished.items() if reading is not None}:
                    yield found
                waiting = {index: ways for index, ways in waiting.items() if index not in found}
            waiting = {index: ways[1:] for index, ways in waiting.items()}
        if size > SMALL or self._exclusive:  # less leaves little behind
            give_back_freed()

    def _partings(self, image: Image.Image | np.ndarray) -> list[Parting]:
        """The ways to read an image, the first to try first; none of a blank image."""
        found = clean_line_and_mask(image)
        return [] if found is None else self.task.partings(*found)

    def _read_parts(self, parts: "Parts", beams: int | None) -> Iterator[dict[int, Reading | None]]:
        """Yields the readings of images as soon as all of their parts are read; None: to be read in another way."""
        at_once = SLOTS.count // self._slots
        batches = _batches({place: _width(part) for place, part in parts.pictures.items()}, self.batch_size, at_once)
        for batch, readings in _side_by_side(
            at_once, batches, lambda batch: self._read_batch([parts.pictures[place] for place in batch], beams)
        ):
            if finished := parts.finished(dict(zip(batch, readings, strict=True))):
                yield finished

    def _check_process(self) -> None:
        """The threads of onnxruntime and torch do not exist in a forked child: reading there would wait for ever."""
        if os.getpid() != self._process:
            raise RuntimeError(
                f"The recognizer {self.name} was loaded before this process was forked: "
                "call load_recognizer in the child process, or start it with the method spawn."
            )

    def _read_batch(self, lines: list[np.ndarray], beams: int | None) -> list[Reading]:
        images = [Image.fromarray(line).convert("RGB") for line in lines]
        results = self._decoded(images, beams)
        doubtful = self.decoding.give_up_below, self.task.retry_below
        unsure = [index for index, found in enumerate(results) if doubtful[0] <= _confidence(found[0]) < doubtful[1]]
        for zoom in self.task.retry_zooms if unsure else ():
            retried = self._decoded([images[index] for index in unsure], beams, zoom=zoom)
            for index, found in zip(unsure, retried, strict=True):
                results[index] = _together(results[index], found)
        return [self._reading(hypotheses) for hypotheses in results]

    def _decoded(self, images: list[Image.Image], beams: int | None, **options: float) -> list[list[Hypothesis]]:
        """Decodes the images, in batches shared with other threads."""
        return self._batcher((self.settings(beams), options), images)

    def settings(self, beams: int | None = None) -> DecodingSettings:
        """Returns how images are decoded when `read` is called with these `beams`."""
        return self.decoding if beams is None else replace(self.decoding, beams=beams)

    def _reading(self, hypotheses: list[Hypothesis]) -> Reading:
        best = hypotheses[0]
        repeats = None if best.complete and _confidence(best) > SURE_REPEATS else repeats_of(best.tokens)
        if repeats is not None:
            return self._cut_short(best, repeats)
        text, confidences, word_confidences, struck = self._text_with_confidences(best)
        confidence = _confidence(best) * (1 - sum(stop - start for start, stop in best.unread)) ** 2
        # Hypotheses that the search really followed say more than a change at a single step, so they come first.
        others = [(other.tokens, other.total - best.total) for other in hypotheses[1:]]
        alternatives: dict[str, float] = {}
        for tokens, difference in [*others, *_substitutions(best, self.network.end)]:
            other_text = self.text_of(tokens).replace(STRUCK, "").strip()
            if other_text and other_text != text and self._well_formed(tokens):
                alternatives.setdefault(other_text, confidence * math.exp(min(0.0, difference)))
        followed = next(iter(alternatives.items()), None) if others else None
        ranked = tuple(Alternative(*item) for item in sorted(alternatives.items(), key=lambda item: -item[1]))
        if followed is not None and followed[0] not in [other.text for other in ranked[:ALTERNATIVES]]:
            # Where a listed word took its place, what was read without the list stays on offer.
            ranked = (*ranked[: ALTERNATIVES - 1], Alternative(*followed))
        sureness = sureness_of_shape(text, _mean(confidences), confidence, alternatives)
        if text and sureness < self.decoding.unreadable_below:
            guesses = (Alternative(text, confidence), *ranked)[:ALTERNATIVES]
            return Reading("", confidence, (), guesses, best.complete, unreadable=True, formula=self.reads_formulas)
        return Reading(
            text,
            confidence,
            confidences,
            ranked[:ALTERNATIVES],
            best.complete,
            best.unread,
            formula=self.reads_formulas,
            struck=struck,
            word_confidences=word_confidences,
        )

    def _cut_short(self, best: Hypothesis, repeats: slice) -> Reading:
        """The reading of a hypothesis without the tokens that only repeat others."""
        kept = replace(
            best,
            tokens=_without(best.tokens, repeats),
            log_probabilities=_without(best.log_probabilities, repeats),
            word_confidences=tuple(_without(best.word_confidences, repeats)),
        )
        text, confidences, word_confidences, struck = self._text_with_confidences(kept)
        return Reading(
            text,
            min(_confidence(best), CUT_CONFIDENCE),
            confidences,
            complete=False,
            formula=self.reads_formulas,
            struck=struck,
            word_confidences=word_confidences,
        )

    def _well_formed(self, tokens: list[int]) -> bool:
        grammar = self.decoding.grammar
        return grammar is None or grammar.accepts([grammar.tokens[token] for token in tokens])

    def _text_with_confidences(
        self, best: Hypothesis
    ) -> tuple[str, tuple[float, ...], tuple[float, ...], tuple[tuple[int, int], ...]]:
        """A hypothesis as text without outer spaces.

        Returns:
            The text, for each character the probability of its token and that of its word (empty where the hypothesis
            has none), and the struck-out words.
        """
        text = self.text_of(best.tokens)
        lengths = self.task.text_lengths(best.tokens, text, self.text_of, self.decoding.grammar)
        kept = slice(len(text) - len(text.lstrip()), len(text.rstrip()))
        letters = _of_characters([math.exp(min(0.0, value)) for value in best.log_probabilities], lengths)
        words = _of_characters(best.word_confidences, lengths)
        shown, confidences, struck = without_marks(text[kept], letters[kept])
        return shown, confidences, without_marks(text[kept], words[kept])[1] if words else (), struck


class Parts:
    """The parts of images that are read one by one, and the readings so far.

    Attributes:
        pictures: By the parts' numbers, over all images.
    """

    def __init__(self, images: Mapping[int, Parting]):
        """Numbers the parts of all images, which have indices."""
        self.pictures: dict[int, np.ndarray] = {}
        self._readings: dict[int, Reading] = {}
        self._open: dict[int, tuple[Parting, range]] = {}
        for index, parting in images.items():
            start = len(self.pictures)
            self._open[index] = parting, range(start, start + len(parting.pictures))
            self.pictures.update(enumerate(parting.pictures, start))

    def finished(self, readings: dict[int, Reading]) -> dict[int, Reading | None]:
        """Takes the readings of parts; returns those of the images whose parts are all read now, by their indices."""
        self._readings |= readings
        done = {}
        for index, (parting, numbers) in list(self._open.items()):
            if all(number in self._readings for number in numbers):
                done[index] = parting.joined([self._readings.pop(number) for number in numbers])
                del self._open[index]
        return done


def _unpickled(
    reload: Callable[[], Recognizer], changes: dict[str, Any], batch_size: int | None, words: tuple[str, ...]
) -> Recognizer:
    recognizer = reload()
    if changes:
        recognizer = recognizer.with_decoding(**changes)
    if words:
        recognizer = recognizer.with_words(words)
    return recognizer if batch_size is None else recognizer.with_batch_size(batch_size)


def _check_beams(beams: int | None) -> None:
    if beams is not None and beams < 1:
        raise ValueError("The number of beams must be at least 1.")


def _width(line: np.ndarray) -> float:
    """The width of a line in its heights."""
    return line.shape[1] / line.shape[0]


def _batches(widths: dict[int, float], batch_size: int, at_once: int) -> list[list[int]]:
    """Splits the lines, named by their indices, into batches of similar width.

    Such batches have little padding, and their beams end at about the same step. `at_once` batches can run at once.
    """
    if not widths:
        return []
    count = math.ceil(max(len(widths), sum(widths.values()) / LONG_LINE) / batch_size)
    if len(widths) >= SPLIT_FROM:
        count = min(len(widths), -(-count // at_once) * at_once)
    return [part.tolist() for part in np.array_split(sorted(widths, key=lambda index: widths[index]), count)]


def _side_by_side(
    at_once: int, batches: list[list[int]], read: Callable[[list[int]], list[Reading]]
) -> Iterator[tuple[list[int], list[Reading]]]:
    """Yields each batch with its readings, in order. The next `at_once` batches are read in threads meanwhile."""
    if at_once == 1 or len(batches) == 1:
        yield from ((batch, read(batch)) for batch in batches)
        return
    pool = ThreadPoolExecutor(at_once, "lines")
    started: deque = deque()
    try:
        for batch in batches:
            started.append((batch, pool.submit(read, batch)))
            if len(started) > at_once:
                first, reading = started.popleft()
                yield first, reading.result()
        while started:
            first, reading = started.popleft()
            yield first, reading.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # a caller that stops early does not wait for running batches


def _decode_batch(
    network: Network, pixels: Pixels, kind: tuple[DecodingSettings, dict], images: list[Image.Image]
) -> list[list[Hypothesis]]:
    settings, options = kind
    return decode(network, pixels(images, **options), settings)


def _confidence(hypothesis: Hypothesis) -> float:
    return math.exp(min(0.0, sum(hypothesis.log_probabilities)))


def _of_characters(values: Sequence[float], lengths: Sequence[int]) -> list[float]:
    """For each character of a text the value of its token; `lengths` are those of the text after each token."""
    found: list[float] = []
    for length, value in zip(lengths, values, strict=False):
        found += [value] * (length - len(found))
    return found


def _mean(confidences: Sequence[float]) -> float:
    """The geometric mean of the confidences of characters."""
    return math.exp(sum(math.log(max(value, 1e-9)) for value in confidences) / max(1, len(confidences)))


def _together(first: list[Hypothesis], second: list[Hypothesis]) -> list[Hypothesis]:
    """Returns the hypotheses of both, the best first, each sequence once."""
    found: dict[tuple[int, ...], Hypothesis] = {}
    for hypothesis in sorted([*first, *second], key=lambda hypothesis: -hypothesis.score):
        found.setdefault(tuple(hypothesis.tokens), hypothesis)
    return list(found.values())


def _substitutions(best: Hypothesis, end: int) -> list[tuple[list[int], float]]:
    """Returns the best sequence with one token replaced by its runner-up, for each step where that is likely.

    Each comes with the log probability that the change costs. A runner-up that is the end token ends the sequence.
    """
    changed = []
    for index, (token, (other, log_probability)) in enumerate(zip(best.tokens, best.runners_up, strict=False)):
        difference = log_probability - best.log_probabilities[index]
        # A runner-up that scored higher lost because of later steps, which are not known here.
        if -7 < difference <= 0 and other != token:
            rest = [] if other == end else [other, *best.tokens[index + 1 :]]
            changed.append(([*best.tokens[:index], *rest], difference))
    return sorted(changed, key=lambda change: -change[1])[:ALTERNATIVES]


def _without(values: Sequence[Any], part: slice) -> list[Any]:
    return [*values[: part.start], *values[part.stop :]]
