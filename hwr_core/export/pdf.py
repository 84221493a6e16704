"""Pages as a searchable PDF: it shows the source, and the text in it can be searched and copied."""

import io
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import ExifTags, Image
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject, StreamObject

from hwr_core.documents.document import DocumentPage, is_pdf
from hwr_core.documents.image_reader import opened
from hwr_core.export import Picture, Pictures
from hwr_core.export.glyphless import ASCENT, DESCENT, UNITS, WIDTH, GlyphlessFont
from hwr_core.imaging.conversion import to_rgb
from hwr_core.layout.words import Word, base_of, words_of
from hwr_core.reading import Line, Page, PageName
from hwr_core.runtime.log import log_unexpected

FONT = "/HwrText"
PICTURE = "/HwrPicture"
POINTS_PER_INCH = 72  # PDF's unit of length
SHEET_SIDE = 842.0  # points: the longer side of a sheet of unknown size, as of A4
LEAST_DPI = 100  # dots per inch: cameras write less than this where they know nothing
MOST_DPI = 2400  # dots per inch
PICTURE_SIDE = 2200  # pixels: the longer side of a page's picture, 190 per inch on A4
JPEG_QUALITY = 80  # of 100
JPEG_MARK = b"\xff\xd8"  # the first bytes of a JPEG
EXIF_TURNS = {1: 0, 3: 180, 6: 90, 8: 270}  # degrees clockwise by EXIF orientation; others mirror the picture
MIN_GAP = 0.2  # of a line's height: the gap that keeps two words apart in a reader's text
SIZE = 0.8  # of a line's height: the size of its font
LEVEL = 0.25  # rise by run: words that lean less are written level, since pdftotext takes leaning ones apart letter by letter
LEAST_ADVANCE = 0.2  # of the font's size: pdftotext drops the second of two equal letters that are nearer

logger = logging.getLogger(__name__)


@dataclass
class _Pdf:
    """The new PDF, and the readers of its source PDFs by the identity of their bytes."""

    writer: PdfWriter = field(default_factory=PdfWriter)
    readers: dict[int, PdfReader] = field(default_factory=dict)


def to_pdf(pages: Mapping[PageName, Page], pictures: Pictures[PageName]) -> bytes:
    """Writes pages as one PDF: the source of each page, with its text as an invisible layer.

    Pages of PDFs are taken over as they are, with their sizes. JPEGs are taken over as they are. Other pictures are stored
    as JPEG. A picture that tells its dots per inch gets its real size, any other the longer side of A4. A page whose
    lines are not upright is shown turned.

    Args:
        pages: the pages, each by its identity or the name of its picture.
        pictures: functions that return the pages' upright pictures, by the same keys, one at a time. Only
            `DocumentPage`s give access to their sources.
    """
    pdf = _Pdf()
    font = GlyphlessFont(pdf.writer)
    for name, page in pages.items():
        source = pictures[name]
        sheet = _page_of_pdf(pdf, source)
        if sheet is None:
            sheet = _sheet(pdf.writer, *(_own_jpeg(source) or _new_jpeg(source())))
        _add_text(pdf.writer, sheet, page, font)
        if turn := _turn_of(page):
            sheet[NameObject("/Rotate")] = NumberObject((sheet.rotation - turn) % 360)
    font.finish()
    title = str(next(iter(pages))) if len(pages) == 1 else f"{len(pages)} pages"
    pdf.writer.add_metadata({"/Title": title, "/Creator": "Handwriting Recognition"})
    packed = io.BytesIO()
    pdf.writer.write(packed)
    return packed.getvalue()


def _page_of_pdf(pdf: _Pdf, source: Picture) -> PageObject | None:
    """Takes over a page of a PDF. None: the source is no PDF, or one that only PDFium can open."""
    if not isinstance(source, DocumentPage) or not is_pdf(source.document.data):
        return None
    data = source.document.data
    before = len(pdf.writer.pages)
    try:
        if id(data) not in pdf.readers:
            pdf.readers[id(data)] = PdfReader(io.BytesIO(data))
        pdf.writer.append(pdf.readers[id(data)], pages=[source.index], import_outline=False)
        return pdf.writer.pages[before]
    except Exception as error:  # pypdf raises many types for damaged PDFs; the page's picture is there
        log_unexpected(logger, "Taking over a page of a PDF", error)
    while len(pdf.writer.pages) > before:
        pdf.writer.remove_page(before)
    return None


