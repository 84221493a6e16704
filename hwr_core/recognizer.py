"""TrOCR inference: pictures of single lines, or of formulas, in, `Reading`s out."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image

from hwr_core.decoding import latex
from hwr_core.decoding.decode import decode
from hwr_core.decoding.network import Network
from hwr_core.decoding.scores import DecodingSettings, Hypothesis
from hwr_core.imaging.line_image import clean_line
from hwr_core.reading import BLANK, Alternative, Reading
from hwr_core.runtime.batching import Batcher
from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.scheduling import TURNS
from hwr_core.runtime.settings import low_memory

ALTERNATIVES = 5
# A formula read with less confidence is looked at again, smaller and larger, and the likeliest reading of all counts. Of formulas by
# CROHME's writers kept for choices, whose text is not in training, 80.1 % are then right but for one token, without it 77.1 %.
DOUBTFUL, ZOOMS = 0.5, (0.85, 1.15)
SPLIT = 4  # lines that are worth two batches
LONG = 20  # heights: of longer lines fewer are in a batch

Progress = Callable[[int, int], None]
Pixels = Callable[..., np.ndarray]  # RGB pictures, and for formulas `zoom` → (batch, channels, height, width) float32


class Recognizer:
    """Reads lines with one checkpoint, or, where it is a math one (`reads_formulas`), formulas, whose text is LaTeX.

        recognizer = load_recognizer("text")
        readings = recognizer.read([line_image, ...])

    `ink_height` and `ink_stroke_width` (pixels) are the size at which drawn lines are best rendered for it.
    """

    ink_height = 96
    ink_stroke_width = 5.0
    batch_size = 8  # lines: more are not quicker on a CPU, and take more memory

    def __init__(
        self,
        name: str,
        network: Network,
        pixels: Pixels,
        tokenizer,
        text_of: Callable[[list[int]], str],
        decoding: DecodingSettings,
        reads_formulas: bool = False,
    ):
        """`text_of` gives the text of token ids, `tokenizer` is what it comes from; `decoding` is how the checkpoint is read unless said otherwise."""
        self.name, self.network, self.pixels, self.tokenizer = name, network, pixels, tokenizer
        self.text_of, self.decoding, self.reads_formulas = text_of, decoding, reads_formulas
        self.grammar = decoding.grammar
        self._alone = reads_formulas and low_memory()  # a formula may take a hundred megabytes while it is read
        if self._alone:
            self.batch_size = 1
        # On torch two at once are much slower than one after the other.
        self._turns = TURNS.count if network.fills_the_cores or self._alone else 1
        # Not a method of this object: it would hold itself, and its weights stay until the garbage is looked for.
        self._batcher = Batcher(
            partial(_decode_batch, network, pixels), self.batch_size, partial(TURNS.take, self._turns)
        )

    def read(
        self, images: Sequence[Image.Image | np.ndarray], beams: int | None = None, on_progress: Progress | None = None
    ) -> list[Reading]:
        """Reads each picture of a single line or formula; the readings come in the order of the pictures.

        Pictures are `PIL` images of any mode or uint8 arrays, dark on light or light on dark, with any margin. A blank
        one reads as empty text without the model being asked. More `beams` search more widely, are slower, and give
        fuller alternatives, but of a line that is read without doubt; unless said, they are as many as the checkpoint's `generation_config` names.
        `on_progress(done, total)` is called after each batch; an exception that it raises ends the reading. Raises ValueError where `beams` is below 1.
        """
        readings = [BLANK] * len(images)
        done = 0
        for batch in self.stream(images, beams):
            for index, reading in batch.items():
                readings[index] = reading
            done += len(batch)
            if on_progress is not None:
                on_progress(done, len(images))
        return readings

    def stream(
        self, images: Sequence[Image.Image | np.ndarray], beams: int | None = None
    ) -> Iterator[dict[int, Reading]]:
        """As `read`, batch by batch as they are read: each with the readings by their pictures' places in `images`."""
        if beams is not None and beams < 1:
            raise ValueError("The number of beams must be at least 1.")
        lines = [clean_line(image) for image in images]
        written = [index for index, line in enumerate(lines) if line is not None]
        if len(written) < len(lines):
            yield {index: BLANK for index, line in enumerate(lines) if line is None}
        # Lines of similar width together: little padding, and beams that end at about the same step.
        written.sort(key=lambda index: lines[index].shape[1] / lines[index].shape[0])
        at_once = TURNS.count // self._turns
        lengths = sum(lines[index].shape[1] / lines[index].shape[0] for index in written)
        count = math.ceil(max(len(written), lengths / LONG) / self.batch_size)
        if len(written) >= SPLIT:
            count = min(len(written), -(-count // at_once) * at_once)
        batches = [part.tolist() for part in np.array_split(written, count)] if written else []
        for batch, readings in _side_by_side(
            at_once, batches, lambda batch: self._read_batch([lines[index] for index in batch], beams)
        ):
            yield dict(zip(batch, readings, strict=True))
        if len(written) > 1 or self._alone:
            give_back_freed()

    def _read_batch(self, lines: list[np.ndarray], beams: int | None) -> list[Reading]:
        images = [Image.fromarray(line).convert("RGB") for line in lines]
        results = self._decoded(images, beams)
        doubtful = (
            [index for index, found in enumerate(results) if _confidence(found[0]) < DOUBTFUL]
            if self.reads_formulas
            else []
        )
        for zoom in ZOOMS if doubtful else ():
            for index, found in zip(
                doubtful, self._decoded([images[i] for i in doubtful], beams, zoom=zoom), strict=True
            ):
                results[index] = _together(results[index], found)
        return [self._reading(hypotheses) for hypotheses in results]

    def _decoded(self, images: list[Image.Image], beams: int | None, **options) -> list[list[Hypothesis]]:
        """In batches with what other threads have to be decoded."""
        return self._batcher((self.settings(beams), options), images)

    def settings(self, beams: int | None = None) -> DecodingSettings:
        """How this checkpoint is decoded; with other `beams`, if given."""
        return self.decoding if beams is None else replace(self.decoding, beams=beams)

    def _reading(self, hypotheses: list[Hypothesis]) -> Reading:
        best = hypotheses[0]
        text, confidences = self._text_with_confidences(best.tokens, best.log_probabilities)
        confidence = _confidence(best)
        others = [(other.tokens, other.total - best.total) for other in hypotheses[1:]]
        alternatives: dict[str, float] = {}
        for tokens, difference in [
            *others,
            *_substitutions(best, self.network.end),
        ]:  # what was really followed tells more than a change at one place
            other_text = self._decode(tokens).strip()
            if other_text and other_text != text and self._well_formed(tokens):
                alternatives.setdefault(other_text, confidence * math.exp(min(0.0, difference)))
        ranked = sorted(alternatives.items(), key=lambda item: -item[1])[:ALTERNATIVES]
        return Reading(text, confidence, confidences, tuple(Alternative(*item) for item in ranked), best.complete)

    def _well_formed(self, tokens: list[int]) -> bool:
        return self.grammar is None or self.grammar.accepts([self.grammar.tokens[token] for token in tokens])

    def _decode(self, tokens: list[int]) -> str:
        if self.grammar is not None:
            return "".join(latex.pieces([self.grammar.tokens[token] for token in tokens]))
        return self.text_of(tokens)

    def _text_with_confidences(
        self, tokens: list[int], log_probabilities: list[float]
    ) -> tuple[str, tuple[float, ...]]:
        """The text without outer spaces, and for each of its characters the probability of the token that it is in."""
        text = self._decode(tokens)
        confidences: list[float] = []
        for end, log_probability in enumerate(log_probabilities[: len(tokens)], 1):
            length = len(text) if end == len(tokens) else min(len(self._decode(tokens[:end])), len(text))
            confidences += [min(1.0, math.exp(log_probability))] * (length - len(confidences))
        start = len(text) - len(text.lstrip())
        text = text.strip()
        return text, tuple(confidences[start : start + len(text)])


def _side_by_side(
    at_once: int, batches: list[list[int]], read: Callable[[list[int]], list[Reading]]
) -> Iterator[tuple[list[int], list[Reading]]]:
    """The batches and what `read` makes of them, in order, `at_once` in threads of their own while the one before is used."""
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
        pool.shutdown(wait=False, cancel_futures=True)  # whoever wants no more need not wait for what is under way


def _decode_batch(
    network: Network, pixels: Pixels, kind: tuple[DecodingSettings, dict], images: list[Image.Image]
) -> list[list[Hypothesis]]:
    settings, options = kind
    return decode(network, pixels(images, **options), settings)


def _confidence(hypothesis: Hypothesis) -> float:
    return math.exp(min(0.0, sum(hypothesis.log_probabilities)))


def _together(first: list[Hypothesis], second: list[Hypothesis]) -> list[Hypothesis]:
    """All hypotheses, the best first, each sequence once."""
    found: dict[tuple[int, ...], Hypothesis] = {}
    for hypothesis in sorted([*first, *second], key=lambda hypothesis: -hypothesis.score):
        found.setdefault(tuple(hypothesis.tokens), hypothesis)
    return list(found.values())


def _substitutions(best: Hypothesis, end: int) -> list[tuple[list[int], float]]:
    """The best sequence with one token changed for its runner-up at that step, and what that takes from its log probability; where the
    runner-up is the end, the sequence ends there."""
    changed = []
    for index, (token, (other, log_probability)) in enumerate(zip(best.tokens, best.runners_up, strict=False)):
        difference = log_probability - best.log_probabilities[index]
        # A runner-up that seemed better there was left for what came after it, which is not known here.
        if -7 < difference <= 0 and other != token:
            rest = [] if other == end else [other, *best.tokens[index + 1 :]]
            changed.append(([*best.tokens[:index], *rest], difference))
    return sorted(changed, key=lambda change: -change[1])[:ALTERNATIVES]
