"""Page ranges: which pages they choose, and the sentence for anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwr_core.documents.page_range import ALL_PAGES, PageRange
from hwr_core.errors import HandwritingError


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("3", [3]), ("3-5", [3, 4, 5]), ("9-", [9, 10]), ("-2", [1, 2]), ("1, 4,4 ,9-", [1, 4, 9, 10]), ("8-99", [8, 9, 10]),
     (" 2 - 3 ", [2, 3]), ("5,2", [2, 5])],
)  # fmt: skip
def test_the_pages_are_chosen_in_ascending_order(text, chosen):
    assert [index + 1 for index in PageRange.parse(text).indices(10, "a.pdf")] == chosen


def test_without_a_range_all_pages_are_chosen():
    assert ALL_PAGES.indices(3, "a.pdf") == [0, 1, 2]


@pytest.mark.parametrize(
    "text", ["", "-", "a", "1;2", "1,,2", "0", "0-3", "5-3", "1-2-3", "1.5", "-1-2", "²", "9" * 40, "1\n2"]
)
def test_anything_else_is_rejected_in_one_sentence(text):
    with pytest.raises(HandwritingError, match=r"(?s)^The pages .* cannot be used: .*\.$"):
        PageRange.parse(text)


def test_a_document_without_the_pages_is_named():
    with pytest.raises(HandwritingError, match=r"a\.pdf has 2 pages, but none of the pages 3-7: choose others."):
        PageRange.parse("3-7").indices(2, "a.pdf")


@given(st.text(alphabet="0123456789-, a٣", max_size=12), st.integers(1, 50))
def test_any_text_gives_pages_of_the_document_or_the_error(text, count):
    try:
        indices = PageRange.parse(text).indices(count, "a.pdf")
    except HandwritingError:
        return
    assert indices == sorted(set(indices)) and indices and indices[0] >= 0 and indices[-1] < count
