"""Struck-out words: a stroke runs through all their letters, with ink above it and below it."""

from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.ink_mask import ink_mask
from hwr_core.imaging.lighting import is_light_on_dark
from hwr_core.layout.baselines import ink_base
from hwr_core.layout.words import gaps_in, parts_of, spans_of
from hwr_core.reading import Line

# Chosen on validation lines, a word of each struck out by code: a third is told (docs/results/evaluation-struck-words.json).
LEAST_LETTERS = 2  # of a word: a stroke through one letter is another letter
LEAST_ASPECT = 1.2  # width by height of such a word
COVERED = 0.985  # share of a word's width that the stroke must cover with ink
STEEPEST = 0.34  # rows by columns: the stroke rises or falls no more anywhere …
WINDING = 0.35  # … and no more than this on the average
ABOVE_BASE = 0.12  # of the line's height: the stroke lies so far above the baseline; underlines do not
CROSSED = 0.3  # share of the word's width with ink below the stroke, and above it
ALONE = 0.15  # share of the word's width without any ink but the stroke, at most
PEN = 0.1  # of the word's height: ink so near to the stroke's middle is the stroke's own
BEYOND = 0.3  # of the line's height: a stroke that goes on so far on both sides is a rule
HEIGHT = 64  # pixels: higher pictures are looked at in this height
MIDDLE = 0.001  # of a pixel's weight: of two paths in one stroke the one in its middle counts
BLOCK = 0.06  # of the word's height: the width of the pieces into which the stroke is cut


def with_struck_words(line: Line) -> Line:
    """The line, with its struck-out words told, as far as its picture shows them.

    A line that a person corrected, or that is a formula, is left as it is.
    """
    if line.formula or line.corrected or not line.reading.text:
        return line
    spans = struck_spans(line)
    return replace(line, reading=replace(line.reading, struck=tuple(spans))) if spans else line


def struck_spans(line: Line) -> list[tuple[int, int]]:
    """Where the struck-out words of a line start and end in its text, by its reading and by its picture."""
    text = line.reading.text
    told = set(line.reading.struck)
    spans = [span for span in spans_of(line) if sum(map(str.isalnum, text[slice(*span)])) >= LEAST_LETTERS]
    if not spans:
        return sorted(told)
    image = _small(line.image)
    grey = np.asarray(image)
    mask = ink_mask(255 - grey if is_light_on_dark(grey) else grey)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return sorted(told)
    line = replace(line, image=image, gaps=gaps_in(mask))
    ink, top = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], rows[0]
    for span, (left, right) in zip(spans, parts_of(line, spans), strict=True):
        if line.reading.is_struck(*span):
            continue
        row = _stroke_through(ink, round(left * ink.shape[1]), round(right * ink.shape[1]))
        if row is not None and row + top <= _base_at(line, (left + right) / 2) - ABOVE_BASE * len(ink):
            told.add(span)
    return sorted(told)


def _base_at(line: Line, share: float) -> float:
    """The row of a line's baseline, at a share of the way from its first ink to its last."""
    base = ink_base(line.image)
    if base is None:
        return 0.0
    first, last = base[0]
    return (first + share * (last - first)) * line.image.height


def _small(image: Image.Image) -> Image.Image:
    """The picture in grey, no higher than `HEIGHT`."""
    grey = image.convert("L")
    if grey.height <= HEIGHT:
        return grey
    return grey.resize((max(1, round(grey.width * HEIGHT / grey.height)), HEIGHT), Image.Resampling.BOX)


def _stroke_through(ink: np.ndarray, left: int, right: int) -> float | None:
    """The row of a stroke that runs through a word's whole width, about level, with ink on both sides; None without one.

    Args:
        ink: The line's, (height, width) bool.
        left: The word's first column.
        right: The column after its last.
    """
    rows, columns = (np.flatnonzero(ink[:, left:right].any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    left, right, top = left + columns[0], left + columns[-1] + 1, rows[0]
    word = ink[top : rows[-1] + 1, left:right]
    height, width = word.shape
    if width < LEAST_ASPECT * height:
        return None
    path = _most_covered(word, COVERED)
    if path is None or np.abs(np.diff(path)).sum() > WINDING * width:
        return None
    down = np.arange(height)[:, None] - path
    below = (word & (down > PEN * height)).any(0)
    above = (word & (down < -PEN * height)).any(0)
    crossed = min(above.mean(), below.mean()) >= CROSSED and 1 - (above | below).mean() <= ALONE
    reach = round(BEYOND * len(ink))
    before, after = ink[:, max(0, left - reach) : left], ink[:, right : right + reach]
    if not crossed or (_goes_on(before, top + path[0]) and _goes_on(after, top + path[-1])):
        return None
    return top + float(path.mean())


def _goes_on(ink: np.ndarray, row: int) -> bool:
    """Whether ink near a row fills all columns beside a word."""
    reach = max(1, round(PEN * len(ink)))
    return bool(ink.shape[1] and ink[max(0, row - reach) : row + reach + 1].any(0).all())


def _most_covered(ink: np.ndarray, least: float) -> np.ndarray | None:
    """The path from left to right, no steeper than `STEEPEST`, with most ink.

    Args:
        ink: The word's, (height, width) bool.
        least: The share of the width that the path must cover with ink.

    Returns:
        The path's row at each column, (width,) int; None if it covers less.
    """
    height, width = ink.shape
    block = max(1, round(BLOCK * height))
    step = max(1, round(STEEPEST * block))
    count = -(-width // block)
    padded = np.zeros((count * block, height), np.float32)
    middle = cv2.blur(ink.astype(np.float32), (1, 2 * max(1, round(PEN * height)) + 1))
    padded[:width] = (ink + MIDDLE * middle).T
    gain = padded.reshape(count, block, height).sum(1)
    totals = np.full((count, height + 2 * step), -np.inf, np.float32)
    inner = totals[:, step : step + height]
    inner[0] = gain[0]
    for number in range(1, count):
        before = totals[number - 1]
        best = before[:height]
        for shift in range(1, 2 * step + 1):
            best = np.maximum(best, before[shift : shift + height])
        np.add(best, gain[number], out=inner[number])
    row = int(inner[-1].argmax())
    if inner[-1, row] < least * width:
        return None
    rows = np.empty(count, np.int64)
    for number in range(count - 1, -1, -1):
        rows[number] = row
        row = row - step + int(totals[number - 1, row : row + 2 * step + 1].argmax()) if number else row
    return np.repeat(rows, block)[:width]
