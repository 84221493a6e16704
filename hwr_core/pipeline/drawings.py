"""Drawn strokes become a page."""

import math
from collections.abc import Sequence

import numpy as np

from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.ink.bars import strokes_have_bar
from hwr_core.ink.formula import ink_size, render_formula
from hwr_core.ink.strokes import Strokes, as_points
from hwr_core.layout.struck_words import with_struck_words
from hwr_core.layout.words import unread_boxes
from hwr_core.pipeline.job import Job, KnownReadings, LineReader, Words
from hwr_core.pipeline.lines import favouring, read_lines
from hwr_core.pipeline.parted_formulas import Part, Sides, join_parted
from hwr_core.reading import Box, Line, Page, Reading
from hwr_core.recognizer import Progress, Recognizer
from hwr_core.tasks import DrawnItem
from hwr_core.text_or_formula import are_formulas, connected, in_doubt, is_surely_text


def read_ink(
    strokes: Sequence[np.ndarray],
    recognizer: Recognizer,
    beams: int | None = None,
    on_progress: Progress | None = None,
    words: Words = (),
    readings: KnownReadings | None = None,
) -> Page:
    """Reads drawn strokes. Text is grouped into lines; a math checkpoint reads all strokes as one formula.

    Args:
        strokes: Each an (n, 2) array of x and y, y downwards, in any unit. Points that are not finite are ignored.
        recognizer: Each line is rendered at its `ink_height` and `ink_stroke_width`.
        beams: Width of the beam search. None: the checkpoint's own.
        on_progress: Called with (lines read, lines to read) after each batch.
        words: Words to favour, as for `Recognizer.with_words`. Empty: those that the recognizer was given.
        readings: Readings that are known, such as a dictionary that earlier calls filled; new ones are added. Lines
            that did not change are not read again. None: every line is read.

    Returns:
        The page; its size and its boxes are in the strokes' unit. Without strokes it has no lines.

    Raises:
        ValueError: A stroke is no (n, 2) array.
        TooLargeError: There is more writing than is read at once, or there are too many words.
    """
    recognizer = favouring(recognizer, words)
    finite = [stroke[np.isfinite(stroke).all(1)] for stroke in map(as_points, strokes)]
    drawn = [stroke for stroke in finite if len(stroke)]
    if isinstance(recognizer, AutoRecognizer):
        found = _read_mixed(drawn, recognizer, beams, on_progress, readings)
    else:
        found = _read_drawn(drawn, recognizer, beams, on_progress, readings)
    lines: list[Line] = []
    unreadable: list[Line] = []
    unread: list[Box] = []
    for item, reading in found:
        line = with_struck_words(Line(_extent(item.strokes), item.image, reading, formula=reading.formula))
        if reading.text:
            lines.append(line)
            unread += unread_boxes(line)
        else:
            unreadable.append(line)
            unread.append(line.box)
    far = np.concatenate(drawn).max(0) if drawn else (0, 0)
    size = (int(np.ceil(far[0])), int(np.ceil(far[1])))
    return Page(tuple(lines), size, tuple(unread), tuple(unreadable))


def _read_drawn(
    strokes: Strokes,
    recognizer: Recognizer,
    beams: int | None,
    on_progress: Progress | None,
    readings: KnownReadings | None,
) -> list[tuple[DrawnItem, Reading]]:
    items = recognizer.task.render(strokes)
    found = _read_items(items, recognizer, beams, on_progress, readings)
    return _joined(found, recognizer, beams, readings) if recognizer.reads_formulas else found


def _read_items(
    items: Sequence[DrawnItem],
    recognizer: Recognizer,
    beams: int | None,
    on_progress: Progress | None,
    readings: KnownReadings | None,
) -> list[tuple[DrawnItem, Reading]]:
    images = [item.image for item in items if item.reading is None]
    name = (recognizer.name, beams, recognizer.words, recognizer.decoding.language, recognizer.decoding.give_up_below)
    reader = LineReader(recognizer, beams, name)
    job = Job(lambda: images[0], reader, on_progress=on_progress, readings=readings)
    read_ones = iter(read_lines(images, job))
    found = [(item, item.reading or next(read_ones)) for item in items]
    return [(item, reading) for item, reading in found if reading is not None]


