"""Pictures of single lines, prepared for an encoder: dark on light, cropped, in full contrast.

Training and reading share these functions, so that a checkpoint sees the same kind of picture in both.
"""

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.colour_contrast import grey_of_ink
from hwr_core.imaging.grey_levels import DARKEST_PIXELS, percentiles
from hwr_core.imaging.ink_mask import BLANK_CONTRAST, FAINTEST, ink_mask, line_mask
from hwr_core.imaging.lighting import evened, is_light_on_dark
from hwr_core.imaging.resize import shrunk

LARGEST_LINE = 4_000_000  # pixels of a line: larger lines are shrunk, far above any encoder's resolution
MARGIN = 0.06  # of the ink's height: the paper that stays around the ink
BORDER = 0.1  # of the ink's height: the paper that is added around a word that was cut tightly
TIGHT = 0.08  # of a picture's height: a word cut tightly leaves less paper beside it and, in all, above and below
WORD_ASPECT = 8  # width by height up to which a picture is taken for a word's
FAINT_LINE = 28  # grey levels: a detected line of less contrast is darkened before it is read …
DARKENED = 80  # … to so many …
LEAST_DEPTH = 6  # … if its ink is so many times darker than the usual variation of its paper


def crop_to_ink(grey: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
    """Crops a line to its ink with a small margin.

    Args:
        grey: dark writing on light paper, (height, width) uint8.
        mask: `ink_mask(grey)`, if known.

    Returns:
        The cropped line; None if it is blank.
    """
    mask = ink_mask(grey) if mask is None else mask
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    margin = max(2, round(MARGIN * (bottom - top)))
    return grey[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]


def with_border(grey: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Cuts a line to its ink and a border of the paper around it. A word that was cut tightly gets a border of new paper.

    Where more than a word touches the edges of its picture, the neighbouring lines reach into it. New paper beyond their remains
    would make strokes of them.

    Args:
        grey: (height, width) uint8, dark on light.
        mask: (height, width) bool, where there is ink.

    Returns:
        The cut line, (height, width) uint8, and its part of the mask; None where there is no ink.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    height, width = grey.shape
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    tight = bottom - top >= height * (1 - TIGHT) and right - left >= width - height * TIGHT
    if tight and width <= WORD_ASPECT * height:
        border = max(2, round(BORDER * (bottom - top)))
        paper = int(percentiles(grey, (75,))[0])
        inside = grey[top:bottom, left:right]
        line = cv2.copyMakeBorder(inside, border, border, border, border, cv2.BORDER_CONSTANT, value=paper)
        return line, np.pad(mask[top:bottom, left:right], border)
    cropped, part = crop_to_ink(grey, mask), crop_to_ink(mask, mask)
    return None if cropped is None or part is None else (cropped, part)


def spread_contrast(grey: np.ndarray) -> np.ndarray:
    """Scales a line's greys so that its paper becomes white and its darkest ink black.

    Args:
        grey: dark writing on light paper, (height, width) uint8.
    """
    dark, paper = percentiles(grey, (0.5, 75))
    scale = 255.0 / max(paper - dark, BLANK_CONTRAST)
    return np.clip((grey - dark) * scale, 0, 255).astype(np.uint8)


def darkened(grey: np.ndarray) -> np.ndarray:
    """Gives a detected line of very faint ink the contrast of pencil. Without it, the line would count as blank.

    Args:
        grey: dark writing on light paper, (height, width) uint8.

    Returns:
        The same shape; `grey` itself if its ink is dark enough, or no darker than the paper's grain.
    """
    if min(grey.shape) < 3:
        return grey
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    darkest, paper, light = percentiles(smooth, (100 * min(DARKEST_PIXELS, grey.size // 50) / grey.size, 50, 75))
    contrast = paper - darkest
    if contrast >= FAINT_LINE or contrast < max(FAINTEST, LEAST_DEPTH * (light - paper)):
        return grey
    return np.clip(paper - (paper - grey.astype(np.float32)) * (DARKENED / contrast), 0, 255).astype(np.uint8)


def clean_line(image: Image.Image | np.ndarray) -> np.ndarray | None:
    """Prepares a line for any checkpoint.

    Args:
        image: the line: a picture of any mode, or an array as `as_image` takes it.

    Returns:
        Dark writing on light paper, cropped to the ink, (height, width) uint8; None if the line is blank.
    """
    found = clean_line_and_mask(image)
    return None if found is None else found[0]


def clean_line_and_mask(image: Image.Image | np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """`clean_line`, and where its ink is, (height, width) bool, which takes a fifth of the line's time to find."""
    grey = grey_of_ink(image)
    if grey.size > LARGEST_LINE:
        grey = shrunk(grey, max(1, int(max(grey.shape) * (LARGEST_LINE / grey.size) ** 0.5)))
    if is_light_on_dark(grey):
        grey = 255 - grey
    grey = evened(grey)
    return with_border(grey, line_mask(grey))
