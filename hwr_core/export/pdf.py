"""Pages as a searchable PDF: it shows their pictures, and their text can be searched and copied."""

import io
import math
import unicodedata
from collections.abc import Mapping

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from hwr_core.export import Pictures
from hwr_core.imaging.conversion import to_rgb
from hwr_core.layout.words import Word, words_of
from hwr_core.reading import Page, PageName

FONT = "Helvetica"
SHEET_SIDE = 842.0  # points: the longer side of a sheet, as of A4
PICTURE_SIDE = 2200  # pixels: the longer side of a page's picture, 190 per inch on A4
JPEG_QUALITY = 80  # of 100
INVISIBLE = 3  # PDF's text rendering mode
MIN_GAP = 0.2  # of a line's height: the gap that keeps two words apart in a reader's text


def to_pdf(pages: Mapping[PageName, Page], pictures: Pictures[PageName]) -> bytes:
    """Writes pages as one PDF: each page's picture, with its text behind it.

    Each sheet has its picture's shape. Pictures are asked for one at a time, and are stored as JPEG.

    Args:
        pages: the pages, each by its identity or the name of its picture.
        pictures: functions that return the pages' upright pictures, by the same keys.
    """
    packed = io.BytesIO()
    canvas = Canvas(packed, pageCompression=1)
    canvas.setTitle(str(next(iter(pages))) if len(pages) == 1 else f"{len(pages)} pages")
    for name, page in pages.items():
        scale = SHEET_SIDE / max(page.size)
        width, height = page.size[0] * scale, page.size[1] * scale
        canvas.setPageSize((width, height))
        canvas.drawImage(ImageReader(_jpeg(pictures[name]())), 0, 0, width, height)
        text = canvas.beginText()
        text.setTextRenderMode(INVISIBLE)
        for line in page.lines:
            words = words_of(line)
            for word, following in zip(words, [*words[1:], None], strict=True):
                _put(text, word, following, scale, height)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return packed.getvalue()


def _put(text: PDFTextObject, word: Word, following: Word | None, scale: float, height: float) -> None:
    """Writes a word along the lower edge of its outline, stretched to the outline's width.

    PDF readers tell words apart by the gaps between them. Before a near word, this word is made narrower.

    Args:
        text: the sheet's text.
        word: the word, with corners in pixels.
        following: the next word of the line; None after the last.
        scale: points per pixel.
        height: the sheet's height in points.
    """
    written = encodable(word.text)
    (left, low), (right, other) = word.corners[3], word.corners[2]
    length = math.hypot(right - left, other - low) * scale
    tall = math.hypot(word.corners[3][0] - word.corners[0][0], word.corners[3][1] - word.corners[0][1]) * scale
    if following is not None:
        left_of_next, low_of_next = following.corners[3]
        room = math.hypot(left_of_next - left, low_of_next - low) * scale - MIN_GAP * tall
        length = max(min(length, room), length / 2)
    if not written or length <= 0 or tall <= 0:
        return
    size = max(1.0, 0.8 * tall)
    natural = stringWidth(written, FONT, size) or 1.0
    angle = math.atan2(-(other - low), right - left)
    text.setFont(FONT, size)
    text.setHorizScale(100 * length / natural)
    cosine, sine = math.cos(angle), math.sin(angle)
    lift = 0.2 * tall  # from the outline's lower edge to the baseline
    text.setTextTransform(cosine, sine, -sine, cosine, left * scale - sine * lift, height - low * scale + cosine * lift)
    text.textOut(written + (" " if following is not None else ""))


def encodable(text: str) -> str:
    """The text in characters of Helvetica's encoding, Windows-1252.

    Other letters lose their accents. Characters that are left become question marks.
    """
    found = []
    for character in text:
        plain = (
            character
            if _writes(character)
            else "".join(c for c in unicodedata.normalize("NFKD", character) if _writes(c))
        )
        found.append(plain or "?")
    return "".join(found)


def _writes(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return character >= " "


def _jpeg(picture: Image.Image) -> io.BytesIO:
    picture = to_rgb(picture)
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=JPEG_QUALITY)
    packed.seek(0)
    return packed
