"""The calls that every shell uses: ink to a `Page`, a photo to a `Page`, a part of a photo to a `Line`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from hwr_core.errors import TooLargeError
from hwr_core.imaging.line_image import upright
from hwr_core.imaging.preprocess import preprocess
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.ink.formula import render_formula
from hwr_core.ink.strokes import as_points, group_into_lines, level, render_line
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.orientation import find_upright_lines
from hwr_core.reading import BLANK, Box, Line, Page, Reading
from hwr_core.recognizer import Progress, Recognizer
from hwr_core.runtime.limits import DRAWN_LENGTH, DRAWN_LINES

Mode = Literal["page", "line", "formula"]


def read_ink(
    strokes: Sequence[np.ndarray], recognizer: Recognizer, beams: int | None = None, on_progress: Progress | None = None
) -> Page:
    """Reads drawn strokes, each an (n, 2) array of x and y, y downwards, in any unit; ValueError where one is not.

    They are grouped into lines by where they are; each line is rendered at the recognizer's own scale and pen. A math
    checkpoint reads them all as one formula. The boxes and the size of the `Page` are in the strokes' unit. No strokes give a page without lines.
    """
    strokes = [as_points(stroke) for stroke in strokes]
    strokes = [stroke[np.isfinite(stroke).all(1)] for stroke in strokes]
    strokes = [stroke for stroke in strokes if len(stroke)]
    if recognizer.reads_formulas:
        groups = [strokes] if strokes else []
        images = [render_formula(group) for group in groups]
    else:
        groups = [[strokes[index] for index in group] for group in group_into_lines(strokes)]
        if len(groups) > DRAWN_LINES:
            raise TooLargeError(f"The drawing has {len(groups)} lines; draw {DRAWN_LINES} at a time at most.")
        images = [render_line(level(group), recognizer.ink_height, recognizer.ink_stroke_width) for group in groups]
        if sum(image.width for image in images) > DRAWN_LENGTH * recognizer.ink_height:
            raise TooLargeError("The drawing has more writing than can be read at once: draw less at a time.")
    readings = recognizer.read(images, beams=beams, on_progress=on_progress)
    formula = recognizer.reads_formulas
    lines = [
        Line(_extent(group), *found, formula=formula) for group, *found in zip(groups, images, readings, strict=True)
    ]
    lines = [line for line in lines if line.reading.text]
    far = np.concatenate(strokes).max(0) if strokes else (0, 0)
    return Page(tuple(lines), (int(np.ceil(far[0])), int(np.ceil(far[1]))))


def read_page(
    image: Image.Image | np.ndarray | Callable[[], Image.Image],
    recognizer: Recognizer,
    settings: PreprocessSettings = PreprocessSettings(),
    beams: int | None = None,
    on_progress: Progress | None = None,
) -> Page:
    """Reads a photo or scan of any mode with one line or many.

    It is turned as its EXIF orientation says; the boxes are in the pixels of the photo so turned. A page that lies on its side or its head
    is read all the same: where its lines are is told in the photo's pixels, `Line.outline` from the upper left of the writing.
    A function that gives the photo spares the memory to keep it while its lines are found and read; it is called again where the page must be turned.
    """
    sizes: list[tuple[int, int]] = []

    def picture() -> Image.Image:
        photo = image() if callable(image) else image
        photo = upright(Image.fromarray(photo) if isinstance(photo, np.ndarray) else photo)
        sizes.append(photo.size)
        return photo

    cleaned, found = find_upright_lines(picture, settings, recognizer)
    readings = recognizer.read([line.image for line in found], beams=beams, on_progress=on_progress)
    return page_of(sizes[0], cleaned.to_photo, found, readings)


def read_region(
    image: Image.Image | np.ndarray,
    box: Box,
    recognizer: Recognizer,
    settings: PreprocessSettings = PreprocessSettings(),
    beams: int | None = None,
) -> Line:
    """Reads what is in `box` (left, top, right, bottom; pixels of the photo, turned as its EXIF orientation says) as one line or formula.

    The part is cleaned as a page is, but neither levelled nor judged by what lies round it. A box outside the photo, or
    with nothing written in it, gives a line without text.
    """
    photo = upright(Image.fromarray(image) if isinstance(image, np.ndarray) else image)
    left, top = max(0, min(box[0], box[2])), max(0, min(box[1], box[3]))
    right, bottom = min(photo.width, max(box[0], box[2])), min(photo.height, max(box[1], box[3]))
    if right - left < 4 or bottom - top < 4:
        return Line((left, top, max(left, right), max(top, bottom)), Image.new("L", (1, 1), 255), BLANK)
    cleaned = preprocess(
        photo.crop((left, top, right, bottom)), replace(settings, deskew=False, perspective=False), steps_side=0
    )
    reading = recognizer.read([cleaned.image], beams=beams)[0]
    ends = cv2.perspectiveTransform(np.array([[(0, 0), (cleaned.image.shape[1], 0)]], float), cleaned.to_photo)[
        0, :, 0
    ] / (right - left)
    reach = tuple(ends.tolist()) if cleaned.turn == 0 else None
    return Line(
        (left, top, right, bottom),
        Image.fromarray(cleaned.image),
        reading,
        formula=recognizer.reads_formulas,
        reach=reach,
    )


def read_picture(
    image: Callable[[], Image.Image],
    recognizer: Recognizer,
    mode: Mode,
    settings: PreprocessSettings = PreprocessSettings(),
    beams: int | None = None,
) -> Page:
    """A picture of a page, of a single line, or of a single formula: what the shells without a screen are asked for. `image` gives it, as of
    `read_page`. A line is read as it is, and cleaned only where `settings` are other than the defaults."""
    if mode == "page":
        return read_page(image, recognizer, settings, beams)
    photo = upright(image())
    box = (0, 0, *photo.size)
    if mode == "formula" or settings != PreprocessSettings():
        line = read_region(photo, box, recognizer, settings, beams)
    else:
        line = Line(box, photo, recognizer.read([photo], beams=beams)[0], reach=(0.0, 1.0))
    return Page((line,) if line.reading.text else (), photo.size)


def page_of(
    size: tuple[int, int], to_photo: np.ndarray, found: Sequence[FoundLine], readings: Sequence[Reading]
) -> Page:
    """The last step of `read_page`, for callers that do the others themselves: the lines that hold text, on the photo."""
    lines = [
        line_on_photo(line, to_photo, size, reading)
        for line, reading in zip(found, readings, strict=True)
        if reading.text
    ]
    return Page(tuple(lines), size)


def line_on_photo(line: FoundLine, to_photo: np.ndarray, size: tuple[int, int], reading: Reading) -> Line:
    """A line of the cleaned page, taken back to the photo of `size` (width, height)."""
    corners = cv2.perspectiveTransform(np.asarray(line.outline, float)[None], np.asarray(to_photo, float))[0]
    corners = np.clip(corners, 0, size)
    low, high = np.floor(corners.min(0)), np.ceil(corners.max(0))
    outline = tuple((int(x), int(y)) for x, y in corners.round())
    box = int(low[0]), int(low[1]), int(high[0]), int(high[1])
    return Line(box, Image.fromarray(line.image), reading, outline, reach=line.reach)


def _extent(strokes: Sequence[np.ndarray]) -> Box:
    points = np.concatenate(strokes)
    low, high = np.floor(points.min(0)), np.ceil(points.max(0))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
