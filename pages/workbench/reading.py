"""Runs the steps of `hwr_core.pipeline` on a page, keeps their results, and shows progress with a Stop button."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from hwr_core import pipeline
from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.imaging.conversion import small_rgb
from hwr_core.imaging.ink_mask import stroke_width
from hwr_core.imaging.preprocess import Preprocessed
from hwr_core.imaging.settings import PreprocessSettings, Turn
from hwr_core.layout.regions import Region
from hwr_core.pipeline import Draft, Job, LineReader
from hwr_core.reading import Page
from hwr_core.recognizer import Progress, Recognizer
from pages.shared.model_picker import Reader, built_in_reader
from pages.shared.reading_view import counted
from pages.workbench.files import Sheet
from pages.workbench.state import READING_BYTES, PageState, PhotoState, ReadWith, SessionReadings

PREVIEW_SIDE = 640  # pixels of the longest side of the picture of a preprocessing step
VIEW_SIDE = 1500  # pixels of the longest side of the page as it is shown
JPEG_QUALITY = 82  # of 100, of the page as it is shown
GREY_BINS = 64  # of the histogram


@dataclass(frozen=True)
class Prepared:
    """A page with its detected lines, and its pictures for the screen.

    Attributes:
        draft: After the steps that find the lines, without the cleaned page.
        steps: Names and small pictures (height, width) uint8 of the preprocessing steps.
        greys: (64,) float: how many pixels there are of each grey before the threshold.
        threshold_level: Grey level of a global threshold; None for none or a local one.
        strokes: Width of the strokes in pixels, before and after it was changed.
        view: JPEG of the photo as the cleaned page lies, in its colours.
        cleaned: JPEG of the cleaned page, in the size of `view`.
        view_size: Width and height of both in pixels.
        view_to_photo: (3, 3) float matrix from the view's pixels to the photo's.
    """

    draft: Draft
    steps: tuple[tuple[str, np.ndarray], ...]
    greys: np.ndarray
    threshold_level: float | None
    strokes: tuple[float, float]
    view: bytes
    cleaned: bytes
    view_size: tuple[int, int]
    view_to_photo: np.ndarray

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        pictures = [*(image for _, image in self.steps), *(line.image for line in self.draft.found)]
        return len(self.view) + len(self.cleaned) + sum(picture.nbytes for picture in pictures)


@dataclass(frozen=True)
class ReadSheet:
    """A page as it was read.

    Attributes:
        page: The lines that hold text.
        regions: The region of each.
        layout: All lines of the page in order, also those in which nothing was read.
        lines_left: How many lines are still to be read.
    """

    page: Page
    regions: tuple[Region, ...]
    layout: tuple[Region, ...]
    lines_left: int

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        lines = (*self.page.lines, *self.page.unreadable)
        return sum(line.image.width * line.image.height + READING_BYTES for line in lines)


@dataclass(frozen=True)
class Readers:
    """What reads a page. It can be used in any thread.

    Attributes:
        reader: The choice of model and accuracy.
        recognizer: Reads the lines.
    """

    reader: Reader
    recognizer: Recognizer

    def of_page(self, page: PageState) -> "Readers":
        """Those of a page, which favour its words."""
        reader = page.reader_from(self.reader)
        return Readers(reader, self.recognizer.with_words(reader.words) if reader.words else self.recognizer)

    def lines(self) -> LineReader:
        """Reads lines."""
        return LineReader(self.recognizer, self.reader.beams, self.reader)

    def formulas(self) -> LineReader:
        """Reads lines that are formulas, with the built-in model."""
        reader = built_in_reader(True, self.reader.device)
        return LineReader(load_recognizer(reader.checkpoint, reader.device), reader.beams, reader)


def prepare(
    state: PhotoState, sheet: Sheet, settings: PreprocessSettings, readers: Readers, shown: bool = True
) -> Prepared:
    """Cleans a page and finds its lines, or returns the remembered result.

    Args:
        state: The session.
        sheet: The page.
        settings: Of the preprocessing, for all pages.
        readers: The recognizer tells which way up a page lies.
        shown: Whether it is the page that is shown: its cleaned picture is kept, and the work is announced.

    Raises:
        HandwritingError: The page is damaged.
    """
    page = state.page(sheet.key)
    settings = page.settings_from(settings)
    key = (sheet.key, settings)
    known = state.memory.get("prepared", key)
    if isinstance(known, Prepared):
        return known
    with state.cleaning:  # one page of a session at a time: each takes some 100 MB
        return state.memory.remembered(
            "prepared",
            key,
            lambda: _prepare(state, sheet, settings, readers, page, shown),
            lambda prepared: prepared.size,
        )


def read_sheet(
    state: PhotoState,
    sheet: Sheet,
    prepared: Prepared,
    settings: PreprocessSettings,
    readers: Readers,
    stopped: Callable[[], bool],
    on_progress: Progress | None = None,
) -> ReadSheet:
    """Reads the lines that were not read before.

    Args:
        state: The session.
        sheet: The page.
        prepared: The page with its detected lines.
        settings: Of the preprocessing, for all pages.
        readers: Read the lines and formulas.
        stopped: Asked before each batch of lines. Once it is true, no further line is read.
        on_progress: Called with (lines read, lines to read).
    """
    page = state.page(sheet.key)
    settings, regions, readers = page.settings_from(settings), page.regions, readers.of_page(page)
    key = (sheet.key, ReadWith(settings, readers.reader, regions))
    known = state.memory.get("page", key)
    if isinstance(known, ReadSheet):
        return known
    job = Job(
        sheet.picture,
        readers.lines(),
        settings,
        formula_reader=readers.formulas,
        regions=regions,
        on_progress=on_progress,
        stopped=stopped,
        readings=SessionReadings(state.memory),
    )
    mixed = isinstance(readers.recognizer, AutoRecognizer)

    def cached(step: pipeline.Step, draft: Draft, job: Job) -> Draft:
        if (step is pipeline.cut and not _at_hand(draft)) or (step is pipeline.mix and mixed):
            draft = replace(draft, cleaned=_cleaned(state, sheet, draft, job))
        return replace(step(draft, job), cleaned=None)

    draft = pipeline.run(pipeline.READ_STEPS, job, prepared.draft, cached)
    read = ReadSheet(draft.page or Page((), draft.size), draft.kept, draft.regions, draft.lines_left)
    if not read.lines_left:
        state.memory.put("page", key, read, read.size)
    return read


def read_with(state: PhotoState, sheet: Sheet, settings: PreprocessSettings, reader: Reader) -> ReadWith:
    """The settings, reader and regions that a reading of this page would now use. `settings` are those of all pages."""
    page = state.page(sheet.key)
    return ReadWith(page.settings_from(settings), page.reader_from(reader), page.regions)


def _prepare(
    state: PhotoState, sheet: Sheet, settings: PreprocessSettings, readers: Readers, page: PageState, shown: bool
) -> Prepared:
    small: list[Image.Image] = []

    def picture() -> Image.Image:
        photo = sheet.picture()
        small[:] = [small_rgb(photo, VIEW_SIDE)]
        return photo

    # Which way up a page lies is judged by its greys. It does not change with a threshold.
    turn_key = (settings.invert, settings.perspective, settings.flatten)
    turn: Turn = page.turns.get(turn_key, "auto") if settings.turn == "auto" else settings.turn
    job = Job(picture, readers.lines(), replace(settings, turn=turn), steps_side=PREVIEW_SIDE)
    with st.spinner("Cleaning the page and finding its lines…") if shown else nullcontext():
        draft = pipeline.run(pipeline.FIND_STEPS, job)
    cleaned = draft.cleaned
    assert cleaned is not None  # the steps that find lines clean the page
    if settings.turn == "auto" and draft.found and settings.threshold == "none" and settings.stroke == "keep":
        page.turns[turn_key] = cast(Turn, str(draft.turn))
    if shown:
        _keep_cleaned(state, sheet, settings, cleaned)
    measured = stroke_width(cleaned.before_strokes)
    after = stroke_width(cleaned.image) if cleaned.image is not cleaned.before_strokes else measured
    view, view_to_photo = _view(small[0], draft.size, cleaned.image.shape, draft.to_photo)
    height, width = view.shape[:2]
    return Prepared(
        replace(draft, cleaned=None),
        tuple((step.name, step.image) for step in cleaned.steps),
        cv2.calcHist([cleaned.before_threshold], [0], None, [GREY_BINS], [0, 256]).ravel(),
        cleaned.threshold_level,
        (measured, after),
        _jpeg(view[..., ::-1]),
        _jpeg(cv2.resize(cleaned.image, (width, height), interpolation=cv2.INTER_AREA)),
        (width, height),
        view_to_photo,
    )


def _jpeg(pixels: np.ndarray) -> bytes:
    """A picture (height, width[, 3 in the order blue, green, red]) uint8 as JPEG."""
    _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return packed.tobytes()


def _at_hand(draft: Draft) -> bool:
    """Whether every region's picture was cut out when the lines were found."""
    return {region.outline for region in draft.regions} <= {region.outline for region in draft.found_regions}


