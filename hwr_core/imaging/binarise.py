"""Black ink on white paper: global and local thresholds."""

import cv2
import numpy as np

from hwr_core.imaging.settings import PreprocessSettings

SAUVOLA_BAND = 512  # rows that are thresholded at once: in float64, whole pages would take half a gigabyte


def binarise(grey: np.ndarray, settings: PreprocessSettings) -> tuple[np.ndarray, float | None]:
    """Turns ink black and paper white.

    Args:
        grey: dark writing on light paper, (height, width) uint8.
        settings: the method is `threshold`, which must not be "none"; the other threshold fields are its parameters.

    Returns:
        The page with the values 0 and 255, and the level of a global threshold; None for a local one.
    """
    window = max(3, settings.threshold_window | 1)
    match settings.threshold:
        case "otsu":
            level, binary = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
            return binary, float(level)
        case "manual":
            level, binary = cv2.threshold(grey, settings.threshold_level, 255, cv2.THRESH_BINARY)
            return binary, float(settings.threshold_level)
        case "adaptive":
            gaussian, offset = cv2.ADAPTIVE_THRESH_GAUSSIAN_C, settings.adaptive_offset
            return cv2.adaptiveThreshold(grey, 255, gaussian, cv2.THRESH_BINARY, window, offset), None
    found = np.empty_like(grey)
    for top in range(0, len(grey), SAUVOLA_BAND):
        above, bottom = min(top, window), top + SAUVOLA_BAND
        local = sauvola(grey[top - above : bottom + window], window, settings.sauvola_k)[above : above + SAUVOLA_BAND]
        found[top:bottom] = np.where(grey[top:bottom] > local, 255, 0)
    return found, None


def sauvola(grey: np.ndarray, window: int, k: float) -> np.ndarray:
    """The local threshold of Sauvola and Pietikäinen 2000: mean · (1 + k · (deviation / 127.5 − 1)).

    Equals scikit-image's `threshold_sauvola`, but does not import SciPy, which takes 40 MB.

    Args:
        grey: (height, width) uint8.
        window: pixels of the square around each pixel, odd.
        k: weight of the deviation; a higher one takes less as ink.

    Returns:
        The threshold of every pixel, (height, width) float64.
    """
    grey = grey.astype(np.float64)  # OpenCV adds the squares of bytes as integers, which overflow in large windows
    mean, squares = (
        cv2.blur(values, (window, window), borderType=cv2.BORDER_REFLECT_101) for values in (grey, grey * grey)
    )
    deviation = np.sqrt(np.maximum(squares - mean * mean, 0))
    return mean * (1 + k * (deviation / 127.5 - 1))