Jpeg = tuple[bytes, tuple[int, int], str, int, float | None]  # data, size, mode, turn clockwise, dots per inch


def _own_jpeg(source: Picture) -> Jpeg | None:
    """The source's own JPEG. None: the source is no JPEG, or PDF readers show it differently."""
    if not isinstance(source, DocumentPage) or not source.document.data.startswith(JPEG_MARK):
        return None
    data = source.document.data
    image = opened(data, source.document.name)
    turn = EXIF_TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    if turn is None or image.mode not in ("L", "RGB"):
        return None
    return data, image.size, image.mode, turn, _dpi(image)


def _new_jpeg(picture: Image.Image) -> Jpeg:
    dpi, longest = _dpi(picture), max(picture.size)
    picture = to_rgb(picture)
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=JPEG_QUALITY)
    return packed.getvalue(), picture.size, "RGB", 0, dpi and dpi * max(picture.size) / longest


def _dpi(image: Image.Image) -> float | None:
    """The dots per inch that a picture tells, if they are those of a scanner."""
    try:
        dpi = float(image.info.get("dpi", (0,))[0])
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return dpi if LEAST_DPI <= dpi <= MOST_DPI else None


def _sheet(
    writer: PdfWriter, data: bytes, size: tuple[int, int], mode: str, turn: int, dpi: float | None
) -> PageObject:
    """A new page of the PDF that shows a JPEG, turned as its camera tells."""
    scale = POINTS_PER_INCH / dpi if dpi else SHEET_SIDE / max(size)
    width, height = (round(side * scale, 3) for side in size)
    sheet = writer.add_blank_page(width, height)
    picture = StreamObject()
    picture._data = data
    for name, value in {"Type": "XObject", "Subtype": "Image", "Filter": "DCTDecode"}.items():
        picture[NameObject(f"/{name}")] = NameObject(f"/{value}")
    picture[NameObject("/ColorSpace")] = NameObject("/DeviceGray" if mode == "L" else "/DeviceRGB")
    for name, number in {"Width": size[0], "Height": size[1], "BitsPerComponent": 8}.items():
        picture[NameObject(f"/{name}")] = NumberObject(number)
    _resources(sheet, "/XObject")[NameObject(PICTURE)] = writer._add_object(picture)
    _put_first(writer, sheet, b"q %f 0 0 %f 0 0 cm %s Do Q" % (width, height, PICTURE.encode()))
    sheet[NameObject("/Rotate")] = NumberObject(turn)
    return sheet


def _turn_of(page: Page) -> int:
    """By how many degrees clockwise the lines of a page are turned, of 0, 90, 180 and 270."""
    along = np.zeros(2)
    for line in page.lines:
        corners = np.array(line.corners, float)
        along += (corners[1] - corners[0]) + (corners[2] - corners[3])
    return round(math.degrees(math.atan2(along[1], along[0])) / 90) * 90 % 360


def _resources(sheet: PageObject, kind: str) -> DictionaryObject:
    """The resources of a kind of a page, to be added to."""
    found: DictionaryObject = sheet
    for name in ("/Resources", kind):
        if name not in found:
            found[NameObject(name)] = DictionaryObject()
        found = found[name].get_object()  # type: ignore[assignment]
    return found


def _put_first(writer: PdfWriter, sheet: PageObject, content: bytes) -> None:
    """Adds to a page's content, before what is there, which may change the coordinates for what follows."""
    stream = DecodedStreamObject()
    stream.set_data(content)
    contents = sheet.get("/Contents")
    whole = contents.get_object() if contents is not None else None
    old = list(whole) if isinstance(whole, ArrayObject) else [] if contents is None else [sheet.raw_get("/Contents")]
    sheet[NameObject("/Contents")] = ArrayObject([writer._add_object(stream.flate_encode()), *old])


