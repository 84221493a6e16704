"""Encoded pictures as arrays."""

import cv2
import numpy as np


def decoded(picture: bytes) -> np.ndarray:
    """The grey picture, (height, width) uint8, in an encoded one.

    Raises:
        ValueError: the picture is damaged.
    """
    grey = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ValueError("The picture is damaged.")
    return np.asarray(grey)
