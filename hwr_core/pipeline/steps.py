"""The steps that make a page of a photo: find its lines, cut them out, read them, put them back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.preprocess import Preprocessed, preprocess
from hwr_core.imaging.settings import Turn
from hwr_core.layout.formula_regions import find_formulas
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.orientation import find_upright_lines
from hwr_core.layout.regions import lines_at, regions_of
from hwr_core.layout.struck_words import with_struck_words
from hwr_core.layout.unfound import unfound_ink
from hwr_core.layout.words import unread_boxes
from hwr_core.pipeline.job import Draft, Job
from hwr_core.pipeline.lines import read_lines
from hwr_core.reading import Box, Line, Page, Point, Reading, box_corners


def find(draft: Draft, job: Job) -> Draft:
    """Preprocesses the photo and finds its lines.

    A page that lies on its side or its head is turned first (`orientation`).
    """
    sizes: list[tuple[int, int]] = []

    def picture() -> Image.Image:
        photo = job.picture()
        sizes.append(photo.size)
        return photo

    cleaned, found = find_upright_lines(picture, job.settings, job.reader.recognizer, job.steps_side)
    return replace(
        draft,
        size=sizes[0],
        turn=cleaned.turn,
        cleaned=cleaned,
        to_photo=cleaned.to_photo,
        found=tuple(found),
        found_regions=regions_of(found, cleaned.to_photo),
        unfound=_unfound(cleaned, found, sizes[0]),
    )


def _unfound(cleaned: Preprocessed, found: Sequence[FoundLine], size: tuple[int, int]) -> tuple[Box, ...]:
    boxes = unfound_ink(cleaned.image, [line.outline for line in found])
    return tuple(_on_photo(np.array(box_corners(box), float), cleaned.to_photo, size)[0] for box in boxes)


def regroup(draft: Draft, job: Job) -> Draft:
    """Takes formulas in place of lines where the reader reads only formulas."""
    if not job.reader.recognizer.reads_formulas:
        return draft
    cleaned = cleaned_page(draft, job)
    lines = [formula.line for formula in find_formulas(cleaned.image)]
    if not lines:
        return draft
    unfound = _unfound(cleaned, lines, draft.size)
    return replace(draft, found=tuple(lines), found_regions=regions_of(lines, draft.to_photo), unfound=unfound)


def clean(draft: Draft, job: Job) -> Draft:
    """Preprocesses the photo, turned by `draft.turn`, or by the turn that the settings name. Finds no lines."""
    turn = draft.turn if job.settings.turn == "auto" else int(job.settings.turn)
    photo = job.picture()
    cleaned = preprocess(photo, replace(job.settings, turn=cast(Turn, str(turn))), job.steps_side)
    return replace(draft, size=photo.size, turn=turn, cleaned=cleaned, to_photo=cleaned.to_photo)


def lay_out(draft: Draft, job: Job) -> Draft:
    """Chooses the lines to read: as a person left them, or else as they were found."""
    return replace(draft, regions=draft.found_regions if job.regions is None else job.regions)


def cut(draft: Draft, job: Job) -> Draft:
    """Cuts the pictures of the regions out of the cleaned page. Those of detected lines are there already."""
    if draft.regions == draft.found_regions:
        return replace(draft, lines=draft.found)
    at_hand = dict(zip((region.outline for region in draft.found_regions), draft.found, strict=True))
    missing = [region for region in draft.regions if region.outline not in at_hand]
    if missing:
        cut_out = lines_at(missing, cleaned_page(draft, job).image, draft.to_photo)
        at_hand.update(zip((region.outline for region in missing), cut_out, strict=True))
    return replace(draft, lines=tuple(at_hand[region.outline] for region in draft.regions))


def read(draft: Draft, job: Job) -> Draft:
    """Reads the pictures of the lines, formulas with the formula reader."""
    images = [line.to_read for line in draft.lines]
    formulas = [region.formula for region in draft.regions] or [False] * len(images)
    return replace(draft, readings=tuple(read_lines(images, job, formulas)))


def place(draft: Draft, job: Job) -> Draft:
    """Puts the lines that hold text on the photo, and notes the ink that no text stands for.

    A region that a person added stays where nothing is read in it, to be filled in.
    """
    detected = {region.outline for region in draft.found_regions}
    lines, kept, unreadable = [], [], []
    for line, region, reading in zip(draft.lines, draft.regions, draft.readings, strict=True):
        if reading is None:
            continue
        formula = region.formula or reading.formula
        on_photo = line_on_photo(line, draft.to_photo, draft.size, reading)
        placed = with_struck_words(replace(on_photo, formula=formula))
        if reading.text or region.outline not in detected:
            lines.append(placed)
            kept.append(region)
        if reading.unreadable:
            unreadable.append(placed)
    outside = [box for box in draft.unfound if not any(_inside(box, region.outline) for region in draft.regions)]
    unread = (*outside, *(box for line in lines for box in unread_boxes(line)), *(line.box for line in unreadable))
    page = Page(tuple(lines), draft.size, unread, tuple(unreadable))
    return replace(draft, page=page, kept=tuple(kept))


def _inside(box: Box, outline: Sequence[Point]) -> bool:
    """Whether the middle of a box lies inside an outline."""
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return cv2.pointPolygonTest(np.array(outline, np.float32), middle, False) >= 0


def line_on_photo(line: FoundLine, to_photo: np.ndarray, size: tuple[int, int], reading: Reading) -> Line:
    """A line of the cleaned page, with its outline on the photo.

    Args:
        line: On the cleaned page.
        to_photo: As of `Draft`.
        size: Width and height of the photo in pixels; the outline is clipped to it.
        reading: Of the line.
    """
    box, outline = _on_photo(line.outline, to_photo, size)
    marked = reading if line.mark is None else reading.after(line.mark.text)
    return Line(box, Image.fromarray(line.image), marked, outline, reach=line.reach, cell=line.cell, depth=line.depth)


def _on_photo(outline: np.ndarray, to_photo: np.ndarray, size: tuple[int, int]) -> tuple[Box, tuple[Point, ...]]:
    """The box and the corners on the photo of an outline (4, 2) on the cleaned page."""
    corners = cv2.perspectiveTransform(np.asarray(outline, float)[None], np.asarray(to_photo, float))[0]
    corners = np.clip(corners, 0, size)
    low, high = np.floor(corners.min(0)), np.ceil(corners.max(0))
    box = int(low[0]), int(low[1]), int(high[0]), int(high[1])
    return box, tuple((int(x), int(y)) for x, y in corners.round())


def take_whole(draft: Draft, job: Job) -> Draft:
    """Takes the whole cleaned picture as one line: the step of `read_region` in place of detection."""
    grey = cleaned_page(draft, job).image
    height, width = grey.shape
    outline = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    ends = cv2.perspectiveTransform(outline[None, :2], draft.to_photo)[0, :, 0] / draft.size[0]
    line = FoundLine(outline, grey, (float(ends[0]), float(ends[1])))
    return replace(draft, lines=(line,), regions=regions_of([line], draft.to_photo))


def cleaned_page(draft: Draft, job: Job) -> Preprocessed:
    """The cleaned page. If it was dropped, it is made anew."""
    if draft.cleaned is not None:
        return draft.cleaned
    made = clean(draft, replace(job, steps_side=0)).cleaned
    assert made is not None  # `clean` always makes one
    return made
