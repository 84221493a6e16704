"""Pages as a PDF that shows their pictures and has their text behind them, to be searched and copied."""

import io
import math
import unicodedata
from collections.abc import Callable, Mapping

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.textobject import PDFTextObject

from hwr_core.imaging.line_image import to_rgb
from hwr_core.layout.words import Word, words_of
from hwr_core.reading import Page

FONT = "Helvetica"
LONGEST = 842.0  # points of a sheet's longer side: A4's
PICTURE_SIDE = 2200  # pixels of the longer side of the picture in the file, 190 an inch on A4
INVISIBLE = 3
LEAST_GAP = 0.2  # of a line's height, between two words


def to_pdf(pages: Mapping[str, Page], pictures: Mapping[str, Callable[[], Image.Image]]) -> bytes:
    """One sheet a page, of the picture's shape. The pictures are asked for one at a time, and kept as JPEG."""
    packed = io.BytesIO()
    canvas = Canvas(packed, pageCompression=1)
    canvas.setTitle(next(iter(pages)) if len(pages) == 1 else f"{len(pages)} pages")
    for name, page in pages.items():
        scale = LONGEST / max(page.size)
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
    """A word along the lower edge of its outline, stretched to its width, or less where the next one is so near that readers of the
    file, who go by the gaps, would take both for one."""
    written = encodable(word.text)
    (left, low), (right, other) = word.corners[3], word.corners[2]
    length = math.hypot(right - left, other - low) * scale
    tall = math.hypot(word.corners[3][0] - word.corners[0][0], word.corners[3][1] - word.corners[0][1]) * scale
    if following is not None:
        left_of_next, low_of_next = following.corners[3]
        room = math.hypot(left_of_next - left, low_of_next - low) * scale - LEAST_GAP * tall
        length = max(min(length, room), length / 2)
    if not written or length <= 0 or tall <= 0:
        return
    size = max(1.0, 0.8 * tall)
    natural = stringWidth(written, FONT, size) or 1.0
    angle = math.atan2(-(other - low), right - left)
    text.setFont(FONT, size)
    text.setHorizScale(100 * length / natural)
    cosine, sine = math.cos(angle), math.sin(angle)
    lift = 0.2 * tall  # from the outline to the line that the letters stand on
    text.setTextTransform(cosine, sine, -sine, cosine, left * scale - sine * lift, height - low * scale + cosine * lift)
    text.textOut(written + (" " if following is not None else ""))


def encodable(text: str) -> str:
    """What Helvetica's encoding (Windows-1252) can write: other letters lose their accents, what is left becomes a question mark."""
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
    picture.save(packed, "JPEG", quality=80)
    packed.seek(0)
    return packed
