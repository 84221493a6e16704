"""The two calls that every shell uses: ink to a `Page`, a photo to a `Page`."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from hwr_core.images import upright
from hwr_core.ink import as_points, group_into_lines, level, render_line
from hwr_core.lines import FoundLine, find_lines
from hwr_core.preprocess import Preprocessed, PreprocessSettings, preprocess
from hwr_core.reading import Box, Line, Page, Reading
from hwr_core.recognizer import Progress, Recognizer


def read_ink(strokes: Sequence[np.ndarray], recognizer: Recognizer, beams: int | None = None) -> Page:
    """Reads drawn strokes, each an (n, 2) array of x and y, y downwards, in any unit; ValueError where one is not.

    They are grouped into lines by where they are; each line is rendered at the recognizer's own scale and pen. The
    boxes and the size of the `Page` are in the strokes' unit. No strokes give a page without lines.
    """
    strokes = [as_points(stroke) for stroke in strokes]
    strokes = [stroke[np.isfinite(stroke).all(1)] for stroke in strokes]
    strokes = [stroke for stroke in strokes if len(stroke)]
    groups = [[strokes[index] for index in group] for group in group_into_lines(strokes)]
    images = [render_line(level(group), recognizer.ink_height, recognizer.ink_stroke_width) for group in groups]
    readings = recognizer.read(images, beams=beams)
    lines = [Line(_extent(group), *found) for group, *found in zip(groups, images, readings, strict=True)]
    lines = [line for line in lines if line.reading.text]
    far = np.concatenate(strokes).max(0) if strokes else (0, 0)
    return Page(tuple(lines), (int(np.ceil(far[0])), int(np.ceil(far[1]))))


def read_page(
    image: Image.Image | np.ndarray,
    recognizer: Recognizer,
    settings: PreprocessSettings = PreprocessSettings(),
    beams: int | None = None,
    on_progress: Progress | None = None,
) -> Page:
    """Reads a photo or scan of any mode with one line or many.

    It is turned as its EXIF orientation says; the boxes are in the pixels of the photo so turned.
    """
    photo = upright(Image.fromarray(image) if isinstance(image, np.ndarray) else image)
    cleaned = preprocess(photo, settings)
    found = find_lines(cleaned.image)
    readings = recognizer.read([line.image for line in found], beams=beams, on_progress=on_progress)
    return page_of(photo.size, cleaned, found, readings)


def page_of(size: tuple[int, int], cleaned: Preprocessed, found: Sequence[FoundLine], readings: Sequence[Reading]) -> Page:
    """The last step of `read_page`, for callers that do the others themselves: the lines that hold text, on the photo."""
    lines = [
        Line(box_on_photo(line.outline, cleaned.to_photo, size), Image.fromarray(line.image), reading)
        for line, reading in zip(found, readings, strict=True)
        if reading.text
    ]
    return Page(tuple(lines), size)


def box_on_photo(outline: np.ndarray, to_photo: np.ndarray, size: tuple[int, int]) -> Box:
    """The upright box round `outline` (n, 2), taken from the cleaned page back to the photo of `size` (width, height)."""
    corners = np.column_stack([outline, np.ones(len(outline))]) @ np.asarray(to_photo).T
    low, high = np.clip(np.floor(corners.min(0)), 0, size), np.clip(np.ceil(corners.max(0)), 0, size)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _extent(strokes: Sequence[np.ndarray]) -> Box:
    points = np.concatenate(strokes)
    low, high = np.floor(points.min(0)), np.ceil(points.max(0))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