def _read_mixed(
    strokes: Strokes,
    recognizer: AutoRecognizer,
    beams: int | None,
    on_progress: Progress | None,
    readings: KnownReadings | None,
) -> list[tuple[DrawnItem, Reading]]:
    """Lines of text, and formulas where lines may be none: the more probable of both wherever they share strokes."""
    texts = _read_drawn(strokes, recognizer.text, beams, on_progress, readings)
    kept = [
        (place, 0, item, reading)
        for place, (item, reading) in enumerate(texts)
        if is_surely_text(reading) and not in_doubt(reading)
    ]
    lone = [place for place in range(len(texts)) if place not in {number for number, *_ in kept}]
    if not lone:
        return texts
    numbers = {id(stroke): number for number, stroke in enumerate(strokes)}
    open_strokes = sorted(numbers[id(stroke)] for place in lone for stroke in texts[place][0].strokes)
    formulas = recognizer.math.task.render([strokes[number] for number in open_strokes])
    of_line = [{id(stroke) for stroke in texts[place][0].strokes} for place in lone]
    of_formula = [{id(stroke) for stroke in formula.strokes} for formula in formulas]
    touches = np.array([[bool(line & formula) for formula in of_formula] for line in of_line], bool)
    blocks = [([lone[line] for line in lines], found) for lines, found in connected(touches)]
    asked = [found for lines, found in blocks if len(lines) > 1 or len(found) > 1 or _may_be_other(texts[lines[0]][1])]
    to_read = [formulas[number] for found in asked for number in found]
    read_ones = dict(
        zip(
            (number for found in asked for number in found),
            _read_items(to_read, recognizer.doubting, beams, None, readings),
            strict=True,
        )
    )
    for lines, found in blocks:
        written = [texts[place] for place in lines]
        chosen = written
        above = texts[lines[0] - 1][1] if lines and lines[0] else None
        barred = any(strokes_have_bar(formulas[number].strokes) for number in found)
        if found in asked and are_formulas(
            [reading for _, reading in written], [read_ones[number][1] for number in found], above, barred
        ):
            chosen = [read_ones[number] for number in found]
        kept += [(lines[0], order, item, reading) for order, (item, reading) in enumerate(chosen)]
    ordered = [(item, reading) for _, _, item, reading in sorted(kept, key=lambda entry: entry[:2])]
    return _joined(ordered, recognizer, beams, readings)


def _may_be_other(reading: Reading) -> bool:
    """Whether a line's ink may be a formula. There is ink, so a line without text is in doubt too."""
    return not reading.text or in_doubt(reading)


def _joined(
    found: list[tuple[DrawnItem, Reading]], recognizer: Recognizer, beams: int | None, readings: KnownReadings | None
) -> list[tuple[DrawnItem, Reading]]:
    """Puts the parts of a formula together that white has parted."""
    if len(found) < 2:
        return found
    formulas = [stroke for item, reading in found if reading.formula for stroke in item.strokes]
    size = ink_size(formulas or [stroke for item, _ in found for stroke in item.strokes])
    barred = [strokes_have_bar(item.strokes, size) for item, _ in found]
    if not formulas and not any(barred):
        return found
    recognizer = recognizer.math if isinstance(recognizer, AutoRecognizer) else recognizer

    def read(item: DrawnItem, least: float) -> Reading:
        reader, width = (recognizer.with_decoding(give_up_below=least), 1) if least else (recognizer, beams)
        return _read_items([item], reader, width, None, readings)[0][1]

    parts = [Part(item, _sides(item.strokes), reading, bar) for (item, reading), bar in zip(found, barred, strict=True)]
    whole = join_parted(parts, size, _united, read)
    return [(part.item, part.reading) for part in whole]


def _united(items: Sequence[DrawnItem]) -> DrawnItem:
    strokes = [stroke for item in items for stroke in item.strokes]
    return DrawnItem(strokes, render_formula(strokes))


def _sides(strokes: Strokes) -> Sides:
    points = np.concatenate(strokes)
    (left, top), (right, bottom) = points.min(0).tolist(), points.max(0).tolist()
    return left, top, right, bottom


def _extent(strokes: Strokes) -> Box:
    left, top, right, bottom = _sides(strokes)
    return math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)
