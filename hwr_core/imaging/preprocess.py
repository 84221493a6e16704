"""From a photo to a clean grey page, step by step.

A step is a function in `STEPS` that changes a `_Work`. The order of `STEPS` is the order of the steps.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.binarise import binarise
from hwr_core.imaging.binding import without_binding
from hwr_core.imaging.colour_contrast import grey_of_ink
from hwr_core.imaging.conversion import small_rgb, to_grey
from hwr_core.imaging.dot_grid import without_dots
from hwr_core.imaging.grey_levels import median_grey
from hwr_core.imaging.ink_mask import ink_box, stroke_width
from hwr_core.imaging.lighting import flatten, is_dark
from hwr_core.imaging.page_detection import PAGE_SIDE, page_corners, straightened, turned
from hwr_core.imaging.resize import shrunk
from hwr_core.imaging.ruling import without_ruling
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.imaging.skew import rotate, skew_angle
from hwr_core.runtime.scheduling import exclusive_if_memory_is_short

# Pixels of a page's longer side: larger pages are shrunk. The lines of a page with 60 lines are then 50 pixels high.
LONGEST_SIDE = 3600
TURN_NAMES = {"90": "Rotated 90° left", "180": "Rotated 180°", "270": "Rotated 90° right"}  # names of the steps
LEAST_SKEW = 0.3  # degrees: a smaller skew is not corrected


@dataclass(frozen=True)
class Step:
    """A step that was run.

    Attributes:
        name: the name to display.
        image: the page after the step, (height, width) uint8.
    """

    name: str
    image: np.ndarray


@dataclass(frozen=True)
class Preprocessed:
    """A cleaned page.

    Attributes:
        image: the page as it is read, (height, width) uint8.
        steps: the steps that were run, in order.
        to_photo: the (3, 3) matrix that maps `image`'s pixels to the photo's, in homogeneous coordinates.
        before_threshold: the page before thresholding; may be `image` itself.
        before_strokes: the page before the stroke width was changed; may be `image` itself.
        threshold_level: the grey level of a global threshold; None without threshold, and for a local one.
        turn: degrees counter-clockwise by which the page was turned.
    """

    image: np.ndarray
    steps: tuple[Step, ...]
    to_photo: np.ndarray
    before_threshold: np.ndarray
    before_strokes: np.ndarray
    threshold_level: float | None = None
    turn: int = 0


def preprocess(
    image: Image.Image | np.ndarray, settings: PreprocessSettings = PreprocessSettings(), steps_side: int | None = None
) -> Preprocessed:
    """Runs the steps that the settings ask for.

    Args:
        image: the photo: a picture of any mode, or a (height, width[, 3]) uint8 array.
        settings: which steps to run. A `turn` of "auto" turns nothing here; see `hwr_core.layout.orientation`.
        steps_side: pixels of the longer side to which the steps' pictures are shrunk. None keeps them at full size,
            some 10 MB each; 0 keeps none.

    Returns:
        The cleaned page.
    """
    pixels = image.size if isinstance(image, np.ndarray) else image.width * image.height
    with exclusive_if_memory_is_short(pixels):
        work = _Work(image, grey_of_ink(image), steps_side)
    for step in STEPS:  # between two steps other requests get their turn
        with exclusive_if_memory_is_short(pixels):
            step(work, settings)
    return Preprocessed(
        work.grey,
        tuple(work.steps),
        work.to_photo,
        work.before_threshold,
        work.before_strokes,
        work.threshold_level,
        0 if settings.turn == "auto" else int(settings.turn),
    )


@dataclass
class _Work:
    """A page between two steps: the photo, the page so far, and the pictures of the steps so far."""

    photo: Image.Image | np.ndarray
    grey: np.ndarray  # (height, width) uint8
    steps_side: int | None
    to_photo: np.ndarray = field(default_factory=lambda: np.eye(3))
    steps: list[Step] = field(default_factory=list)
    before_threshold: np.ndarray = field(init=False)
    before_strokes: np.ndarray = field(init=False)
    threshold_level: float | None = None

    def becomes(self, name: str, grey: np.ndarray, back: np.ndarray | None = None) -> None:
        """Ends a step.

        Args:
            name: the step's name to display.
            grey: the page after the step, (height, width) uint8.
            back: the (3, 3) matrix that maps `grey`'s pixels to the page's before the step; None if none moved.
        """
        self.grey = grey
        if back is not None:
            self.to_photo = self.to_photo @ back
        if self.steps_side != 0:
            self.steps.append(Step(name, grey if self.steps_side is None else shrunk(grey, self.steps_side)))


def _shrink(work: _Work, settings: PreprocessSettings) -> None:
    height, width = work.grey.shape
    grey = shrunk(work.grey, LONGEST_SIDE)
    work.becomes("Grey", grey, np.diag([width / grey.shape[1], height / grey.shape[0], 1.0]))


def _straighten(work: _Work, settings: PreprocessSettings) -> None:
    if settings.perspective and (corners := _corners(work.photo)) is not None:
        work.becomes("Perspective fixed", *straightened(work.grey, corners * work.grey.shape[::-1]))


def _turn(work: _Work, settings: PreprocessSettings) -> None:
    if settings.turn not in ("auto", "0"):
        work.becomes(TURN_NAMES[settings.turn], *turned(work.grey, int(settings.turn)))


def _invert(work: _Work, settings: PreprocessSettings) -> None:
    if settings.invert == "always" or (settings.invert == "auto" and is_dark(work.grey)):
        work.becomes("Inverted", 255 - work.grey)


def _flatten(work: _Work, settings: PreprocessSettings) -> None:
    if settings.flatten:
        work.becomes("Lighting evened out", flatten(work.grey))
        if (plain := without_dots(work.grey)) is not None:
            work.becomes("Printed dots removed", plain)


def _denoise(work: _Work, settings: PreprocessSettings) -> None:
    if settings.denoise:
        work.becomes("Denoised", cv2.medianBlur(work.grey, 3 if settings.denoise == 1 else 5))


def _deskew(work: _Work, settings: PreprocessSettings) -> None:
    if settings.deskew and abs(angle := skew_angle(work.grey)) >= LEAST_SKEW:
        work.becomes(f"Straightened by {angle:.1f}°", *rotate(work.grey, angle))


def _remove_ruling(work: _Work, settings: PreprocessSettings) -> None:
    if settings.ruling:
        work.becomes("Ruled lines removed", without_ruling(work.grey))


def _crop(work: _Work, settings: PreprocessSettings) -> None:
    if settings.crop and (inside := without_binding(work.grey)):
        left, top, right, bottom = inside
        work.becomes("Binding cut off", work.grey[top:bottom, left:right], _moved(left, top))
    if settings.crop and (box := ink_box(work.grey)):
        grey, (x, y) = crop(work.grey, _widened(box, work.grey.shape), settings.padding)
        work.becomes("Cropped", grey, _moved(x, y))


def _threshold(work: _Work, settings: PreprocessSettings) -> None:
    work.before_threshold = work.grey
    if settings.threshold != "none":
        grey, work.threshold_level = binarise(work.grey, settings)
        work.becomes(f"Thresholded ({settings.threshold})", grey)


def _change_strokes(work: _Work, settings: PreprocessSettings) -> None:
    work.before_strokes = work.grey
    if settings.stroke != "keep":
        work.becomes(f"Strokes: {settings.stroke}", change_stroke_width(work.grey, settings))


STEPS: tuple[Callable[[_Work, PreprocessSettings], None], ...] = (
    _shrink,
    _straighten,
    _turn,
    _invert,
    _flatten,
    _denoise,
    _deskew,
    _remove_ruling,
    _crop,
    _threshold,
    _change_strokes,
)


def _corners(image: Image.Image | np.ndarray) -> np.ndarray | None:
    """As `page_corners`, in shares of the picture's width and height."""
    seen = np.asarray(small_rgb(image, 2 * PAGE_SIDE)) if isinstance(image, Image.Image) else to_grey(image)
    corners = page_corners(seen)
    return None if corners is None else corners / seen.shape[1::-1]


