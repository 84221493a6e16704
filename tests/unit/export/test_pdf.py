"""A searchable PDF shows its source in its own size, and its text comes back in Unicode from any PDF reader."""

import io
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

import hwr_core.export.pdf
from hwr_core.documents.document import DocumentPage, open_document
from hwr_core.export import export
from hwr_core.layout.words import NO_PICTURE
from hwr_core.reading import Box, Line, Page, Point, Reading
from tests.support.pictures import encoded

DATA = Path(__file__).parents[2] / "support" / "data"
UNICODE = ["Łódź, Żółć", "π ≤ 3 ∑ √", "Καλημέρα", "Привет, мир", "déjà — œuvre", "𝔘 😀 done", "日本語"]


def box_at(size: tuple[int, int], row: int) -> Box:
    """A line's box: eight rows fit on a page."""
    return size[0] // 10, size[1] * (row + 1) // 10, size[0] // 2, size[1] * (row + 1) // 10 + size[1] // 20


def lines_on(size: tuple[int, int], texts: list[str]) -> Page:
    return Page(tuple(Line(box_at(size, row), NO_PICTURE, Reading(text, 0.9)) for row, text in enumerate(texts)), size)


def searchable(data: bytes, name: str, texts: list[str]) -> bytes:
    """The searchable PDF of all pages of a document, with the same texts on each."""
    document = open_document(data, name)
    pictures = {document.page_id(index): DocumentPage(document, index) for index in range(document.count)}
    pages = {page_id: lines_on(picture().size, texts) for page_id, picture in pictures.items()}
    return export(pages, "pdf", pictures)


def sizes(data: bytes) -> list[tuple[int, int]]:
    """The widths and heights of a PDF's pages, in points, before they are rotated."""
    return [(round(page.mediabox.width), round(page.mediabox.height)) for page in PdfReader(io.BytesIO(data)).pages]


def test_text_in_any_script_comes_back_from_pdf_readers():
    page = lines_on((1000, 1400), UNICODE)
    data = export({"a.png": page}, "pdf", {"a.png": lambda: Image.new("RGB", (1000, 1400), "white")})
    found = pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
    assert [line.strip() for line in found.splitlines()] == UNICODE
    assert [line.strip() for line in PdfReader(io.BytesIO(data)).pages[0].extract_text().splitlines()] == UNICODE


def test_pages_of_a_pdf_keep_their_sizes_and_their_content():
    source = (DATA / "mixed_sizes.pdf").read_bytes()
    data = searchable(source, "mixed.pdf", ["Łódź"])
    assert sizes(data) == sizes(source) == [(595, 420), (1191, 842), (298, 210)]
    before, after = (PdfReader(io.BytesIO(content)) for content in (source, data))
    for old, new in zip(before.pages, after.pages, strict=True):
        assert new.images[0].data == old.images[0].data  # the same bytes: not packed a second time
        assert new.extract_text().strip() == "Łódź"
    assert len(data) < len(source) + 10_000
    for old, new in zip(pypdfium2.PdfDocument(source), pypdfium2.PdfDocument(data), strict=True):
        drawn = [np.asarray(page.render(scale=0.5).to_pil(), int) for page in (old, new)]
        assert np.abs(drawn[0] - drawn[1]).max() == 0  # the text is not seen


def test_user_unit_and_form_fields_of_a_pdf_stay():
    page = PdfReader(io.BytesIO(searchable((DATA / "userunit.pdf").read_bytes(), "unit.pdf", ["ok"]))).pages[0]
    assert page["/UserUnit"] == 10 and round(page.mediabox.width) == 60 and page.extract_text().strip() == "ok"
    source = (DATA / "form_ap.pdf").read_bytes()
    data = searchable(source, "form.pdf", ["ok"])
    assert set(PdfReader(io.BytesIO(data)).get_fields()) == set(PdfReader(io.BytesIO(source)).get_fields())


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_text_lies_on_its_line_on_a_rotated_page(rotation):
    writer = PdfWriter(clone_from=PdfReader(DATA / "mixed_sizes.pdf"))
    for page in writer.pages:
        page.rotate(rotation)
        page.cropbox.lower_left = (10, 20)
    packed = io.BytesIO()
    writer.write(packed)
    source = packed.getvalue()
    data = searchable(source, "turned.pdf", ["first", "second"])
    document = pypdfium2.PdfDocument(data)
    for page, old in zip(document, pypdfium2.PdfDocument(source), strict=True):
        assert page.get_rotation() == rotation and page.get_size() == old.get_size()
        left, top, right, bottom = shown_box(page, "second")
        expected = np.array(box_at((1000, 1000), 1)) / 1000
        assert (left, right) == pytest.approx(expected[[0, 2]], abs=0.02)
        assert expected[1] - 0.02 < top < bottom < expected[3] + 0.02


