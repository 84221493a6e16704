"""Arrays of every usual shape and type are the same picture."""

import numpy as np
import pytest

from hwr_core import HandwritingError
from hwr_core.imaging.arrays import as_image
from hwr_core.imaging.conversion import to_grey

GREY = np.linspace(0, 255, 48).reshape(6, 8).astype(np.uint8)


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[..., None],
        np.repeat(GREY[..., None], 3, 2),
        np.concatenate([np.repeat(GREY[..., None], 3, 2), np.full((6, 8, 1), 255, np.uint8)], 2),
        GREY.astype(np.uint16) * 257,
        GREY.astype(np.int64),
        GREY.astype(np.float32),
        GREY.astype(np.float64) / 255,
    ],
)
def test_arrays_of_every_type_are_the_same_picture(array):
    assert np.abs(to_grey(array).astype(int) - GREY).max() <= 1


def test_true_is_white():
    assert to_grey(np.array([[True, False]])).tolist() == [[255, 0]]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(5, np.uint8),
        np.full((4, 4), -1.0),
        np.full((4, 4), 300.0),
        np.full((4, 4), 70_000),
        np.full((4, 4), 1j),
        np.full((4, 4), "x"),
        np.full((4, 4), np.inf),
    ],
)
def test_other_arrays_are_refused_in_a_sentence(array):
    with pytest.raises(HandwritingError, match="is no picture"):
        as_image(array)