def _moved(x: int, y: int) -> np.ndarray:
    """The (3, 3) matrix of a move to the right and down, in pixels."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def _widened(box: tuple[int, int, int, int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The box with a fortieth of the page more on each side: faint writing at its edge is not always found as ink."""
    height, width = shape
    more = max(shape) // 40
    return max(0, box[0] - more), max(0, box[1] - more), min(width, box[2] + more), min(height, box[3] + more)


def crop(grey: np.ndarray, box: tuple[int, int, int, int], padding: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Cuts a box out of a page, with padding around it.

    Args:
        grey: the page, (height, width) uint8.
        box: left, top, right and bottom in pixels.
        padding: pixels around the box. Padding beyond the page is in the page's median grey.

    Returns:
        The cut-out page, and the x and y of its upper left corner on `grey`.
    """
    height, width = grey.shape
    left, top, right, bottom = box[0] - padding, box[1] - padding, box[2] + padding, box[3] + padding
    inside = grey[max(0, top) : bottom, max(0, left) : right]
    above, below = max(0, -top), max(0, bottom - height)
    before, after = max(0, -left), max(0, right - width)
    paper = median_grey(grey)
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT, value=paper), (left, top)


def change_stroke_width(grey: np.ndarray, settings: PreprocessSettings) -> np.ndarray:
    """Makes strokes thinner or thicker by grey morphology, which keeps their soft edges.

    Args:
        grey: dark writing on light paper, (height, width) uint8.
        settings: `stroke`, `stroke_amount` and `stroke_target` say how.

    Returns:
        The page in the same shape; `grey` itself for a change of less than half a pixel.
    """
    change = float({"thin": -settings.stroke_amount, "thicken": settings.stroke_amount}.get(settings.stroke, 0))
    if settings.stroke == "normalise":
        measured = stroke_width(grey)
        change = settings.stroke_target - measured if measured else 0.0
    pixels = round(abs(change))
    if pixels == 0:
        return grey
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pixels + 1, pixels + 1))
    # Ink is dark: the darkest neighbour thickens it, the lightest thins it.
    return cv2.erode(grey, kernel) if change > 0 else cv2.dilate(grey, kernel)
