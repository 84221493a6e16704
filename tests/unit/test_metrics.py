"""Error rates and calibration."""

import math

import pytest

from hwr_core.metrics import calibration, cer, edit_distance, wer


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("abc", "", 3),
        ("same", "same", 0),
        ("né", "ne", 1),
        (["one", "two"], ["one", "three", "two"], 1),
        ([3, 1, 4], (3, 4), 1),
    ],
)
def test_the_edit_distance_counts_insertions_deletions_and_substitutions(a, b, distance):
    assert edit_distance(a, b) == distance


def test_error_rates_are_of_all_lines_together():
    assert cer(["abcd", "ef"], ["abxd", ""]) == pytest.approx(3 / 6)
    assert wer(["a b c"], ["a c"]) == pytest.approx(1 / 3)
    assert cer([], []) == 0 and cer([""], ["abc"]) == 3


@pytest.mark.parametrize("rate", [cer, wer])
@pytest.mark.parametrize(("truths", "readings"), [(["a", "b"], ["a"]), (["a"], ["a", "b"]), ([], ["a"])])
def test_lists_of_unequal_length_are_an_error(rate, truths, readings):
    with pytest.raises(ValueError, match="give as many of each"):
        rate(truths, readings)


def test_calibration_counts_what_is_right_in_each_bin():
    table = calibration([0.2, 0.95, 1.0], [False, True, True])
    assert table[-1] == (0.9, 1.0, 2, 1.0) and table[0] == (0, 0.5, 1, 0.0)
    assert table[1][2] == 0 and math.isnan(table[1][3])
