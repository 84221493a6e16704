"""Ink as bright as its paper is seen by its colour; what needs no colour stays as it was."""

import numpy as np
import pytest
from PIL import Image

from hwr_core.imaging.colour_contrast import grey_of_ink
from hwr_core.imaging.conversion import to_grey
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw


def coloured(ink, paper):
    strokes = [stroke + (20, 20) for stroke in write("meet me at 7:30", 50)]
    share = (255 - draw(strokes, (100, 640), 5).astype(float))[..., None] / 255
    pixels = np.array(paper) * (1 - share) + np.array(ink) * share
    return Image.fromarray(pixels.round().astype(np.uint8)), share[..., 0] > 0.9


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((214, 45, 45), (93, 137, 78)), ((240, 160, 30), (250, 250, 246)), ((40, 100, 190), (160, 80, 60))],
)
def test_ink_as_bright_as_its_paper_becomes_dark(ink, paper):
    image, mask = coloured(ink, paper)
    grey = grey_of_ink(image).astype(int)
    assert np.median(grey[~mask]) - np.median(grey[mask]) > 25


@pytest.mark.parametrize("ink", [(20, 20, 30), (30, 40, 120), (60, 60, 60)])
def test_usual_ink_is_grey_as_before(ink):
    image, _ = coloured(ink, (250, 248, 240))
    assert (grey_of_ink(image) == to_grey(image)).all()


def test_a_highlighter_is_no_ink():
    image, _ = coloured((20, 20, 30), (250, 250, 246))
    pixels = np.asarray(image).copy()
    pixels[25:75, 100:400, 2] = np.minimum(pixels[25:75, 100:400, 2], 90)
    assert (grey_of_ink(Image.fromarray(pixels))[30:70, 110:390] > 150).mean() > 0.7
