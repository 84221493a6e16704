import numpy as np
import pytest

from hwr_core.ink.handprint import write
from hwr_core.ink.line_grouping import group_into_lines
from hwr_core.ink.strokes import level, render_line


def at(strokes, x=0.0, y=0.0, scale=1.0):
    return [stroke * scale + (x, y) for stroke in strokes]


def test_two_lines_are_two_groups_from_top_to_bottom():
    upper, lower = write("see you at"), at(write("seven thirty"), 20, 110)
    groups = group_into_lines(lower + upper)  # whatever was written first
    assert groups == [list(range(len(lower), len(lower) + len(upper))), list(range(len(lower)))]


@pytest.mark.parametrize("text", ["i", "7:30", "a-b", "it's me, jill", "12.50", "zzz", "1 2 3"])
def test_dots_commas_and_dashes_stay_on_their_line(text):
    assert len(group_into_lines(write(text))) == 1


@pytest.mark.parametrize("degrees", [-10, -5, 5, 10])
def test_a_climbing_line_stays_one_line_and_is_levelled(degrees):
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    strokes = [stroke @ turn for stroke in write("meet me at the station")]
    assert len(group_into_lines(strokes)) == 1
    points = np.concatenate(level(strokes))
    assert abs(np.degrees(np.arctan(np.polyfit(points[:, 0], points[:, 1], 1)[0]))) < 2


def test_three_words_far_apart_on_one_row_are_one_line():
    strokes = write("one") + at(write("two"), 400) + at(write("three"), 900)
    assert len(group_into_lines(strokes)) == 1


def test_the_size_of_the_writing_does_not_change_the_picture():
    small = np.asarray(render_line(write("hello", height=12), 96, 5), int)
    large = np.asarray(render_line(write("hello", height=300), 96, 5), int)
    assert small.shape == large.shape
    assert np.abs(small - large).mean() < 1


def test_the_pen_is_as_wide_as_asked():
    column = np.asarray(render_line([np.array([[0.0, 0.0], [0.0, 100.0]])], 96, 8))[48]
    assert (255 - column.astype(int)).sum() / 255 == pytest.approx(8, abs=0.5)


def test_single_points_and_flat_strokes_are_drawn():
    dot = np.asarray(render_line([np.array([[5.0, 5.0]])], 64, 4))
    dash = np.asarray(render_line([np.array([[0.0, 5.0], [80.0, 5.0]])], 64, 4))
    assert dot.min() == 0 and dash.min() == 0
    assert dash.shape[0] == 64 and dash.shape[1] < 4 * 64  # a dash is not blown up to a beam


@pytest.mark.parametrize(
    "strokes",
    [
        [np.array([[x, 5.0]]) for x in (0, 50, 100)],  # three taps: an ellipsis
        [np.array([[0.0, 5.0], [1000.0, 5.0]]), np.array([[1200.0, 5.01], [2000.0, 5.01]])],
        [np.array([[0.0, 0.0]]), np.array([[1e7, 1e7]])],
        [np.array([[float(x), float(x % 3)] for x in range(100_000)])],
        [np.zeros((1, 2))] * 50,
    ],
)
def test_odd_ink_gives_a_picture_of_bounded_size(strokes):
    for group in group_into_lines(strokes):
        image = render_line(level([strokes[index] for index in group]), 96, 5)
        assert image.height == 96 and image.width <= 70 * 96


def test_points_of_another_shape_are_refused_not_scrambled():
    with pytest.raises(ValueError, match="of x and y"):
        render_line([np.zeros((4, 3))], 64, 4)


def test_no_strokes():
    assert group_into_lines([]) == []
    with pytest.raises(ValueError, match="no stroke"):
        render_line([], 64, 4)


def test_a_stroke_without_a_point_is_no_stroke():
    with pytest.raises(ValueError, match="one point"):
        group_into_lines([np.zeros((0, 2)), *write("hello")])


def test_a_line_far_away_changes_no_other():
    strokes = write("hello world")
    far = [stroke + (0, 1e6) for stroke in strokes]
    assert group_into_lines([*strokes, *far]) == [
        list(range(len(strokes))),
        list(range(len(strokes), 2 * len(strokes))),
    ]


def test_a_small_word_close_below_large_letters_is_a_line_of_its_own():
    large = write("hello", height=150)
    small = [stroke / 2 + (0, 200) for stroke in write("you", height=150)]
    lines = group_into_lines([*large, *small])
    assert lines == [list(range(len(large))), list(range(len(large), len(large) + len(small)))]
