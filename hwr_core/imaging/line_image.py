"""Pictures of single lines, prepared for an encoder: dark on light, cropped, in full contrast.

Training and reading share these functions, so that a checkpoint sees the same kind of picture in both.
"""

import cv2
import numpy as np
from PIL import Image

from hwr_core.imaging.colour_contrast import grey_of_ink
from hwr_core.imaging.ink_mask import BLANK_CONTRAST, ink_mask, is_light_on_dark, line_mask, percentiles
from hwr_core.imaging.resize import shrunk

LARGEST_LINE = 4_000_000  # pixels of a line: larger lines are shrunk, far above any encoder's resolution
MARGIN = 0.06  # of the ink's height: the paper that stays around the ink in training
BORDER = 0.1  # of the ink's height: the paper around the ink in reading


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


def with_border(grey: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """Cut to the ink, then with a border of `BORDER` of its height, of paper where the picture ends; None where there is no ink.

    Args:
        grey: (height, width) uint8, dark on light.
        mask: (height, width) bool, where there is ink.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    border = max(2, round(BORDER * (rows[-1] + 1 - rows[0])))
    top, bottom, left, right = rows[0] - border, rows[-1] + 1 + border, columns[0] - border, columns[-1] + 1 + border
    inside = grey[max(0, top) : bottom, max(0, left) : right]
    height, width = grey.shape
    above, below = int(max(0, -top)), int(max(0, bottom - height))
    before, after = int(max(0, -left)), int(max(0, right - width))
    if not above + below + before + after:
        return inside
    paper = int(percentiles(grey, (75,))[0])
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT, value=paper)


def spread_contrast(grey: np.ndarray) -> np.ndarray:
    """Scales a line's greys so that its paper becomes white and its darkest ink black.

    Args:
        grey: dark writing on light paper, (height, width) uint8.
    """
    dark, paper = percentiles(grey, (0.5, 75))
    scale = 255.0 / max(paper - dark, BLANK_CONTRAST)
    return np.clip((grey - dark) * scale, 0, 255).astype(np.uint8)


def clean_line(image: Image.Image | np.ndarray) -> np.ndarray | None:
    """Prepares a line for any checkpoint.

    Args:
        image: the line: a picture of any mode, or an array as `as_image` takes it.

    Returns:
        Dark writing on light paper, cropped to the ink, (height, width) uint8; None if the line is blank.
    """
    grey = grey_of_ink(image)
    if grey.size > LARGEST_LINE:
        grey = shrunk(grey, max(1, int(max(grey.shape) * (LARGEST_LINE / grey.size) ** 0.5)))
    if is_light_on_dark(grey):
        grey = 255 - grey
    return with_border(grey, line_mask(grey))
