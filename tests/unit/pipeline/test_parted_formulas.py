"""Parts of a formula that white has parted are put together; formulas one below the other stay apart."""

import pytest

from hwr_core.ink.bars import is_bar
from hwr_core.pipeline.parted_formulas import Part, is_whole, join_parted
from hwr_core.reading import Alternative, Reading


def formula(text: str, confidence: float = 0.95) -> Reading:
    return Reading(text, confidence, (confidence,) * len(text), formula=True)


def parts(*items):
    """Each of a name, left, top, right, bottom and a reading. A name with `bar` in it has one."""
    return [Part(name, tuple(map(float, box)), reading, "bar" in name) for name, *box, reading in items]


def join(found, readings, size=10.0):
    """Joins, where `readings` has what each union of names reads as; also which unions were read."""
    asked = []

    def read(name, least):
        asked.append((name, least))
        return readings.get(name, formula("?", 0.01))

    whole = join_parted(found, size, "+".join, read)
    return [(part.item, part.reading.text) for part in whole], asked


FRACTION = [
    ("upper", 0, 0, 40, 10, formula("2a", 0.6)),
    ("lower", 0, 22, 40, 40, formula(r"\frac{1}{1-b}", 0.4)),
]


def test_a_fraction_in_two_parts_is_one_formula():
    found, asked = join(parts(*FRACTION), {"upper+lower": formula(r"\frac{2a}{1-b}")})
    assert found == [("upper+lower", r"\frac{2a}{1-b}")]
    assert [least > 0 for _, least in asked] == [True, False]  # first quickly, then in full


def test_where_the_whole_is_less_probable_nothing_changes():
    found, asked = join(parts(*FRACTION), {"upper+lower": formula(r"\frac{2a}{1-b}", 0.2)})
    assert [name for name, _ in found] == ["upper", "lower"] and len(asked) == 1


def test_the_united_part_stands_where_the_first_one_stood_among_others():
    others = [("above", 0, -90, 40, -70, formula("x=1")), ("beneath", 0, 120, 40, 130, formula("z=3"))]
    found, _ = join(parts(others[0], *FRACTION, others[1]), {"upper+lower": formula(r"\frac{2a}{1-b}")})
    assert [name for name, _ in found] == ["above", "upper+lower", "beneath"]


def test_a_bar_that_stands_alone_is_the_middle_of_three():
    bar = Reading("", 0.9, formula=True, unreadable=True)
    three = parts(
        ("upper", 0, 0, 40, 10, formula("2a", 0.6)), ("bar", 0, 20, 40, 21, bar), ("lower", 0, 32, 40, 42, formula("1-b", 0.9))
    )  # fmt: skip
    found, _ = join(three, {"upper+bar+lower": formula(r"\frac{2a}{1-b}")})
    assert found == [("upper+bar+lower", r"\frac{2a}{1-b}")]


@pytest.mark.parametrize(
    ("box", "far"),
    [((0, 50, 40, 60), True), ((80, 22, 120, 40), True), ((0, 22, 40, 40), False), ((50, 22, 90, 40), False)],
)
def test_only_what_stands_near_below_is_read_as_one(box, far):
    _, asked = join(parts(FRACTION[0], ("other", *box, formula("b", 0.9))), {})
    assert (asked == []) == far


def test_two_equations_that_are_read_well_are_not_asked_about():
    _, asked = join(parts(("a", 0, 0, 40, 10, formula("x=1")), ("b", 0, 22, 40, 32, formula("y=2"))), {})
    assert asked == []


def test_what_is_read_quickly_is_read_in_full_before_it_is_believed():
    answers = {True: formula(r"\frac{2a}{1-b}"), False: formula(r"\frac{2a}{1}", 0.3)}
    found = join_parted(parts(*FRACTION), 10.0, "+".join, lambda _, least: answers[least > 0])
    assert [part.item for part in found] == ["upper", "lower"]


def test_a_word_is_no_part_however_unsure_it_is():
    word = Reading("Thank you", 0.001)
    assert join(parts(("a", 0, 0, 40, 10, word), ("b", 0, 22, 40, 32, formula("b"))), {})[1] == []


