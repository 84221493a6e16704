"""From a sheet to its read lines: cleaned, found, laid out as a person changed them, read, and each step remembered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import streamlit as st
from PIL import Image

from hwr_core.checkpoints.registry import default_beams
from hwr_core.imaging.ink_mask import stroke_width
from hwr_core.imaging.line_image import small_rgb
from hwr_core.imaging.preprocess import preprocess
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.orientation import find_upright_lines
from hwr_core.layout.regions import Region, lines_at, regions_of
from hwr_core.pipeline import line_on_photo
from hwr_core.reading import Page, Reading
from pages.common import Reader, recognizer_for, shipped
from pages.workbench.files import Sheet
from pages.workbench.memory import digest, remembered

PREVIEW_SIDE, VIEW_SIDE = 640, 1500  # pixels of the longest side of a step's picture, and of the page on the desk
PREPARED, CLEANED = 8, 1  # sheets of which the lines' pictures are kept (some 12 MB each), and cleaned pages (10 MB)
READINGS = 20_000  # lines' readings, some kilobytes each


@dataclass(frozen=True)
class Prepared:
    """A sheet before it is read: small pictures of the steps, the upright page as people see it, and the lines found.

    `view_to_photo` and `to_photo` take pixels of the view, and of the cleaned page, to the photo's, whose `size` is (width, height).
    """

    size: tuple[int, int]
    steps: tuple[tuple[str, np.ndarray], ...]
    greys: np.ndarray  # how many pixels there are of each, 64 bins, before the threshold
    threshold_level: float | None
    strokes: tuple[float, float]  # their width in pixels before and after they were changed
    view: np.ndarray
    view_to_photo: np.ndarray
    to_photo: np.ndarray
    turn: int  # degrees counter-clockwise by which the page was turned
    found: tuple[FoundLine, ...]
    regions: tuple[Region, ...]


@dataclass(frozen=True)
class ReadSheet:
    """A sheet's lines as the machine read them, each with its region, and how many of them are still to be read."""

    page: Page
    regions: tuple[Region, ...]
    unread: int


def prepare(sheet: Sheet, settings: PreprocessSettings, reader: Reader) -> Prepared:
    """`HandwritingError` where the page is damaged."""
    return remembered("prepared", (sheet.key, settings), lambda: _prepare(sheet, settings, reader), PREPARED)


def _prepare(sheet: Sheet, settings: PreprocessSettings, reader: Reader) -> Prepared:
    recognizer, _ = recognizer_for(reader)
    seen: dict = {}

    def picture() -> Image.Image:
        photo = sheet.picture()
        seen.update(size=photo.size, small=small_rgb(photo, VIEW_SIDE))
        return photo

    with st.spinner("Cleaning the page and finding its lines…"):
        # How a sheet lies is judged on its greys, and does not change with a threshold.
        turns = st.session_state.setdefault("turns", {})
        key = (sheet.key, settings.invert, settings.perspective, settings.flatten)
        known = turns.get(key, "auto") if settings.turn == "auto" else settings.turn
        cleaned, found = find_upright_lines(picture, replace(settings, turn=known), recognizer, PREVIEW_SIDE)
        if settings.turn == "auto" and found and settings.threshold == "none" and settings.stroke == "keep":
            turns[key] = str(cleaned.turn)
    remembered("cleaned", (sheet.key, settings), lambda: cleaned.image, CLEANED)
    measured = stroke_width(cleaned.before_strokes)
    after = stroke_width(cleaned.image) if cleaned.image is not cleaned.before_strokes else measured
    view, view_to_photo = _view(seen["small"], seen["size"], cleaned.image.shape, cleaned.to_photo)
    return Prepared(
        seen["size"], tuple((step.name, step.image) for step in cleaned.steps),
        cv2.calcHist([cleaned.before_threshold], [0], None, [64], [0, 256]).ravel(), cleaned.threshold_level, (measured, after),
        view, view_to_photo, cleaned.to_photo, cleaned.turn, tuple(found), regions_of(found, cleaned.to_photo),
    )  # fmt: skip


