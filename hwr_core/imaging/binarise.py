"""Black ink on white paper: global thresholds and local ones."""

import cv2
import numpy as np

from hwr_core.imaging.settings import PreprocessSettings

BAND = 512  # rows of a page that are thresholded at once


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
