"""Ink is found, measured and told from specks and dark rims."""

import cv2
import numpy as np
import pytest

from hwr_core import PreprocessSettings
from hwr_core.imaging.grey_levels import median_grey, percentiles
from hwr_core.imaging.ink_mask import ink_box, ink_mask, is_blank, pieces, stroke_width
from hwr_core.imaging.preprocess import preprocess
from tests.support.pictures import written_page as page


@pytest.mark.parametrize("pen", [3.0, 5.0, 9.0])
def test_stroke_width_is_measured_and_normalised(pen):
    assert stroke_width(page(pen)) == pytest.approx(pen, abs=1.3)
    settings = PreprocessSettings(flatten=False, deskew=False, crop=False, stroke="normalise", stroke_target=6.0)
    result = preprocess(page(pen), settings).image
    assert stroke_width(result) == pytest.approx(6.0, abs=1.6)


def test_percentiles_are_numpys():
    rng = np.random.default_rng(0)
    for _ in range(300):
        grey = rng.integers(0, rng.integers(1, 257), rng.integers(1, 40, 2)).astype(np.uint8)
        shares = [0, 50, 100, *rng.uniform(0, 100, 3)]
        assert percentiles(grey, shares) == pytest.approx(np.percentile(grey, shares).tolist(), abs=1e-6)
        assert median_grey(grey) == int(np.median(grey))


@pytest.mark.parametrize("sides", [(511, 511), (2, 131_060), (512, 512), (600, 700)])
def test_pieces_are_all_told_apart_however_many_there_are(sides):
    mask = np.zeros(sides, np.uint8)
    mask[::2, ::2] = 1  # as many as there can be
    labels, stats = pieces(mask)
    assert len(stats) == mask.sum() + 1 and (stats[1:, cv2.CC_STAT_AREA] == 1).all()
    assert len(np.unique(labels[mask > 0])) == mask.sum() and not labels[mask == 0].any()
    mask[1::2, ::2] = mask[::2, 1::2] = 1  # and one that is joined late
    assert len(pieces(mask)[1]) == 2


def test_specks_are_no_ink_and_a_blank_page_has_none():
    grey = page()
    speckled = grey.copy()
    speckled[10:12, 10:12] = 0
    assert ink_mask(grey).any() and np.array_equal(ink_mask(speckled)[:20, :20], np.zeros((20, 20), bool))
    blank = np.full((300, 400), 230, np.uint8)
    assert not ink_mask(blank).any() and ink_box(blank) is None and stroke_width(blank) == 0
    assert is_blank(blank) and not is_blank(page())


def test_the_box_encloses_the_ink():
    ink = np.argwhere(page() < 128)
    (top, left), (bottom, right) = ink.min(0), ink.max(0)
    assert ink_box(page()) == pytest.approx((left, top, right + 1, bottom + 1), abs=3)


def test_small_faint_writing_beside_a_large_title_is_inside_the_box():
    sheet = np.full((1200, 1600), 240, np.uint8)
    cv2.putText(sheet, "TO DO", (60, 260), cv2.FONT_HERSHEY_SIMPLEX, 8, 20, 24, cv2.LINE_AA)
    cv2.putText(sheet, "see you at the lake", (1000, 420), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 185, 3, cv2.LINE_AA)
    assert ink_box(sheet)[2] == pytest.approx(np.argwhere(sheet[330:] < 220)[:, 1].max(), abs=8)


@pytest.mark.parametrize("contrast", [14, 25])
def test_very_faint_writing_below_a_marker_title_is_inside_the_box(contrast):
    sheet = np.full((1200, 1600), 240, np.uint8)
    cv2.putText(sheet, "TO DO", (60, 260), cv2.FONT_HERSHEY_SIMPLEX, 8, 10, 24, cv2.LINE_AA)
    cv2.putText(sheet, "see you", (100, 900), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 240 - contrast, 4, cv2.LINE_AA)
    assert ink_box(sheet)[3] == pytest.approx(np.argwhere(sheet < 235)[:, 0].max(), abs=8)