def test_text_alone_and_long_lines_of_text_are_no_parts():
    word, line = Reading("dy", 0.9), Reading("a line of several words", 0.9)
    assert join(parts(("a", 0, 0, 40, 10, word), ("b", 0, 22, 40, 32, word)), {})[1] == []
    assert join(parts(("a", 0, 0, 40, 10, line), ("b", 0, 22, 40, 32, formula("b"))), {})[1] == []
    assert join(parts(("a", 0, 0, 40, 10, word), ("b", 0, 22, 40, 32, formula("b"))), {})[1] != []


DY_DX = [
    ("upper", 0, 0, 40, 10, Reading("dy", 0.99)),
    ("lower bar", 0, 30, 40, 50, Reading("dx", 0.99)),
]


def test_a_fraction_whose_parts_look_like_text_is_known_by_its_bar():
    whole = {"upper+lower bar": formula(r"\frac{dy}{dx}", 0.8)}
    assert join(parts(*DY_DX), whole)[0] == [("upper+lower bar", r"\frac{dy}{dx}")]
    assert len(join(parts(*DY_DX), {"upper+lower bar": formula(r"\frac{dy}{dx}", 0.5)})[0]) == 2  # not sure
    assert len(join(parts(*DY_DX), {"upper+lower bar": formula(r"d y d x", 0.8)})[0]) == 2  # no fraction
    words = ("words", 0, -25, 90, -15, Reading("so we find", 0.9))
    assert len(join(parts(words, *DY_DX), whole)[0]) == 2


def test_a_sum_of_numbers_above_a_line_is_no_fraction():
    first, second = ("12", 0, 0, 40, 10, Reading("12", 0.99)), ("+34 bar", 0, 20, 40, 40, Reading("+34", 0.99))
    result = ("46", 0, 50, 40, 60, Reading("46", 0.99))
    for other in ("+34 bar+46", "12++34 bar", "12++34 bar+46"):
        found, asked = join(parts(first, second, result), {other: formula(r"\frac{34}{46}", 0.99)})
        assert len(found) == 3 and asked == []


@pytest.mark.parametrize(
    ("width", "height", "bar"), [(40, 2, True), (8, 1, True), (7, 1, False), (40, 9, False), (0, 0, False)]
)
def test_a_bar_is_flat_and_as_wide_as_a_symbol(width, height, bar):
    assert is_bar(width, height, 10.0) == bar


@pytest.mark.parametrize(
    ("whole", "expected"),
    [
        (formula(r"\frac{2a}{1-b}", 0.9), True),
        (formula(r"\frac{2a}{1-b}", 0.5), False),  # neither sure nor far more probable
        (formula(r"\frac{1}{1-b}", 0.9), False),  # nothing but the lower part
        (formula(r"\begin{matrix}2a\\1-b\end{matrix}", 0.9), False),  # two rows are two lines
        (formula("", 0.9), False),
    ],
)
def test_a_whole_is_believed_if_it_is_sure_and_has_every_part(whole, expected):
    assert is_whole(whole, [FRACTION[0][-1], FRACTION[1][-1]]) == expected


def test_a_far_more_probable_whole_is_believed_without_being_sure():
    improbable = [formula("2a", 0.1), formula("1-b", 0.05)]
    assert is_whole(formula(r"\frac{2a}{1-b}", 0.3), improbable)
    assert not is_whole(formula(r"\frac{2a}{1-b}", 0.15), improbable)


def test_where_the_parts_are_probable_no_symbol_may_get_lost():
    sure = [formula("e^{-x}", 0.9), formula("y=2x-3", 0.8)]
    assert not is_whole(formula("e^{-x}=2x-3", 0.9), sure)
    assert is_whole(formula("e^{-x}y=2x-3", 0.9), sure)


def test_an_unreadable_part_counts_by_its_best_guess():
    guessed = Reading("", 0.05, (), (Alternative("Y", 0.05),), unreadable=True, formula=True)
    assert is_whole(formula("y^{-1}"), [formula("-1", 0.9), guessed])
