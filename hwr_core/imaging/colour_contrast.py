"""Grey pictures in which coloured ink stands out, also ink that is as bright as its paper (red on green, orange on white)."""

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.arrays import as_image
from hwr_core.imaging.conversion import bands, ground_of, opaque, small_rgb, to_grey, upright

LOOK_SIDE = 800  # pixels of the longest side at which the colours are judged
PAPER_SHARE = 5  # the paper's colour is taken over strokes up to a fifth of a line picture's height …
WIDEST_STROKE = 13  # … or so many pixels wide; a highlighter's mark is wider and counts as paper
CHROMA_COST = 40  # grey levels by which a single channel must be darker than the brightness before it counts at all
GAIN = 25  # grey levels of contrast that a channel must add for a pixel to count as hidden ink
LEAST_HIDDEN = 40  # pixels of hidden ink under which the brightness alone is used


def grey_of_ink(image: Image.Image | np.ndarray) -> np.ndarray:
    """The picture in grey, as `to_grey` gives it, but with ink of little brightness contrast as dark as its best channel shows it.

    Args:
        image: A `PIL` image of any mode, or an array as `to_grey` takes it.

    Returns:
        (height, width) uint8. The same as `to_grey(image)` where the colours hide no ink.
    """
    image = upright(as_image(image) if isinstance(image, np.ndarray) else image)
    if image.mode in ("1", "L", "LA") or image.mode.startswith(("I", "F")):
        return to_grey(image)
    small = np.asarray(small_rgb(image, LOOK_SIDE))
    if min(small.shape[:2]) < 8 or not _has_colour(small):
        return to_grey(image)
    paper = _paper(small)
    brightness = _darkness(small, paper)
    if int((_best_channel(small, paper) > brightness + GAIN).sum()) < LEAST_HIDDEN:
        return to_grey(image)
    return _fused(image, paper)


def _has_colour(small: np.ndarray) -> bool:
    return int((small.max(2).astype(np.int16) - small.min(2) > CHROMA_COST).sum()) >= LEAST_HIDDEN


def _paper(small: np.ndarray) -> np.ndarray:
    """The colour of the paper at each place, (height, width, 3) uint8: what is lighter or darker than thin strokes on it."""
    size = max(5, min(WIDEST_STROKE, min(small.shape[:2]) // PAPER_SHARE)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    channels = []
    for channel in cv2.split(small):
        closed = cv2.morphologyEx(channel, cv2.MORPH_CLOSE, kernel)
        # Ink that is lighter than its paper in a channel is no paper either.
        channels.append(cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel))
    return cv2.merge(channels)


def _weights(values: np.ndarray) -> np.ndarray:
    """The brightness of colours, as Pillow's "L": ITU-R 601."""
    return values @ np.array([0.299, 0.587, 0.114], np.float32)


def _darkness(pixels: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """How much darker than the paper by brightness, in grey levels of white paper."""
    ground = np.maximum(_weights(paper.astype(np.float32)), 30)
    return 255 * (1 - _weights(pixels.astype(np.float32)) / ground)


def _best_channel(pixels: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """The same by the channel that darkens the most, less `CHROMA_COST`."""
    shares = pixels.astype(np.float32) / np.maximum(paper.astype(np.float32), 30)
    return 255 * (1 - shares.min(2)) - CHROMA_COST


def _fused(image: Image.Image, paper: np.ndarray) -> np.ndarray:
    grey, behind = np.empty((image.height, image.width), np.uint8), ground_of(image)
    for top, band in bands(image):
        pixels = np.asarray(opaque(band, behind).convert("RGB"))
        rows = np.linspace(top, top + band.height, band.height, endpoint=False) * paper.shape[0] / image.height
        columns = np.arange(band.width, dtype=np.float32) * paper.shape[1] / image.width
        grid = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        ground = cv2.remap(paper, grid[0], grid[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        dark = np.maximum(_darkness(pixels, ground), _best_channel(pixels, ground))
        light = _weights(ground.astype(np.float32))
        grey[top : top + band.height] = np.clip(light * (1 - dark / 255), 0, 255)
    return grey
