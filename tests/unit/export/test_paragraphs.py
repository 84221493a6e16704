"""Broken lines are joined into paragraphs where the writing shows that they belong together."""

import io

import docx
import pytest
from PIL import Image

from hwr_core.export import export
from hwr_core.export.paragraphs import in_paragraphs
from hwr_core.reading import Cell, Line, Page, Reading

EM = 20  # pixels a character


def page(*lines: tuple[str, int, int], **options) -> Page:
    """A page of lines: text, left end and row."""
    return Page(tuple(line(text, left, 100 * row, **options) for text, left, row in lines), (2000, 2000))


def line(text: str, left: int, top: int, **options) -> Line:
    box = (left, top, left + EM * len(text), top + 60)
    return Line(box, Image.new("L", (1, 1)), Reading(text, 0.9, (0.9,) * len(text)), **options)


def texts(of: Page) -> list[str]:
    return [one.reading.text for one in in_paragraphs(of).lines]


LETTER = page(
    ("Dear Martha,", 100, 0),
    ("we arrived on Thursday evening after a long", 100, 1),
    ("journey. The house is small but the garden", 105, 2),
    ("is full of roses.", 95, 3),
    ("Yours, Edith", 100, 4),
)


def test_a_line_that_had_no_room_for_the_next_word_goes_on():
    assert texts(LETTER) == [
        "Dear Martha,",
        "we arrived on Thursday evening after a long journey. The house is small but the garden is full of roses.",
        "Yours, Edith",
    ]
    (_, whole, _) = in_paragraphs(LETTER).lines
    assert whole.box == (95, 100, 960, 360) and len(whole.reading.character_confidences) == len(whole.reading.text)


def test_an_indent_a_list_mark_and_a_wide_gap_start_a_paragraph():
    full = "a line that is as wide as the column is"
    assert len(texts(page((full, 100, 0), ("  " + full, 200, 1), (full, 100, 2)))) == 2
    assert texts(page(("1) " + full, 100, 0), (full, 100, 1), ("2) " + full, 100, 2))) == [
        f"1) {full} {full}",
        f"2) {full}",
    ]
    assert texts(page((full, 100, 0), (full, 100, 1), (full, 100, 3))) == [f"{full} {full}", full]


def test_a_word_broken_by_a_hyphen_is_joined_and_a_name_is_not():
    start = "a line that is as wide as the whole colu-"
    assert texts(page((start, 100, 0), ("mn of a page, and then it still goes on", 100, 1)))[0].startswith(
        "a line that is as wide as the whole column of"
    )
    assert "colu- Mn" in texts(page((start, 100, 0), ("Mn of a page, and then it still goes on", 100, 1)))[0]


def test_the_second_column_goes_on_where_the_first_ended():
    left = [("the first column has three lines", 100, row) for row in range(3)]
    right = [("and the other column goes on with", 1000, row) for row in range(3)]
    assert len(texts(page(*left, *right))) == 1


def test_formulas_and_tables_stay():
    assert len(texts(page(("x^2", 100, 0), ("y^2", 100, 1), formula=True))) == 2
    assert len(texts(page(("one", 100, 0), ("two", 100, 1), cell=Cell(0, 0, 0)))) == 2
    assert texts(Page((), (10, 10))) == []


@pytest.mark.parametrize(("format", "between"), [("txt", "\n\n"), ("md", "  \n\n")])
def test_the_text_formats_have_paragraphs(format, between):
    written = export({"a.jpg": LETTER}, format, paragraphs=True).decode()
    assert written.split(between)[0].endswith("Dear Martha,") and "long journey." in written
    assert "long journey." not in export({"a.jpg": LETTER}, format).decode()


def test_word_has_paragraphs_of_its_own():
    document = docx.Document(io.BytesIO(export({"a.jpg": LETTER}, "docx", paragraphs=True)))
    assert [paragraph.text for paragraph in document.paragraphs] == texts(LETTER)
