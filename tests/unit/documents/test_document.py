"""Files with one page or many: each page when it is asked for, one clear sentence for what cannot be opened."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from hwr_core import HandwritingError
from hwr_core.documents import pdf as pdf_module
from hwr_core.documents.document import open_document
from hwr_core.errors import TooLargeError
from hwr_core.runtime.limits import MAX_BYTES, MOST_PAGES
from tests.support.pictures import encoded, huge_png

DATA = Path(__file__).parents[2] / "support" / "data"


def grey(level: int, size: tuple[int, int] = (120, 80)) -> Image.Image:
    return Image.new("L", size, level)


def pdf(pages: int, size: tuple[int, int] = (595, 842)) -> bytes:
    packed = io.BytesIO()
    canvas = Canvas(packed, pagesize=size)
    for number in range(pages):
        canvas.drawString(100, 700, f"page {number + 1}")
        canvas.showPage()
    canvas.save()
    return packed.getvalue()


def level(image: Image.Image) -> float:
    return float(np.asarray(image.convert("L")).mean())


def test_a_pdf_gives_its_pages_at_a_size_to_read_and_small_ones_to_choose_by():
    document = open_document(pdf(3), "notes.pdf")
    assert document.count == 3 and document.page_id(1).title == "notes.pdf, page 2"
    page = document.page(2)
    assert page.size == (2480, 3509) and np.asarray(page.convert("L")).min() < 100
    assert max(document.thumbnail(0, 160).size) == 160
    with pytest.raises(IndexError):
        document.page(3)


def test_a_page_as_large_as_a_wall_is_rendered_no_larger_than_a_page():
    assert max(open_document(pdf(1, (14000, 9000)), "wall.pdf").page(0).size) <= 3600


@pytest.mark.parametrize("name", ["form_only.pdf", "form_ap.pdf"])
def test_form_fields_and_signatures_of_a_pdf_are_drawn(name):
    page = open_document((DATA / name).read_bytes(), name).page(0).convert("L")
    scale = page.height / 842
    for top in (580, 700):  # points from the page's upper edge: a text field, then a signature field
        field = page.crop(tuple(round(scale * value) for value in (40, top, 350, top + 80)))
        assert (np.asarray(field) < 100).sum() > 1000


@pytest.mark.parametrize("compressed", [False, True])
def test_the_user_unit_of_a_pdf_counts(compressed):
    data = (DATA / "userunit.pdf").read_bytes()
    if compressed:
        data = pdf_with_compressed_page()
        assert b"/UserUnit" not in data
    assert open_document(data, "unit.pdf").page(0).size == pytest.approx((2480, 1749), abs=2)


def pdf_with_compressed_page() -> bytes:
    """A PDF whose page, with a user unit of 10 points, is in a compressed stream of objects."""
    packed = zlib.compress(b"3 0 <</Type/Page/Parent 2 0 R/MediaBox[0 0 59.53 41.95]/UserUnit 10>>")
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        stream(b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode", packed),
    )
    out, places = b"%PDF-1.5\n", {}
    for number, content in zip((1, 2, 4), objects, strict=True):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    places[5] = len(out)
    rows = [(0, 0, 0), (1, places[1], 0), (1, places[2], 0), (2, 4, 0), (1, places[4], 0), (1, places[5], 0)]
    table = zlib.compress(b"".join(struct.pack(">BIB", *row) for row in rows))
    head = b"/Type/XRef/Size 6/W[1 4 1]/Root 1 0 R/Filter/FlateDecode"
    return out + b"5 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (stream(head, table), places[5])


def test_a_tiny_page_is_drawn_finely_and_a_small_one_at_300_dots_per_inch():
    assert open_document(pdf(1, (60, 42)), "stamp.pdf").page(0).width == 1240
    assert open_document(pdf(1, (420, 595)), "a5.pdf").page(0).height == pytest.approx(2480, abs=1)


def test_a_pdf_with_a_password_is_said_to_have_one():
    writer = PdfWriter(PdfReader(io.BytesIO(pdf(1))))
    writer.encrypt("secret", algorithm="RC4-128")
    packed = io.BytesIO()
    writer.write(packed)
    with pytest.raises(HandwritingError, match=r"^letters\.pdf is protected by a password.*\.$"):
        open_document(packed.getvalue(), "letters.pdf")


def pdf_of(*objects: bytes) -> bytes:
    """A PDF with these objects. The first is its catalogue."""
    data, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    ends = b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + ends


def stream(head: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(content), content)


FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<</F 5 0 R>>>>"


def bad_page(what: str) -> tuple[bytes, bytes, bytes]:
    """The head of a page's stream, the page's content, and the content of the form F."""
    if what == "draws itself for ever":
        return b"", b"/F Do", b"/F Do /F Do /F Do /F Do"
    if what == "a gigabyte in a kilobyte":
        packer = zlib.compressobj(1)
        packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1000)) + packer.flush()
        return b"/Filter[/FlateDecode/FlateDecode]", zlib.compress(packed, 9), b""
    return (
        b"",
        b" ".join(b"%d %d m %d %d l S" % (i % 600, i * 7 % 800, i * 13 % 600, i * 3 % 800) for i in range(200_000)),
        b"",
    )


@pytest.mark.parametrize("what", ["draws itself for ever", "a gigabyte in a kilobyte", "takes minutes to draw"])
def test_a_pdf_that_asks_for_any_memory_or_time_is_refused(what, monkeypatch):
    monkeypatch.setenv("HWR_LOW_MEMORY", "1")
    monkeypatch.setattr(pdf_module, "PDF_SECONDS", 2)
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>"
    head, content, form = bad_page(what)
    catalogue = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    document = open_document(pdf_of(*catalogue, page, stream(head, content), stream(FORM, form)), "bad.pdf")
    with pytest.raises(TooLargeError, match=r"^Page 1 of bad\.pdf takes too much memory or time to draw"):
        document.page(0)


def test_a_picture_with_a_pdfs_mark_in_its_comment_is_a_picture():
    described = PngInfo()
    described.add_text("Comment", "made from a %PDF-1.4")
    assert open_document(encoded(grey(50), "PNG", pnginfo=described), "page.png").page(0).size == (120, 80)


@pytest.mark.parametrize("data", [b"%PDF-1.4 nothing", b"%PDF-1.7\n" + bytes(range(256)) * 20])
def test_a_broken_pdf_is_said_to_be_damaged(data):
    with pytest.raises(HandwritingError, match=r"^scan\.pdf is damaged.*\.$"):
        open_document(data, "scan.pdf")


def test_a_tiff_has_pages_of_their_own_sizes_and_modes():
    first, *others = [grey(10), grey(200, (60, 90)).convert("1"), Image.new("RGB", (30, 30), (0, 100, 0))]
    document = open_document(encoded(first, "TIFF", save_all=True, append_images=others), "fax.tif")
    assert [document.page(index).size for index in range(document.count)] == [(120, 80), (60, 90), (30, 30)]
    assert level(document.page(0)) == 10 and max(document.thumbnail(1, 45).size) == 45


def test_of_an_animation_the_first_picture_counts():
    frames = [grey(value) for value in (30, 120, 220)]
    for form in ("GIF", "WEBP", "PNG"):
        document = open_document(encoded(frames[0], form, save_all=True, append_images=frames[1:]), "wink")
        assert document.count == 1 and level(document.page(0)) == pytest.approx(30, abs=3)


def test_a_phones_heic_is_upright():
    packed = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    pillow_heif.from_pillow(grey(90, (128, 64)).convert("RGB")).save(packed, exif=exif.tobytes())
    page = open_document(packed.getvalue(), "IMG_1.HEIC").page(0)
    assert page.size == (64, 128) and level(page) == pytest.approx(90, abs=4)


@pytest.mark.parametrize("name", ["photo.pdf", "photo.txt", "photo"])
def test_what_a_file_is_its_content_says(name):
    assert open_document(encoded(grey(50), "JPEG"), name).page(0).size == (120, 80)
    assert open_document(pdf(2), "picture.png").count == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"hello", "not a picture"),
        (b"II*\0\xff\xff\xff\xff", "(damaged|not a picture)"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "(damaged|not a picture)"),
        (b"0" * (MAX_BYTES + 1), "larger than"),
        (b"%PDF-" + b"0" * MAX_BYTES, "larger than"),
    ],
)
def test_what_cannot_be_opened_is_said_in_a_sentence_that_names_it(data, sentence):
    with pytest.raises(HandwritingError, match=rf"^note .*{sentence}.*\.$"):
        open_document(data, "note")


def test_a_page_too_large_to_decode_is_refused_when_it_is_asked_for():
    with pytest.raises(HandwritingError, match="too many pixels"):
        open_document(huge_png(9_000), "big.png").page(0)


def test_a_hundred_megapixel_jpeg_is_decoded_smaller():
    page = open_document(encoded(grey(99, (12_000, 9_000)), "JPEG"), "camera.jpg").page(0)
    assert page.size == (6_000, 4_500)


def test_a_long_pdf_opens_without_rendering(monkeypatch):
    data = pdf(500)
    asked = []
    child = pdf_module._Worker
    monkeypatch.setattr(pdf_module, "_Worker", lambda data, *task: asked.append(task) or child(data, *task))
    document = open_document(data, "book.pdf")
    assert document.count == 500 and asked == [("count",)]
    document.page(7)
    assert asked[1][:2] == ("page", 7)


def test_a_tiff_of_thousands_of_pages_is_refused_without_counting_them_all():
    dots = [Image.new("1", (1, 1)) for _ in range(MOST_PAGES + 50)]
    with pytest.raises(TooLargeError, match="more than 2,000 pages"):
        open_document(encoded(dots[0], "TIFF", save_all=True, append_images=dots[1:]), "many.tif")
