"""What a reading is asked to do, its draft on the way, and how steps run one after the other."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from PIL import Image

from hwr_core.imaging.preprocess import Preprocessed
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.regions import Region
from hwr_core.reading import Box, Page, Reading
from hwr_core.recognizer import Progress, Recognizer

DEFAULT_SETTINGS = PreprocessSettings()

Mode = Literal["page", "line", "formula"]
Picture = Image.Image | np.ndarray
Words = str | Iterable[str]  # a list, or a text with spaces, commas or line breaks between the words


@dataclass(frozen=True)
class LineReader:
    """A recognizer, and the number of beams that it reads with.

    Attributes:
        recognizer: Reads pictures of lines, or of formulas.
        beams: Width of the beam search. None: the checkpoint's own.
        name: Tells readings by this reader from others' in `Job.readings`.
    """

    recognizer: Recognizer
    beams: int | None = None
    name: Hashable = None


class KnownReadings(Protocol):
    """Readings by what identifies a picture and its reader, such as a dictionary."""

    def get(self, key: Hashable, /) -> Reading | None: ...

    def __setitem__(self, key: Hashable, reading: Reading, /) -> None: ...


@dataclass(frozen=True)
class Job:
    """The task: the photo, the readers and the options. It is the same for every step.

    Attributes:
        picture: Gives the photo, upright as its EXIF orientation says. It may be called several times: no step keeps
            the photo.
        reader: Reads the lines of text, and tells which way up a page is.
        settings: Of the preprocessing.
        formula_reader: Gives the reader of regions marked as formulas, when there is one. None: `reader` reads them
            too.
        regions: The lines as a person left them. None: as they are found.
        steps_side: Pixels of the longest side of the pictures of the preprocessing steps; 0 keeps none, None keeps
            their full size.
        on_progress: Called with (lines read, lines to read) before the first batch and after each. An exception that
            it raises ends the reading.
        stopped: Asked before each batch. Once it is true, no further line is read.
        readings: Readings that are known, by reader and picture; new ones are added. None: every line is read.
    """

    picture: Callable[[], Image.Image]
    reader: LineReader
    settings: PreprocessSettings = DEFAULT_SETTINGS
    formula_reader: Callable[[], LineReader] | None = None
    regions: tuple[Region, ...] | None = None
    steps_side: int | None = 0
    on_progress: Progress | None = None
    stopped: Callable[[], bool] = lambda: False
    readings: KnownReadings | None = None


@dataclass(frozen=True)
class Draft:
    """A page on its way through the steps. A step fills in its results, and leaves the rest.

    Attributes:
        size: Width and height of the photo in pixels.
        turn: Degrees counter-clockwise by which the page is turned.
        cleaned: The page after preprocessing. None: not made yet, or dropped; a step that needs it makes it anew.
        to_photo: (3, 3) float matrix from pixels of the cleaned page to the photo's, homogeneous.
        found: The lines that were detected, cut out of the cleaned page, in reading order.
        found_regions: Where these lie on the photo.
        unfound: Boxes of ink in none of the detected lines, in pixels of the photo.
        regions: The lines to read, in reading order.
        lines: Their pictures.
        readings: Their readings. None for a line that was not read because the reading was stopped.
        kept: The regions that are lines of `page`, in its order.
        page: The result.
    """

    size: tuple[int, int] = (0, 0)
    turn: int = 0
    cleaned: Preprocessed | None = None
    to_photo: np.ndarray = field(default_factory=lambda: np.eye(3))
    found: tuple[FoundLine, ...] = ()
    found_regions: tuple[Region, ...] = ()
    unfound: tuple[Box, ...] = ()
    regions: tuple[Region, ...] = ()
    lines: tuple[FoundLine, ...] = ()
    readings: tuple[Reading | None, ...] = ()
    kept: tuple[Region, ...] = ()
    page: Page | None = None

    @property
    def lines_left(self) -> int:
        """The number of lines that were not read because the reading was stopped."""
        return self.readings.count(None)


Step = Callable[[Draft, Job], Draft]
Cached = Callable[[Step, Draft, Job], Draft]


def run(steps: Sequence[Step], job: Job, draft: Draft = Draft(), cached: Cached | None = None) -> Draft:
    """Runs `steps` one after the other.

    Args:
        steps: Such as `PAGE_STEPS`, or a part of it.
        job: The photo, the readers and the options.
        draft: The result of earlier steps.
        cached: Called in place of each step as `cached(step, draft, job)`. It returns a remembered draft, or
            `step(draft, job)`.

    Returns:
        The draft after the last step.
    """
    for step in steps:
        draft = step(draft, job) if cached is None else cached(step, draft, job)
    return draft
