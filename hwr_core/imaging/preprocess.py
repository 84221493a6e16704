"""From a photo to a clean grey page, step by step; each step's picture is kept for the preview."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.binarise import binarise
from hwr_core.imaging.ink_mask import ink_box, stroke_width
from hwr_core.imaging.line_image import small_rgb, to_grey
from hwr_core.imaging.page_detection import PAGE_SIDE, is_dark, page_corners, straightened, turned, without_ruling
from hwr_core.imaging.resize import shrunk
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.imaging.skew import rotate, skew_angle
from hwr_core.runtime.scheduling import alone_where_memory_is_short

LONGEST_SIDE = 3600  # pixels that a page is scaled down to: lines of 60 on a full page stay 50 pixels high


@dataclass(frozen=True)
class Step:
    """One step of the preprocessing: `name` for people, `image` (height, width) uint8 after it."""

    name: str
    image: np.ndarray


@dataclass(frozen=True)
class Preprocessed:
    """`image` (height, width) uint8 is what is read, `steps` are what led to it, in order; `to_photo`, a 3×3 matrix, takes its pixels to
    the photo's (homogeneous). `before_threshold` and `before_strokes` are the page before these steps, which may be `image` itself.
    `threshold_level` is the grey level of a global threshold, None for none or a local one."""

    image: np.ndarray
    steps: tuple[Step, ...]
    to_photo: np.ndarray
    before_threshold: np.ndarray
    before_strokes: np.ndarray
    threshold_level: float | None = None
    turn: int = 0  # degrees counter-clockwise by which the page was turned


def preprocess(
    image: Image.Image | np.ndarray, settings: PreprocessSettings = PreprocessSettings(), steps_side: int | None = None
) -> Preprocessed:
    """Runs the steps that `settings` ask for on a picture of any mode. A `turn` of "auto" leaves it as it lies: see `orientation`.

    Pictures of the steps are kept `steps_side` pixels large at most, or none for 0; at their full size, some 10 MB each, unless said.
    """
    with alone_where_memory_is_short(image.size if isinstance(image, np.ndarray) else image.width * image.height):
        return _preprocessed(image, settings, steps_side)


def _preprocessed(
    image: Image.Image | np.ndarray, settings: PreprocessSettings, steps_side: int | None
) -> Preprocessed:
    grey = to_grey(image)
    matrix = np.eye(3)  # from the current step's pixels to the photo's
    if max(grey.shape) > LONGEST_SIDE:
        before = grey.shape
        grey = shrunk(grey, LONGEST_SIDE)
        matrix = matrix @ np.diag([before[1] / grey.shape[1], before[0] / grey.shape[0], 1.0])
    steps: list[Step] = []

    def add(name: str, picture: np.ndarray) -> np.ndarray:
        if steps_side != 0:
            steps.append(Step(name, picture if steps_side is None else shrunk(picture, steps_side)))
        return picture

    add("Grey", grey)
    if settings.perspective and (corners := _corners(image)) is not None:
        grey, back = straightened(grey, corners * grey.shape[::-1])
        matrix = matrix @ back
        grey = add("Straightened", grey)
    if settings.turn not in ("auto", "0"):
        grey, back = turned(grey, int(settings.turn))
        matrix = matrix @ back
        grey = add(f"Turned by {settings.turn}°", grey)
    if settings.invert == "always" or (settings.invert == "auto" and is_dark(grey)):
        grey = add("Inverted", 255 - grey)
    if settings.flatten:
        grey = add("Flattened", flatten(grey))
    if settings.denoise:
        grey = add("Denoised", cv2.medianBlur(grey, 3 if settings.denoise == 1 else 5))
    if settings.deskew and abs(angle := skew_angle(grey)) >= 0.3:
        grey, turn = rotate(grey, angle)
        matrix = matrix @ turn
        grey = add(f"Levelled by {angle:.1f}°", grey)
    if settings.ruling:
        grey = add("Without ruled lines", without_ruling(grey))
    if settings.crop and (box := ink_box(grey)):
        grey, corner = crop(grey, _widened(box, grey.shape), settings.padding)
        add("Cropped", grey)
        matrix = matrix @ np.array([[1, 0, corner[0]], [0, 1, corner[1]], [0, 0, 1]], float)
    before_threshold, level = grey, None
    if settings.threshold != "none":
        grey, level = binarise(grey, settings)
        add(f"Thresholded ({settings.threshold})", grey)
    before_strokes = grey
    if settings.stroke != "keep":
        grey = add(f"Strokes: {settings.stroke}", change_stroke_width(grey, settings))
    turn = int(settings.turn) if settings.turn != "auto" else 0
    return Preprocessed(grey, tuple(steps), matrix, before_threshold, before_strokes, level, turn)


def _corners(image: Image.Image | np.ndarray) -> np.ndarray | None:
    """As `page_corners`, in shares of the picture's width and height."""
    seen = np.asarray(small_rgb(image, 2 * PAGE_SIDE)) if isinstance(image, Image.Image) else to_grey(image)
    corners = page_corners(seen)
    return None if corners is None else corners / seen.shape[1::-1]


def flatten(grey: np.ndarray) -> np.ndarray:
    """Evens out paper and light: divides by the paper's brightness, which a closing and a wide blur estimate."""
    height, width = grey.shape
    small = shrunk(grey, 400)
    # Wide enough to close over letters and tight words, narrow enough to follow a shadow's edge.
    size = max(3, round(max(small.shape) / 16)) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    paper = cv2.GaussianBlur(cv2.medianBlur(paper, min(size, 31)), (0, 0), size / 3)
    # A dark region is shadow only down to a point: below it, dividing would blow noise up to ink.
    paper = cv2.resize(np.maximum(paper, 40), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(grey, paper, scale=245)


def _widened(box: tuple[int, int, int, int], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """A little more of the page: faint writing at the edge is not always seen as ink."""
    height, width = shape
    more = max(shape) // 40
    return max(0, box[0] - more), max(0, box[1] - more), min(width, box[2] + more), min(height, box[3] + more)


def crop(grey: np.ndarray, box: tuple[int, int, int, int], padding: int) -> tuple[np.ndarray, tuple[int, int]]:
    """`box` of the page with `padding` pixels round it, paper-grey where the page ends; and its corner's x and y on the page."""
    height, width = grey.shape
    left, top, right, bottom = box[0] - padding, box[1] - padding, box[2] + padding, box[3] + padding
    beyond = [max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)]
    inside = grey[max(0, top) : bottom, max(0, left) : right]
    return cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_CONSTANT, value=int(np.median(grey))), (left, top)


def change_stroke_width(grey: np.ndarray, settings: PreprocessSettings) -> np.ndarray:
    """Thinner or thicker strokes by grey morphology, which keeps their soft edges."""
    change = float({"thin": -settings.stroke_amount, "thicken": settings.stroke_amount}.get(settings.stroke, 0))
    if settings.stroke == "normalise":
        measured = stroke_width(grey)
        change = settings.stroke_target - measured if measured else 0.0
    pixels = round(abs(change))
    if pixels == 0:
        return grey
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pixels + 1, pixels + 1))
    # Ink is dark: the darkest neighbour thickens, the lightest thins.
    return cv2.erode(grey, kernel) if change > 0 else cv2.dilate(grey, kernel)
