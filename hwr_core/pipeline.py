"""How a photo or a drawing becomes a `Page`: a list of steps that run one after the other.

`PAGE_STEPS` is the list for a photo. Each step takes a `Draft` and gives the next one. `run` takes them in turn; a
caller can remember the draft after any step (`cached`), watch the reading (`Job.on_progress`) and stop it
(`Job.stopped`). `read_page`, `read_region`, the command line, the API and the Photo page all run these steps.

To add a step: write a function `(Draft, Job) -> Draft`, give `Draft` the fields that it fills in, and put it into
    `PAGE_STEPS`.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, cast

import cv2
import numpy as np
from PIL import Image

from hwr_core.auto_recognizer import AutoRecognizer, are_formulas, connected, in_doubt, is_surely_text
from hwr_core.imaging.arrays import as_image
from hwr_core.imaging.conversion import upright
from hwr_core.imaging.preprocess import Preprocessed, preprocess
from hwr_core.imaging.settings import PreprocessSettings, Turn
from hwr_core.ink.strokes import Strokes, as_points
from hwr_core.layout.formula_regions import FormulaRegion, find_formulas
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.orientation import find_upright_lines
from hwr_core.layout.regions import Region, lines_at, regions_of
from hwr_core.layout.unfound import unfound_ink
from hwr_core.layout.words import unread_boxes
from hwr_core.reading import BLANK, Box, Line, Page, Point, Reading, box_corners
from hwr_core.recognizer import Progress, Recognizer
from hwr_core.tasks import DrawnItem

DEFAULT_SETTINGS = PreprocessSettings()
LEAST_SIDE = 4  # pixels of a region's shorter side; nothing is read in a smaller one
SURE_FORMULA = 0.9  # confidence from which a formula that lies in its line is not read again

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
    cleaned = _cleaned(draft, job)
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
        cut_out = lines_at(missing, _cleaned(draft, job).image, draft.to_photo)
        at_hand.update(zip((region.outline for region in missing), cut_out, strict=True))
    return replace(draft, lines=tuple(at_hand[region.outline] for region in draft.regions))


def read(draft: Draft, job: Job) -> Draft:
    """Reads the pictures of the lines, formulas with the formula reader."""
    images = [line.to_read for line in draft.lines]
    formulas = [region.formula for region in draft.regions] or [False] * len(images)
    return replace(draft, readings=tuple(read_lines(images, job, formulas)))


def mix(draft: Draft, job: Job) -> Draft:
    """Looks for formulas where lines are in doubt, if the reader reads both, and keeps the more probable readings."""
    recognizer, readings = job.reader.recognizer, draft.readings
    if not isinstance(recognizer, AutoRecognizer) or job.regions is not None or job.stopped():
        return draft
    texts = [place for place, reading in enumerate(readings) if reading is None or is_surely_text(reading)]
    lone = [place for place in range(len(readings)) if place not in texts]
    if not any(reading.formula or in_doubt(reading) for place in lone if (reading := readings[place]) is not None):
        return draft
    found = find_formulas(_cleaned(draft, job).image, [draft.lines[place].outline for place in texts])
    touches = np.array(
        [[formula.share_in(draft.lines[place].outline) > 0 for formula in found] for place in lone], bool
    )
    blocks = [
        (places, formulas)
        for lines, formulas in connected(touches.reshape(len(lone), len(found)))
        if formulas and not _is_settled(draft, places := [lone[line] for line in lines], [found[n] for n in formulas])
    ]
    asked = [number for _, formulas in blocks for number in formulas]
    reader = replace(job.reader, recognizer=recognizer.math, name=(job.reader.name, "formulas"))
    read_ones = read_lines([found[number].line.image for number in asked], replace(job, reader=reader))
    return _with_formulas(draft, blocks, found, dict(zip(asked, read_ones, strict=True)))


def _is_settled(draft: Draft, places: Sequence[int], formulas: Sequence[FormulaRegion]) -> bool:
    """Whether a line need not be read again as a formula: a number by itself, or a sure formula in its own line."""
    if len(places) != 1 or len(formulas) != 1 or (reading := draft.readings[places[0]]) is None:
        return False
    if not reading.formula:
        return not in_doubt(reading)
    return reading.confidence >= SURE_FORMULA and formulas[0].share_in(draft.lines[places[0]].outline) == 1


def _with_formulas(
    draft: Draft,
    blocks: Sequence[tuple[list[int], list[int]]],
    found: Sequence[FormulaRegion],
    read_ones: dict[int, Reading | None],
) -> Draft:
    """Replaces the lines of a block by its formulas where these are more probable."""
    placed: list[tuple[tuple[float, int], FoundLine, Region, Reading | None]] = [
        ((place, 0), *item) for place, item in enumerate(zip(draft.lines, draft.regions, draft.readings, strict=True))
    ]
    for lines, numbers in blocks:
        readings = [reading for number in numbers if (reading := read_ones[number]) is not None]
        texts = [reading for place in lines if (reading := draft.readings[place]) is not None]
        if len(readings) < len(numbers) or not are_formulas(texts, readings):
            continue
        placed = [item for item in placed if item[0][0] not in lines or item[0][1]]
        first = min(lines) if lines else _line_below(draft.lines, found[numbers[0]].line)
        cell = draft.lines[first].cell if len(lines) == len(numbers) == 1 else None
        for order, (number, reading) in enumerate(zip(numbers, readings, strict=True), 1):
            line = replace(found[number].line, cell=cell)
            region = replace(regions_of([line], draft.to_photo)[0], formula=True)
            placed.append(((first - 0.5 if not lines else first, order), line, region, reading))
    placed.sort(key=lambda item: item[0])
    return replace(
        draft,
        lines=tuple(item[1] for item in placed),
        regions=tuple(item[2] for item in placed),
        readings=tuple(item[3] for item in placed),
    )


def _line_below(lines: Sequence[FoundLine], formula: FoundLine) -> int:
    """The number of the first line whose middle lies below a formula's."""
    middle = formula.outline[:, 1].mean()
    return next((number for number, line in enumerate(lines) if line.outline[:, 1].mean() > middle), len(lines))


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
        placed = replace(line_on_photo(line, draft.to_photo, draft.size, reading), formula=formula)
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