def shown_box(page: pypdfium2.PdfPage, text: str) -> tuple[float, float, float, float]:
    """Where a text is on the page as it is shown, in shares of its sides, from its upper left corner."""
    textpage = page.get_textpage()
    index, count = textpage.search(text).get_next()
    points: list[Point] = []
    for number in range(index, index + count):
        left, low, right, high = textpage.get_charbox(number)
        points += [page_point(page, left, low), page_point(page, right, high)]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def page_point(page: pypdfium2.PdfPage, x: float, y: float) -> tuple[float, float]:
    left, low, right, high = page.get_cropbox()
    across, up = (x - left) / (right - left), (y - low) / (high - low)
    return {0: (across, 1 - up), 90: (up, across), 180: (1 - across, up), 270: (1 - up, 1 - across)}[
        page.get_rotation()
    ]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_is_taken_over_as_it_is(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = Image.new("RGB", (400, 300), "white")
    photo.paste("black", (0, 0, 200, 150))
    data = encoded(photo, "JPEG", exif=exif)
    result = searchable(data, "photo.jpg", ["first", "second"])
    reader = PdfReader(io.BytesIO(result))
    assert reader.pages[0]["/Resources"]["/XObject"]["/HwrPicture"]._data == data
    page = pypdfium2.PdfDocument(result)[0]
    upright = open_document(data).page(0)
    assert page.get_width() / page.get_height() == pytest.approx(upright.width / upright.height, abs=0.01)
    assert max(page.get_size()) == pytest.approx(842, abs=1)
    drawn = np.asarray(page.render(scale=upright.width / page.get_width()).to_pil().convert("L"), int)
    expected = np.asarray(upright.convert("L"), int)
    height, width = (min(sides) for sides in zip(drawn.shape, expected.shape, strict=True))
    assert (np.abs(drawn[:height, :width] - expected[:height, :width]) > 60).mean() < 0.02
    left, top, *_ = shown_box(page, "second")
    assert (left, top) == (pytest.approx(0.1, abs=0.02), pytest.approx(0.2, abs=0.03))


def test_a_scan_gets_the_size_that_its_dots_per_inch_tell_and_a_camera_does_not():
    for form in ("JPEG", "PNG", "TIFF"):
        scan = encoded(Image.new("L", (1240, 1748), 255), form, dpi=(300, 300))
        assert sizes(searchable(scan, "scan", ["x"])) == [pytest.approx((298, 420), abs=1)]
    photo = encoded(Image.new("L", (1240, 1748), 255), "JPEG", dpi=(72, 72))
    assert max(sizes(searchable(photo, "photo", ["x"]))[0]) == 842


@pytest.mark.parametrize(("first", "rotation"), [(0, 0), (1, 270), (2, 180), (3, 90)])
def test_a_page_whose_lines_are_turned_is_shown_upright(first, rotation):
    size, (width, height) = (300, 400), (40, 160) if first % 2 else (160, 40)
    corners = [(100, 100), (100 + width, 100), (100 + width, 100 + height), (100, 100 + height)]
    outline = tuple(corners[first:] + corners[:first])  # of a line that is turned by `first` quarters clockwise
    line = Line((100, 100, 100 + width, 100 + height), NO_PICTURE, Reading("upright", 0.9), outline=outline)
    for source in (lambda: Image.new("RGB", size, "white"), pdf_page(size, 0), pdf_page(size, 90)):
        data = export({"a": Page((line,), size)}, "pdf", {"a": source})
        page = pypdfium2.PdfDocument(data)[0]
        before = source.document.data.count(b"/Rotate 90") * 90 if isinstance(source, DocumentPage) else 0
        assert page.get_rotation() == (before + rotation) % 360
        left, top, right, bottom = shown_box(page, "upright")
        assert (right - left) * page.get_width() > 2 * (bottom - top) * page.get_height()  # from left to right
        assert page.get_textpage().get_text_range().strip() == "upright"


def pdf_page(size: tuple[int, int], rotation: int) -> DocumentPage:
    """An empty page of a PDF that is shown with this size, in points."""
    writer = PdfWriter()
    writer.add_blank_page(*(size if rotation in (0, 180) else size[::-1])).rotate(rotation)
    packed = io.BytesIO()
    writer.write(packed)
    return DocumentPage(open_document(packed.getvalue(), "a.pdf"), 0)


def test_a_page_of_a_pdf_that_cannot_be_taken_over_is_shown_as_its_picture(monkeypatch):
    def failing(*_: object) -> None:
        raise ValueError("damaged")

    monkeypatch.setattr(hwr_core.export.pdf, "PdfReader", failing)
    page = PdfReader(io.BytesIO(searchable((DATA / "userunit.pdf").read_bytes(), "unit.pdf", ["ok"]))).pages[0]
    assert page["/Resources"]["/XObject"]["/HwrPicture"]["/Width"] == 2200 and page.extract_text().strip() == "ok"