def _view(
    small: Image.Image, size: tuple[int, int], shape: tuple[int, int], to_photo: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The photo of `size`, which `small` is in its colours, seen as the cleaned page is, (height, width, 3) uint8; and the matrix from its pixels to the photo's."""
    scale = min(1.0, VIEW_SIDE / max(shape))
    height, width = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    matrix = to_photo @ np.diag([1 / scale, 1 / scale, 1.0])
    onto_small = np.diag([small.width / size[0], small.height / size[1], 1.0]) @ matrix
    view = cv2.warpPerspective(
        np.asarray(small), onto_small, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255, 255, 255),
    )  # fmt: skip
    return view, matrix


def layout_of(sheet: Sheet, prepared: Prepared) -> tuple[Region, ...]:
    """The lines as a person left them, or else as they were found."""
    return layouts().get(sheet.key, prepared.regions)


def layouts() -> dict[tuple[str, int], tuple[Region, ...]]:
    """By sheet, for those that a person changed: in the photo's pixels, so that they stay where the settings change."""
    return st.session_state.setdefault("layouts", {})


def read_sheet(
    sheet: Sheet, prepared: Prepared, settings: PreprocessSettings, reader: Reader, stopped: bool = False
) -> ReadSheet:
    """Reads what was not read before; where it was `stopped`, nothing more."""
    changed = sheet.key in layouts()
    regions = layout_of(sheet, prepared)
    found = _cut(sheet, regions, prepared, settings) if changed else list(prepared.found)
    known: dict = st.session_state.setdefault("kept_readings", {})
    readings: list[Reading | None] = [None] * len(found)
    for formulas in (False, True):
        numbers = [number for number, region in enumerate(regions) if region.formula == formulas]
        for number, reading in zip(
            numbers, _read(sheet, [found[n] for n in numbers], reader, formulas, known, stopped), strict=True
        ):
            readings[number] = reading
    while len(known) > READINGS:
        known.pop(next(iter(known)))
    unread = readings.count(None)
    found_there = {region.outline for region in prepared.regions}
    lines, kept = [], []
    for line, region, reading in zip(found, regions, readings, strict=True):
        if reading is None or (not reading.text and region.outline in found_there):
            continue  # a box that a person drew stays where nothing is read in it, to be filled in
        placed = line_on_photo(line, prepared.to_photo, prepared.size, reading)
        lines.append(replace(placed, formula=region.formula))
        kept.append(region)
    return ReadSheet(Page(tuple(lines), prepared.size), tuple(kept), unread)


def _cut(sheet: Sheet, regions: Sequence[Region], prepared: Prepared, settings: PreprocessSettings) -> list[FoundLine]:
    """The pictures of a changed layout's lines; those that were found there are at hand."""
    at_hand = dict(zip(((region.outline) for region in prepared.regions), prepared.found, strict=True))
    if all(region.outline in at_hand for region in regions):
        return [at_hand[region.outline] for region in regions]

    def again() -> np.ndarray:
        return preprocess(sheet.picture(), replace(settings, turn=str(prepared.turn)), steps_side=0).image

    grey = remembered("cleaned", (sheet.key, settings), again, CLEANED)
    return [at_hand.get(region.outline) or lines_at([region], grey, prepared.to_photo)[0] for region in regions]


def _read(
    sheet: Sheet, lines: Sequence[FoundLine], reader: Reader, formulas: bool, known: dict, stopped: bool
) -> list[Reading | None]:
    if not lines:
        return []
    wanted = Reader(shipped(True), reader.device, default_beams(shipped(True))) if formulas else reader
    recognizer, wanted = recognizer_for(wanted, formulas)
    keys = [(wanted, digest(line.image.tobytes()), line.image.shape) for line in lines]
    fresh = [number for number, key in enumerate(keys) if key not in known]
    if fresh and not stopped:
        place = st.empty()
        with place.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, f"Reading {len(fresh)} line{'s' if len(fresh) > 1 else ''}…")
            st.button("Stop", key=f"stop-{sheet.key}-{formulas}", icon=":material/stop_circle:", on_click=stop)
        done = 0
        for batch in recognizer.stream([lines[number].image for number in fresh], wanted.beams):
            known.update({keys[fresh[place_]]: reading for place_, reading in batch.items()})
            done += len(batch)
            bar.progress(done / len(fresh), f"Read {done} of {len(fresh)} lines")
        place.empty()
    return [known.get(key) for key in keys]


def stop() -> None:
    """Also of all pages. `reading` tells what was being read."""
    st.session_state.stopped = st.session_state.get("reading")
    st.session_state.reading_all = False


def go_on() -> None:
    st.session_state.stopped = None
