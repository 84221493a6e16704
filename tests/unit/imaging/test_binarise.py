"""Thresholds: ink becomes black, paper white."""

import cv2
import numpy as np
import pytest
from skimage.filters import threshold_sauvola

from hwr_core import PreprocessSettings
from hwr_core.imaging.binarise import binarise, sauvola
from tests.support.pictures import written_page as page


@pytest.mark.parametrize("method", ["otsu", "adaptive", "sauvola", "manual"])
def test_thresholding_gives_black_and_white_with_the_ink_black(method):
    grey = np.clip(page().astype(int) // 2 + 90, 0, 255).astype(np.uint8)
    image, _ = binarise(grey, PreprocessSettings(threshold=method, threshold_level=150))
    assert set(np.unique(image)) == {0, 255}
    assert (image == 0).mean() == pytest.approx((page() < 128).mean(), abs=0.01)


@pytest.mark.parametrize("window", [3, 25, 301])
def test_sauvola_is_scikit_images(window):
    grey = cv2.GaussianBlur(page(), (0, 0), 2)[:400]
    np.testing.assert_allclose(sauvola(grey, window, 0.2), threshold_sauvola(grey, window, k=0.2), atol=1e-4)


def test_a_higher_manual_level_takes_more_as_ink_and_is_reported():
    shares = []
    for level in (60, 128, 250):
        settings = PreprocessSettings(threshold="manual", threshold_level=level)
        image, reported = binarise(cv2.GaussianBlur(page(), (0, 0), 2), settings)
        assert reported == level
        shares.append((image == 0).mean())
    assert shares == sorted(shares) and shares[0] < shares[-1]
