"""Photos and scans become pages: the public functions, and the lists of steps that they run."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.imaging.arrays import as_image
from hwr_core.imaging.conversion import upright
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.pipeline.exercise_numbers import put_numbers_before
from hwr_core.pipeline.job import DEFAULT_SETTINGS, Draft, Job, LineReader, Mode, Picture, Step, Words, run
from hwr_core.pipeline.joining import join
from hwr_core.pipeline.lines import favouring, read_lines
from hwr_core.pipeline.mirrored import reject_mirrored
from hwr_core.pipeline.mixing import mix
from hwr_core.pipeline.numbers_beside import put_numbers_beside
from hwr_core.pipeline.steps import clean, cut, find, lay_out, place, read, regroup, take_whole
from hwr_core.reading import BLANK, Box, Line, Page
from hwr_core.recognizer import Progress, Recognizer

LEAST_SIDE = 4  # pixels of a region's shorter side; nothing is read in a smaller one

FIND_STEPS: tuple[Step, ...] = (find, regroup)
READ_STEPS: tuple[Step, ...] = (
    lay_out,
    cut,
    read,
    put_numbers_beside,
    mix,
    put_numbers_before,
    join,
    reject_mirrored,
    place,
)
PAGE_STEPS: tuple[Step, ...] = (*FIND_STEPS, *READ_STEPS)


def read_page(
    image: Picture | Callable[[], Image.Image],
    recognizer: Recognizer,
    settings: PreprocessSettings = DEFAULT_SETTINGS,
    beams: int | None = None,
    on_progress: Progress | None = None,
    words: Words = (),
) -> Page:
    """Reads a photo or scan with one line or many. A page that lies on its side or its head is turned.

    Args:
        image: A PIL image of any mode, an array, or a function that gives the image. A function saves memory: the
            photo is not kept while its lines are found and read. It is called again where the page must be turned.
        recognizer: Reads the lines.
        settings: Of the preprocessing.
        beams: Width of the beam search. None: the checkpoint's own.
        on_progress: Called with (lines read, lines to read) after each batch.
        words: Words to favour, as for `Recognizer.with_words`. Empty: those that the recognizer was given.

    Returns:
        The page. Its boxes are in pixels of the photo, turned as its EXIF orientation says; `Line.outline` starts at
        the upper left of the writing.

    Raises:
        TooLargeError: There are too many words, or one is too long.
    """
    recognizer = favouring(recognizer, words)
    job = Job(lambda: _upright(image() if callable(image) else image), LineReader(recognizer, beams), settings)
    return _page(run(PAGE_STEPS, replace(job, on_progress=on_progress)))


def read_region(
    image: Picture,
    box: Box,
    recognizer: Recognizer,
    settings: PreprocessSettings = DEFAULT_SETTINGS,
    beams: int | None = None,
    words: Words = (),
) -> Line:
    """Reads a part of a photo as one line or formula. The part is preprocessed like a page, but not levelled.

    Args:
        image: The photo.
        box: Left, top, right, bottom in pixels of the photo, turned as its EXIF orientation says.
        recognizer: Reads the line.
        settings: Of the preprocessing; `deskew` and `perspective` are ignored.
        beams: Width of the beam search. None: the checkpoint's own.
        words: Words to favour, as for `Recognizer.with_words`. Empty: those that the recognizer was given.

    Returns:
        The line. Its text is empty where nothing is written in the box, or where the box lies outside the photo.

    Raises:
        TooLargeError: There are too many words, or one is too long.
    """
    recognizer = favouring(recognizer, words)
    photo = _upright(image)
    left, top = max(0, min(box[0], box[2])), max(0, min(box[1], box[3]))
    right, bottom = min(photo.width, max(box[0], box[2])), min(photo.height, max(box[1], box[3]))
    if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
        return Line((left, top, max(left, right), max(top, bottom)), Image.new("L", (1, 1), 255), BLANK)
    part = photo.crop((left, top, right, bottom))
    alone = replace(settings, deskew=False, perspective=False)
    draft = run((clean, take_whole, read), Job(lambda: part, LineReader(recognizer, beams), alone))
    line, reading = draft.lines[0], draft.readings[0]
    return Line(
        (left, top, right, bottom),
        Image.fromarray(line.image),
        BLANK if reading is None else reading,
        formula=recognizer.reads_formulas or bool(reading and reading.formula),
        reach=line.reach if draft.turn == 0 else None,
    )


def read_picture(
    image: Callable[[], Image.Image],
    recognizer: Recognizer,
    mode: Mode,
    settings: PreprocessSettings = DEFAULT_SETTINGS,
    beams: int | None = None,
    words: Words = (),
) -> Page:
    """Reads a picture of a page, of a single line, or of formulas.

    Args:
        image: Gives the picture; see `read_page`.
        recognizer: Reads text, or formulas for the mode "formula".
        mode: What the picture shows.
        settings: Of the preprocessing. A line is preprocessed only where they differ from the defaults.
        beams: Width of the beam search. None: the checkpoint's own.
        words: Words to favour, as for `Recognizer.with_words`. Empty: those that the recognizer was given.

    Returns:
        The page; for a line it has one line, for formulas one each, or none where nothing was read.

    Raises:
        TooLargeError: There are too many words, or one is too long.
    """
    recognizer = favouring(recognizer, words)
    if mode == "page":
        return read_page(image, recognizer, settings, beams)
    photo = upright(image())
    box = (0, 0, *photo.size)
    if mode == "formula":
        recognizer = recognizer.math if isinstance(recognizer, AutoRecognizer) else recognizer
        alone = replace(settings, deskew=False, perspective=False)
        job = Job(lambda: photo, LineReader(recognizer, beams), alone)
        draft = run((clean, regroup), job) if min(photo.size) >= LEAST_SIDE else Draft()
        if len(draft.found) > 1:
            return _page(run(READ_STEPS, job, draft))
    if mode == "formula" or settings != PreprocessSettings():
        line = read_region(photo, box, recognizer, settings, beams)
    else:
        reading = read_lines([photo], Job(lambda: photo, LineReader(recognizer, beams)))[0]
        line = Line(box, photo, BLANK if reading is None else reading, reach=(0.0, 1.0), depth=(0.0, 1.0))
    return Page((line,) if line.reading.text else (), photo.size)


def _page(draft: Draft) -> Page:
    assert draft.page is not None  # `place` is the last step
    return draft.page


def _upright(image: Picture) -> Image.Image:
    return upright(as_image(image) if isinstance(image, np.ndarray) else image)