FIND_STEPS: tuple[Step, ...] = (find, regroup)
READ_STEPS: tuple[Step, ...] = (lay_out, cut, read, mix, place)
PAGE_STEPS: tuple[Step, ...] = (*FIND_STEPS, *READ_STEPS)


def read_lines(images: Sequence[Picture], job: Job, formulas: Sequence[bool] | None = None) -> list[Reading | None]:
    """Reads pictures of lines, as far as they are not in `job.readings` and the job is not stopped.

    Args:
        images: Of one line or formula each; PIL images of any mode or uint8 arrays.
        job: Who reads, progress, stop and known readings.
        formulas: Which of the pictures are formulas. None: none is.

    Returns:
        A reading for each picture. None: not read, because the job was stopped.
    """
    known: KnownReadings = {} if job.readings is None else job.readings
    tell = job.on_progress or (lambda done, total: None)
    readers = _readers(len(images), job, formulas)
    keys = [_key(reader, image) for reader, image in zip(readers, images, strict=True)]
    readings = [known.get(key) for key in keys]
    left = [number for number, reading in enumerate(readings) if reading is None]
    done = 0
    if left and not job.stopped():
        tell(0, len(left))
    for numbers in _same_reader(left, readers):
        if job.stopped():
            break
        reader = readers[numbers[0]]
        for batch in reader.recognizer.stream([images[number] for number in numbers], reader.beams):
            for index, reading in batch.items():
                readings[numbers[index]] = known[keys[numbers[index]]] = reading
            done += len(batch)
            tell(done, len(left))
            if job.stopped():
                break
    return readings


def read_ink(
    strokes: Sequence[np.ndarray],
    recognizer: Recognizer,
    beams: int | None = None,
    on_progress: Progress | None = None,
    words: Words = (),
) -> Page:
    """Reads drawn strokes. Text is grouped into lines; a math checkpoint reads all strokes as one formula.

    Args:
        strokes: Each an (n, 2) array of x and y, y downwards, in any unit. Points that are not finite are ignored.
        recognizer: Each line is rendered at its `ink_height` and `ink_stroke_width`.
        beams: Width of the beam search. None: the checkpoint's own.
        on_progress: Called with (lines read, lines to read) after each batch.
        words: Words to favour, as for `Recognizer.with_words`. Empty: those that the recognizer was given.

    Returns:
        The page; its size and its boxes are in the strokes' unit. Without strokes it has no lines.

    Raises:
        ValueError: A stroke is no (n, 2) array.
        TooLargeError: There is more writing than is read at once, or there are too many words.
    """
    recognizer = _favouring(recognizer, words)
    finite = [stroke[np.isfinite(stroke).all(1)] for stroke in map(as_points, strokes)]
    drawn = [stroke for stroke in finite if len(stroke)]
    if isinstance(recognizer, AutoRecognizer):
        found = _read_mixed(drawn, recognizer, beams, on_progress)
    else:
        found = _read_drawn(drawn, recognizer, beams, on_progress)
    lines: list[Line] = []
    unreadable: list[Line] = []
    unread: list[Box] = []
    for item, reading in found:
        line = Line(_extent(item.strokes), item.image, reading, formula=reading.formula)
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
    strokes: Strokes, recognizer: Recognizer, beams: int | None, on_progress: Progress | None
) -> list[tuple[DrawnItem, Reading]]:
    items = recognizer.task.render(strokes)
    return _read_items(items, recognizer, beams, on_progress)


