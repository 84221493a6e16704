"""Characters of one shape: which of them it is may be in doubt, not that something is written."""

import pytest

from hwr_core.decoding.twins import of_one_shape, sureness_of_shape


@pytest.mark.parametrize(("text", "other", "alike"), [("0", "O", True), ("x < 5", "X < 5", True), ("Il", "11", True), ("0", "8", False), ("a", "A", False), ("0", "0.", False)])  # fmt: skip
def test_texts_are_of_one_shape(text, other, alike):
    assert of_one_shape(text, other) is of_one_shape(other, text) is alike


def test_a_ring_that_is_a_zero_or_an_o_is_sure_to_be_a_ring():
    assert sureness_of_shape("0", 0.35, 0.35, {"O": 0.33, "o": 0.01, "8": 0.2}) == pytest.approx(0.69)
    assert sureness_of_shape("0", 0.35, 0.35, {"8": 0.33}) == pytest.approx(0.35)


def test_one_twin_among_many_characters_counts_for_one():
    assert sureness_of_shape("2 x 4", 0.5, 0.5**5, {"2 X 4": 0.5**5}) == pytest.approx(0.5 * 2 ** (1 / 5))
    assert sureness_of_shape("", 0.0, 0.0, {}) == 0.0
