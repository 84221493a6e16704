"""NumPy arrays that people give as pictures."""

import math

import numpy as np
from PIL import Image
from typing_extensions import TypeIs  # in typing from Python 3.13

from hwr_core.errors import HandwritingError

MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by the number of channels


def is_picture(value: object) -> TypeIs[Image.Image | np.ndarray]:
    """Whether a value is one picture: a `PIL` image, or an array of the shape that `as_image` takes."""
    if isinstance(value, np.ndarray):
        return value.ndim == 2 or (value.ndim == 3 and value.shape[2] in MODES)
    return isinstance(value, Image.Image)


def as_image(array: np.ndarray) -> Image.Image:
    """An array as a picture.

    Args:
        array: (height, width) or (height, width, 1, 3 or 4: grey, RGB, RGBA). uint8; bool, True is white; uint16 and other
            integers from 0 to 65535, scaled by the fewest bits that hold the largest; floats from 0 to 1 or from 0 to 255.

    Raises:
        HandwritingError: another shape, type or range.
    """
    array = np.asarray(array)
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if channels not in MODES:
        raise HandwritingError(
            f"An array of shape {array.shape} is no picture: give (height, width) or (height, width, 1, 3 or 4)."
        )
    if not array.size:
        return Image.new(MODES[channels], (max(1, array.shape[1]), max(1, array.shape[0])), "white")
    values = _bytes(array)
    return Image.fromarray(np.ascontiguousarray(values[..., 0] if channels == 1 and array.ndim == 3 else values))


def _bytes(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise HandwritingError(f"An array of {array.dtype} is no picture: give uint8, bool, uint16 or floats.")
    values = np.nan_to_num(array.astype(np.float32), posinf=np.inf, neginf=-np.inf)
    low, high = float(values.min()), float(values.max())
    floats = np.issubdtype(array.dtype, np.floating)
    if low < 0 or high > (255 if floats else 65535):
        raise HandwritingError(
            f"An array with values from {low:g} to {high:g} is no picture: "
            f"give {'floats from 0 to 1 or from 0 to 255' if floats else 'integers from 0 to 65535'}."
        )
    full = (1.0 if high <= 1 else 255.0) if floats else 2.0 ** max(8, math.ceil(math.log2(max(high, 1) + 1))) - 1
    return (values * (255.0 / full)).round().astype(np.uint8)