def _read_items(
    items: Sequence[DrawnItem], recognizer: Recognizer, beams: int | None, on_progress: Progress | None = None
) -> list[tuple[DrawnItem, Reading]]:
    images = [item.image for item in items if item.reading is None]
    job = Job(lambda: images[0], LineReader(recognizer, beams), on_progress=on_progress)
    readings = iter(read_lines(images, job))
    found = [(item, item.reading or next(readings)) for item in items]
    return [(item, reading) for item, reading in found if reading is not None]


def _read_mixed(
    strokes: Strokes, recognizer: AutoRecognizer, beams: int | None, on_progress: Progress | None
) -> list[tuple[DrawnItem, Reading]]:
    """Lines of text, and formulas where lines may be none: the more probable of both wherever they share strokes."""
    texts = _read_drawn(strokes, recognizer.text, beams, on_progress)
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
    asked = [found for lines, found in blocks if len(lines) > 1 or len(found) > 1 or in_doubt(texts[lines[0]][1])]
    to_read = [formulas[number] for found in asked for number in found]
    read_ones = dict(
        zip((number for found in asked for number in found), _read_items(to_read, recognizer.math, beams), strict=True)
    )
    for lines, found in blocks:
        written = [texts[place] for place in lines]
        chosen = written
        if found in asked and are_formulas(
            [reading for _, reading in written], [read_ones[number][1] for number in found]
        ):
            chosen = [read_ones[number] for number in found]
        kept += [(lines[0], order, item, reading) for order, (item, reading) in enumerate(chosen)]
    return [(item, reading) for _, _, item, reading in sorted(kept, key=lambda entry: entry[:2])]


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
    recognizer = _favouring(recognizer, words)
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
    recognizer = _favouring(recognizer, words)
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
    recognizer = _favouring(recognizer, words)
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


def _favouring(recognizer: Recognizer, words: Words) -> Recognizer:
    return recognizer.with_words(words) if words else recognizer


def take_whole(draft: Draft, job: Job) -> Draft:
    """Takes the whole cleaned picture as one line: the step of `read_region` in place of detection."""
    grey = _cleaned(draft, job).image
    height, width = grey.shape
    outline = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    ends = cv2.perspectiveTransform(outline[None, :2], draft.to_photo)[0, :, 0] / draft.size[0]
    line = FoundLine(outline, grey, (float(ends[0]), float(ends[1])))
    return replace(draft, lines=(line,), regions=regions_of([line], draft.to_photo))


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


def _cleaned(draft: Draft, job: Job) -> Preprocessed:
    """The cleaned page. If it was dropped, it is made anew."""
    if draft.cleaned is not None:
        return draft.cleaned
    made = clean(draft, replace(job, steps_side=0)).cleaned
    assert made is not None  # `clean` always makes one
    return made


def _page(draft: Draft) -> Page:
    assert draft.page is not None  # `place` is the last step
    return draft.page


def _upright(image: Picture) -> Image.Image:
    return upright(as_image(image) if isinstance(image, np.ndarray) else image)


def _readers(count: int, job: Job, formulas: Sequence[bool] | None) -> list[LineReader]:
    """The reader of each picture. The formula reader is asked for only if a picture is a formula."""
    mixed = job.reader.recognizer
    if formulas is None or not any(formulas):
        return [job.reader] * count
    if job.formula_reader is not None:
        formula_reader = job.formula_reader()
    elif isinstance(mixed, AutoRecognizer):
        formula_reader = replace(job.reader, recognizer=mixed.math, name=(job.reader.name, "formulas"))
    else:
        formula_reader = job.reader
    return [formula_reader if formula else job.reader for formula in formulas]


def _same_reader(numbers: Sequence[int], readers: Sequence[LineReader]) -> list[list[int]]:
    """Groups the pictures' numbers by their readers, the reader of the first picture first."""
    groups: dict[int, list[int]] = {}
    for number in numbers:
        groups.setdefault(id(readers[number]), []).append(number)
    return list(groups.values())


def _key(reader: LineReader, image: Picture) -> Hashable:
    """Tells a picture's reading by this reader from all others."""
    pixels = np.ascontiguousarray(image)
    return (reader.name, hashlib.blake2b(pixels.data, digest_size=16).hexdigest(), pixels.shape)


def _extent(strokes: Sequence[np.ndarray]) -> Box:
    points = np.concatenate(strokes)
    low, high = np.floor(points.min(0)), np.ceil(points.max(0))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
