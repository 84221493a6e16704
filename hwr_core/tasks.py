"""The two kinds of reading a checkpoint is trained for: text lines, and formulas.

`Recognizer`, the loaders and the pipeline ask the task for everything that differs between them.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from PIL import Image

from hwr_core.decoding import latex
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.decoding.standing_apart import formulas_apart
from hwr_core.errors import TooLargeError
from hwr_core.imaging.ink_mask import line_mask
from hwr_core.imaging.line_image import crop_to_ink
from hwr_core.imaging.line_parts import split_long, split_rows, split_white
from hwr_core.imaging.stretches import Stretch, side_by_side
from hwr_core.ink.formula import mask_size, render_formula
from hwr_core.ink.formula_grouping import group_into_formulas
from hwr_core.ink.line_grouping import group_into_lines, letter_height
from hwr_core.ink.lone_marks import lone_mark
from hwr_core.ink.strokes import Strokes, level, render_line
from hwr_core.reading import Reading, Span, join_readings
from hwr_core.runtime.limits import DRAWN_FORMULAS, DRAWN_LENGTH, DRAWN_LINES
from hwr_core.text_or_formula import BESIDE

LEAST_BRACKETED = 3  # pieces of ink of an exercise's number with a bracket on both sides: `(a)`
TextOf = Callable[[list[int]], str]  # token ids → text


@dataclass(frozen=True)
class DrawnItem:
    """A line or formula of a drawing.

    Attributes:
        strokes: Its strokes, unchanged.
        image: Its grey picture.
        reading: Its reading, if its shape alone tells it (`lone_marks`). None: it is to be read.
    """

    strokes: Strokes
    image: Image.Image
    reading: Reading | None = None


@dataclass(frozen=True)
class Parting:
    """A way to read an image: in parts that are read one by one.

    Attributes:
        pictures: The parts, (height, width) uint8 each.
        joined: Makes the image's reading of theirs; None: the image is not read in this way.
    """

    pictures: Sequence[np.ndarray] = field(repr=False)
    joined: Callable[[Sequence[Reading]], Reading | None]


class Task(ABC):
    """What a checkpoint reads. Tasks have no state; the loader chooses one.

    Attributes:
        reads_formulas: True if the readings are LaTeX.
        memory_intensive: True if one image can take about 100 MB while it is read.
        retry_below: Confidence below which an image is read again at the scales of `retry_zooms`.
        retry_zooms: Factors of the image's usual scale.
        ink_height: Height in pixels at which a drawn line is rendered.
        ink_stroke_width: Width in pixels of the strokes of a drawn line.
    """

    reads_formulas: bool
    memory_intensive = False
    retry_below = 0.0
    retry_zooms: tuple[float, ...] = ()
    ink_height = 96
    ink_stroke_width = 5.0

    @abstractmethod
    def render(self, strokes: Strokes) -> list[DrawnItem]:
        """Splits a drawing into the items that are read one by one.

        Args:
            strokes: The drawing, in any unit.

        Returns:
            The items, top to bottom. A drawing without strokes has none.

        Raises:
            TooLargeError: The drawing is larger than the limits allow.
        """

    def partings(self, line: np.ndarray, mask: np.ndarray) -> list[Parting]:
        """The ways to read an image, the first to try first; the last one gives a reading in any case.

        Args:
            line: Dark writing on light paper, cropped to the ink, (height, width) uint8.
            mask: Where its ink is, (height, width) bool.
        """
        return [Parting([line], _alone)]

    def grammar(self, tokens: Callable[[], Sequence[str]], end: int, special: Collection[int]) -> Grammar | None:
        """Returns the grammar that every reading obeys, or None.

        Args:
            tokens: Gives the text of every token, in the order of the ids.
            end: The id of the end token.
            special: The ids of all special tokens.
        """
        return None

    def text_of(self, decode: TextOf, grammar: Grammar | None) -> TextOf:
        """Returns the function that turns token ids into text. `decode` is the tokenizer's own."""
        return decode

    def text_lengths(self, tokens: list[int], text: str, text_of: TextOf, grammar: Grammar | None) -> list[int]:
        """Returns how many characters of a reading's text are there after each token.

        Args:
            tokens: The reading's token ids.
            text: `text_of(tokens)`.
            text_of: Turns token ids into text.
            grammar: The grammar that the reading obeys, if any.
        """
        alone = [text_of([token]) for token in tokens]
        if "".join(alone) == text:
            return list(itertools.accumulate(map(len, alone)))
        before = [min(len(text_of(tokens[:end])), len(text)) for end in range(1, len(tokens))]
        return [*before, len(text)] if tokens else []