def _add_text(writer: PdfWriter, sheet: PageObject, page: Page, font: GlyphlessFont) -> None:
    to_sheet = _to_sheet(sheet, page.size)
    parts = [part for line in page.lines for part in _line_content(line, to_sheet, font)]
    if not parts:
        return
    _resources(sheet, "/Font")[NameObject(FONT)] = font.reference
    _put_first(writer, sheet, b"q BT 3 Tr %s 1 Tf\n%s\nET Q" % (FONT.encode(), b"\n".join(parts)))


def _to_sheet(sheet: PageObject, size: tuple[int, int]) -> np.ndarray:
    """The matrix (2, 3) from pixels of a page's upright picture to a sheet's own coordinates, before its rotation."""
    crop, media = sheet.cropbox, sheet.mediabox
    left, right = max(crop.left, media.left), min(crop.right, media.right)
    low, high = max(crop.bottom, media.bottom), min(crop.top, media.top)
    width, height = float(right - left), float(high - low)
    x, y = 1 / max(1, size[0]), 1 / max(1, size[1])
    # The steps on the sheet for a page's width rightwards and its height downwards; then its upper left corner.
    turned = {
        0: [(width, 0, left), (0, -height, high)],
        90: [(0, width, left), (height, 0, low)],
        180: [(-width, 0, right), (0, height, low)],
        270: [(0, -width, right), (-height, 0, high)],
    }[round(sheet.rotation / 90) * 90 % 360]
    return np.array(turned, float) * (x, y, 1)


def _line_content(line: Line, to_sheet: np.ndarray, font: GlyphlessFont) -> list[bytes]:
    words = words_of(line)
    following = [*words[1:], None]
    return [
        part
        for word, after in zip(words, following, strict=True)
        if (part := _word_content(word, after, sum(base_of(line)) / 2, to_sheet, font))
    ]


def _word_content(
    word: Word, following: Word | None, base: float, to_sheet: np.ndarray, font: GlyphlessFont
) -> bytes | None:
    """The operators that write a word along its baseline, stretched to the width of its outline.

    PDF readers tell words apart by the gaps between them. Before a near word, this word is made narrower.

    Args:
        word: the word, with corners in pixels.
        following: the next word of the line; None after the last.
        base: height of the baseline, 0–1 of the way down the outline.
        to_sheet: as `_to_sheet` returns it.
        font: of the text.
    """
    text = "".join(character for character in word.text if character >= " " and not "\ud800" <= character <= "\udfff")
    upper_left, _, lower_right, lower_left = np.array(word.corners, float)
    along, down = lower_right - lower_left, lower_left - upper_left
    length, tall = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    if not text or length <= 0 or tall <= 0:
        return None
    stretch = length
    if following is not None:
        room = float(np.linalg.norm(np.array(following.corners[3]) - lower_left)) - MIN_GAP * tall
        stretch = max(min(length, room), length / 3)
    # The font's ascenders and descenders stay within the outline.
    start = upper_left + min(1 + SIZE * DESCENT / UNITS, max(SIZE * ASCENT / UNITS, base)) * down
    turn = to_sheet[:, :2]
    across = turn @ (along / length * stretch / (WIDTH * len(text)))
    upwards = turn @ (-down * SIZE)
    origin = turn @ start + to_sheet[:, 2]
    level = np.where(np.abs(across) < LEVEL * np.abs(across).max(), 0.0, across)
    origin = origin + (across - level) * WIDTH * len(text) / 2  # its middle stays where it is
    upwards = upwards * min(1.0, WIDTH * np.linalg.norm(across) / (LEAST_ADVANCE * np.linalg.norm(upwards)))
    across, upwards = level, np.where(np.abs(upwards) < LEVEL * np.abs(upwards).max(), 0.0, upwards)
    written = text + (" " if following is not None else "")
    return b"%.4f %.4f %.4f %.4f %.4f %.4f Tm %s Tj" % (*across, *upwards, *origin, font.encoded(written))
