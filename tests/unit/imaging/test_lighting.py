"""Writing is told from its ground in any light, and a shadow on a line is evened out."""

import numpy as np
import pytest

from hwr_core.imaging.lighting import evened, flatten, is_dark, is_light_on_dark
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line

SOFT_EDGE = 12  # pixels over which a shadow's edge spreads


def line(pen: float = 6.0) -> np.ndarray:
    """Black ink on paper as a camera sees it, (96, …) uint8."""
    ink = np.asarray(render_line(write("the quick brown fox", unsteadiness=0.004), 96, pen).convert("L"))
    return (60 + ink * (150 / 255)).astype(np.uint8)


def in_shadow(grey: np.ndarray, left: bool, share: float) -> np.ndarray:
    """The picture with a shadow over a share of it, from one side."""
    width = grey.shape[1]
    across = np.arange(width) if left else np.arange(width)[::-1]
    light = 0.45 + 0.55 / (1 + np.exp(-(across - share * width) / SOFT_EDGE))
    return (grey * light).astype(np.uint8)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("judge", [is_light_on_dark, is_dark])
def test_a_shadow_on_a_line_does_not_make_its_writing_light(judge, left, share):
    shadowed = in_shadow(line(), left, share)
    assert not judge(shadowed)
    assert judge(in_shadow(255 - line(), left, share))


@pytest.mark.parametrize("pen", [3.0, 6.0, 14.0])
def test_light_writing_is_told_whatever_the_pen(pen):
    assert not is_light_on_dark(line(pen)) and is_light_on_dark(255 - line(pen))


def test_a_shadow_on_a_line_is_evened_out_and_the_ink_stays():
    shadowed = in_shadow(line(), left=True, share=0.5)
    middle, found = shadowed.shape[1] // 2, evened(shadowed)
    near = slice(middle - 60, middle + 60)
    assert abs(np.median(shadowed[:, : middle - 60]) - np.median(shadowed[:, middle + 60 :])) > 60
    assert abs(np.median(found[:, : middle - 60]) - np.median(found[:, middle + 60 :])) < 8
    assert np.median(found[:, near]) > 200
    for half in (found[:, : middle - 60], found[:, middle + 60 :]):
        assert np.percentile(half, 1) < 110


@pytest.mark.parametrize("pen", [3.0, 6.0, 14.0])
def test_a_line_in_even_light_stays_as_it_is(pen):
    for grey in (
        line(pen),
        np.full((40, 40), 200, np.uint8),
        (line(pen) * np.linspace(0.8, 1, line(pen).shape[1])).astype(np.uint8),
    ):
        assert evened(grey) is grey


def test_a_page_keeps_its_size_and_its_paper_becomes_white():
    page = np.full((300, 400), 120, np.uint8)
    page[:, 200:] = 200
    flat = flatten(page)
    assert flat.shape == page.shape and abs(float(np.median(flat)) - 245) < 3
