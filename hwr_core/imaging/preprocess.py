"""From a photo to a clean grey page, step by step; each step's picture is kept for the preview."""

from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.line_image import BLANK_CONTRAST, ink_mask, shrunk, small_rgb, to_grey
from hwr_core.imaging.page_detection import PAGE_SIDE, is_dark, page_corners, straightened, turned, without_ruling
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.runtime.scheduling import alone_where_memory_is_short

LONGEST_SIDE = 3600  # pixels that a page is scaled down to: lines of 60 on a full page stay 50 pixels high
INK_SIDE = 1600  # pixels of the longest side at which the ink of a page is looked for
BAND = 512  # rows of a page that are measured at once

# A skew is believed where its direction is this much sharper than most directions, and than none. On pages the peak is
# five times the median and more, on single words two and a half at most.
SKEW_PEAK, SKEW_GAIN = 4.0, 1.2


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


def skew_angle(grey: np.ndarray, limit: float = 12.0) -> float:
    """Degrees by which to turn the page counter-clockwise for level lines: where the rows' ink changes the most sharply.

    0 where that is no clear peak: of one word, the sharpest direction says more about its letters than about the page.
    """
    ink = ink_mask(shrunk(grey, 700)).astype(np.uint8) * 255
    if not ink.any():
        return 0.0

    def sharpness(angle: float) -> float:
        profile = rotate(ink, angle, paper=0)[0].sum(1, dtype=np.float64)
        return float(np.sum(np.diff(profile) ** 2))

    coarse = {angle: sharpness(angle) for angle in np.arange(-limit, limit + 0.1, 1.0)}
    middle = max(coarse, key=coarse.get)
    best = max(np.arange(middle - 0.8, middle + 0.9, 0.2), key=sharpness)
    peak = sharpness(best)
    clear = peak > SKEW_PEAK * np.median(list(coarse.values())) and peak > SKEW_GAIN * sharpness(0.0)
    return float(best) if clear else 0.0


def rotate(grey: np.ndarray, angle: float, paper: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Turned by `angle` degrees counter-clockwise on a canvas that holds all of it; with the 3×3 matrix back."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(height * sine + width * cosine), int(height * cosine + width * sine))
    matrix[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
    fill = int(np.median(grey)) if paper is None else paper
    turned = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_LINEAR, borderValue=fill)
    return turned, np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))


def ink_box(grey: np.ndarray) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of the ink, to a few pixels, or None on a blank page."""
    height, width = grey.shape
    grey = shrunk(grey, INK_SIDE)
    mask = ink_mask(grey)
    if not mask.any():
        return None
    # A table's rim or a fold at the edge is the largest dark thing on a page, beside which its letters would be taken for specks.
    mask |= ink_mask(_without_rim(grey))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    across, down = width / grey.shape[1], height / grey.shape[0]
    return int(columns[0] * across), int(rows[0] * down), ceil((columns[-1] + 1) * across), ceil((rows[-1] + 1) * down)


def _without_rim(grey: np.ndarray) -> np.ndarray:
    """Paper in place of what is dark along the page's edges."""
    paper = int(np.median(grey))
    dark = cv2.copyMakeBorder(
        (grey < paper - BLANK_CONTRAST).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1
    )
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    return np.where(labels[1:-1, 1:-1] == labels[0, 0], paper, grey).astype(np.uint8)


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


def binarise(grey: np.ndarray, settings: PreprocessSettings) -> tuple[np.ndarray, float | None]:
    """Black ink on white paper by the method of `settings`, and the level of a global one."""
    window = max(3, settings.threshold_window | 1)
    if settings.threshold == "otsu":
        level, binary = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        return binary, float(level)
    if settings.threshold == "manual":
        return cv2.threshold(grey, settings.threshold_level, 255, cv2.THRESH_BINARY)[1], float(settings.threshold_level)
    if settings.threshold == "adaptive":
        offset = settings.adaptive_offset
        return cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, window, offset), None
    found = np.empty_like(grey)
    for top in range(0, len(grey), BAND):  # float64 images of a whole page take half a gigabyte
        above = min(top, window)
        local = sauvola(grey[top - above : top + BAND + window], window, settings.sauvola_k)[above : above + BAND]
        found[top : top + BAND] = np.where(grey[top : top + BAND] > local, 255, 0)
    return found, None


def sauvola(grey: np.ndarray, window: int, k: float) -> np.ndarray:
    """The threshold of every pixel, (height, width) float64, after Sauvola and Pietikäinen 2000: mean · (1 + k · (deviation / 127.5 − 1)).

    As scikit-image's `threshold_sauvola`, without SciPy, whose import takes 40 MB.
    """
    grey = grey.astype(np.float64)  # of bytes OpenCV adds the squares as integers, which overflow in large windows
    mean, squares = (
        cv2.blur(values, (window, window), borderType=cv2.BORDER_REFLECT_101) for values in (grey, grey * grey)
    )
    deviation = np.sqrt(np.maximum(squares - mean * mean, 0))
    return mean * (1 + k * (deviation / 127.5 - 1))


def stroke_width(grey: np.ndarray) -> float:
    """The usual width of the pen in pixels: twice the median distance from the strokes' middles to their edges; 0 if blank."""
    found = []
    for top in range(0, grey.shape[0], BAND):  # the distances of a whole page take 40 MB
        mask = ink_mask(grey[top : top + BAND])
        distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        # The middle of a stroke is nowhere nearer to an edge than what is beside it.
        found.append(distance[mask & (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8)) - 0.01)])
    middles = np.concatenate(found)
    return float(2 * np.median(middles) - 1) if len(middles) else 0.0


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