class TextLineTask(Task):
    """Images of single text lines, read as plain text.

    Attributes:
        longest_line: Width by height up to which a line is read whole; longer ones are read in parts.
        line_part: Width by height of such parts, about.
    """

    reads_formulas = False
    longest_line = 22.0
    line_part = 16.0

    def render(self, strokes: Strokes) -> list[DrawnItem]:
        groups = [[strokes[index] for index in group] for group in group_into_lines(strokes)]
        if len(groups) > DRAWN_LINES:
            raise TooLargeError(f"The drawing has {len(groups)} lines. Draw at most {DRAWN_LINES} at a time.")
        images = [render_line(level(group), self.ink_height, self.ink_stroke_width) for group in groups]
        if sum(image.width for image in images) > DRAWN_LENGTH * self.ink_height:
            raise TooLargeError("The drawing has too much writing to be read at once. Draw less at a time.")
        letters = [letter_height(group) for group in groups]
        usual = [max(letters[:place] + letters[place + 1 :], default=None) for place in range(len(groups))]
        marks = [lone_mark(group, letter) for group, letter in zip(groups, usual, strict=True)]
        return [DrawnItem(*item) for item in zip(groups, images, marks, strict=True)]

    def partings(self, line: np.ndarray, mask: np.ndarray) -> list[Parting]:
        rows = split_rows(line, mask)
        if len(rows) > 1:
            rows = [cropped for row in rows if (cropped := crop_to_ink(row)) is not None]
        parts = [self._parts(row, mask if row is line else line_mask(row)) for row in rows or [line]]
        pictures = [picture for row in parts for picture, _ in row]
        return [Parting(pictures, partial(_rows_joined, [[span for _, span in row] for row in parts]))]

    def _parts(self, row: np.ndarray, mask: np.ndarray) -> list[tuple[np.ndarray, Span]]:
        """The parts of a line from the left, each with from where to where it goes, 0 to 1 of the width."""
        found: list[tuple[np.ndarray, Span]] = []
        for part, (start, stop) in split_white(row, mask):
            pieces = split_long(part, self.longest_line, self.line_part)
            edges = [0, *itertools.accumulate(piece.shape[1] for piece in pieces)]
            scale = (stop - start) / max(edges[-1], 1)
            spans = [(start + left * scale, start + right * scale) for left, right in itertools.pairwise(edges)]
            found += zip(pieces, spans, strict=True)
        return found


class FormulaTask(Task):
    """Images of single formulas, read as LaTeX.

    An uncertain formula is read again, smaller and larger, and the likeliest reading wins. On CROHME formulas whose
    text is not in the training data, 80.1 % then have at most one wrong token; without it 77.1 %.
    """

    reads_formulas = True
    memory_intensive = True
    retry_below = 0.5
    retry_zooms = (0.85, 1.15)

    def render(self, strokes: Strokes) -> list[DrawnItem]:
        groups = [[strokes[index] for index in group] for group in group_into_formulas(strokes)]
        if len(groups) > DRAWN_FORMULAS:
            raise TooLargeError(f"The drawing has {len(groups)} formulas. Draw at most {DRAWN_FORMULAS} at a time.")
        return [DrawnItem(group, render_formula(group)) for group in groups]

    def partings(self, line: np.ndarray, mask: np.ndarray) -> list[Parting]:
        ways = side_by_side(line, mask, mask_size(mask))
        apart = [Parting([part.picture for part in way], partial(_apart_joined, way)) for way in ways]
        return [*apart, *super().partings(line, mask)]

    def grammar(self, tokens: Callable[[], Sequence[str]], end: int, special: Collection[int]) -> Grammar | None:
        return Grammar(list(tokens()), end, list(special))

    def text_of(self, decode: TextOf, grammar: Grammar | None) -> TextOf:
        if grammar is None:
            return decode
        names = grammar.tokens
        return lambda tokens: "".join(latex.pieces([names[token] for token in tokens]))

    def text_lengths(self, tokens: list[int], text: str, text_of: TextOf, grammar: Grammar | None) -> list[int]:
        if grammar is None:
            return super().text_lengths(tokens, text, text_of, grammar)
        # A token's LaTeX depends on the tokens after it too, so the pieces are those of the whole formula.
        return list(itertools.accumulate(map(len, latex.pieces([grammar.tokens[token] for token in tokens]))))


def _alone(readings: Sequence[Reading]) -> Reading:
    return readings[0]


def _rows_joined(rows: Sequence[Sequence[Span]], readings: Sequence[Reading]) -> Reading:
    """The reading of rows, each of parts with these spans."""
    left = iter(readings)
    return join_readings([join_readings([next(left) for _ in spans], " ", spans) for spans in rows], "\n")


def _apart_joined(stretches: Sequence[Stretch], readings: Sequence[Reading]) -> Reading | None:
    """The reading of formulas that stand side by side; None where they are parts of one."""
    first, whites = stretches[0], [stretch.white for stretch in stretches]
    found = formulas_apart(readings, whites, first.pieces < LEAST_BRACKETED, first.end)
    return None if found is None else join_readings(found, BESIDE, [stretch.span for stretch in stretches])