def _cleaned(state: PhotoState, sheet: Sheet, draft: Draft, job: Job) -> Preprocessed:
    """The cleaned page. If it was dropped, it is made anew."""
    kept = state.memory.get("cleaned", (sheet.key, job.settings))
    if isinstance(kept, Preprocessed):
        return kept
    made = pipeline.clean(draft, job).cleaned
    assert made is not None  # `clean` makes one
    return _keep_cleaned(state, sheet, job.settings, made) if sheet.key == state.current else made


def _keep_cleaned(state: PhotoState, sheet: Sheet, settings: PreprocessSettings, cleaned: Preprocessed) -> Preprocessed:
    """Keeps the cleaned page of this one sheet, some 10 MB, without what led to it."""
    image = cleaned.image
    bare = replace(cleaned, steps=(), before_threshold=image, before_strokes=image)
    state.memory.forget("cleaned", lambda key: True)
    state.memory.put("cleaned", (sheet.key, settings), bare, image.nbytes)
    return bare


def _view(
    small: Image.Image, size: tuple[int, int], shape: tuple[int, ...], to_photo: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The photo as the cleaned page lies.

    Args:
        small: The photo in its colours, at most `VIEW_SIDE` pixels large.
        size: Width and height of the photo.
        shape: Height and width of the cleaned page.
        to_photo: Of the cleaned page.

    Returns:
        The view (height, width, 3) uint8, and the matrix from its pixels to the photo's.
    """
    scale = min(1.0, VIEW_SIDE / max(shape))
    height, width = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    matrix = to_photo @ np.diag([1 / scale, 1 / scale, 1.0])
    onto_small = np.diag([small.width / size[0], small.height / size[1], 1.0]) @ matrix
    view = cv2.warpPerspective(
        np.asarray(small),
        onto_small,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255, 255, 255),
    )
    return view, matrix


class ReadingBar:
    """Shows how many lines are read, and the button that stops the reading.

    Args:
        key: Of the button.
        on_stop: Called when it is pressed.
    """

    def __init__(self, key: str, on_stop: Callable[[], None]):
        self.key, self.on_stop = key, on_stop
        self.place = st.empty()
        self.bar: DeltaGenerator | None = None

    def __call__(self, done: int, total: int) -> None:
        """Shows the progress. With mixed reading it starts again for the formulas."""
        if self.bar is None:
            with self.place.container(horizontal=True, vertical_alignment="center"):
                self.bar = st.progress(0.0)
                st.button("Stop", key=self.key, icon=":material/stop_circle:", on_click=self.on_stop)
        text = f"Read {done} of {total} lines" if done else f"Reading {counted(total, 'line')}…"
        self.bar.progress(done / total, text)

    def close(self) -> None:
        """Removes the bar, once the reading has ended."""
        self.place.empty()
