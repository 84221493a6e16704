"""Documents of one page or many: pictures, TIFFs with several pages, PDFs.

A page is decoded each time it is asked for, and is not kept.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PIL import Image

from hwr_core.documents import pdf
from hwr_core.documents.image_reader import decoding, open_image, opened, too_large
from hwr_core.errors import TooLargeError
from hwr_core.imaging.preprocess import LONGEST_SIDE
from hwr_core.reading import PageId
from hwr_core.runtime.limits import MAX_BYTES, MOST_PAGES
from hwr_core.runtime.settings import low_memory

LARGE_PICTURE = 4_000_000  # pixels: decoding a larger picture takes much memory
LARGE_PICTURE_LOW = 1_000_000  # pixels: the same in low-memory mode
PDF_MARK_WITHIN = 1024  # bytes at the start of a PDF that hold its mark
# The first bytes of pictures. Their comments may contain a PDF's mark.
PICTURE_MARKS = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"II", b"MM", b"BM", b"\0\0\0\x0cjP")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def shown(path: str | Path) -> str:
    """A file's name as valid Unicode. Bytes that are not UTF-8 are written as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Document:
    """A file and its pages. `open_document` makes it.

    Attributes:
        name: the file's name.
        count: how many pages the file has.
        large: whether decoding a page may take much memory.
        data: the file's bytes.
    """

    name: str
    count: int
    _decode: Callable[[int, int | None], Image.Image] = field(repr=False)
    large: bool = True
    data: bytes = field(default=b"", repr=False)

    def page(self, index: int) -> Image.Image:
        """Decodes a page.

        Args:
            index: the page's number, from 0.

        Returns:
            The upright picture.

        Raises:
            HandwritingError: the page is damaged or too large.
            IndexError: the document has no such page.
        """
        return self._page(index, None)

    def thumbnail(self, index: int, side: int = 160) -> Image.Image:
        """Decodes a page as a small picture, in as few pixels as its format allows.

        Args:
            index: the page's number, from 0.
            side: pixels of the longer side, at most.

        Raises:
            HandwritingError: the page is damaged or too large.
            IndexError: the document has no such page.
        """
        small = self._page(index, side)
        small.thumbnail((side, side))
        return small

    def page_id(self, index: int) -> PageId:
        """The identity of page `index`, counted from 0."""
        return PageId(self.name, index + 1, self.count)

    def _page(self, index: int, side: int | None) -> Image.Image:
        if not 0 <= index < self.count:
            raise IndexError(f"{self.name} has {self.count} pages; there is no page {index + 1}.")
        return self._decode(index, side)


@dataclass(frozen=True)
class DocumentPage:
    """A page of a document. A call decodes it. Exports find the page's source by it.

    Attributes:
        document: the document.
        index: the page's number, from 0.
    """

    document: Document
    index: int

    def __call__(self) -> Image.Image:
        """The upright picture, as `Document.page` returns it."""
        return self.document.page(self.index)


def open_document(data: bytes, name: str = "The file") -> Document:
    """Opens a file and counts its pages. Its content tells its format, not its name.

    Of an animation, only the first picture is a page.

    Args:
        data: the file's bytes.
        name: the file's name, for messages.

    Raises:
        HandwritingError: the file is empty, too large, protected by a password, damaged, or of an unknown format.
    """
    if len(data) > MAX_BYTES:
        raise too_large(name)
    if is_pdf(data):
        return _pdf(data, name)
    with opened(data, name) as image:
        if data.startswith(TIFF_MARKS):
            return _tiff(data, name, image)
        large = _is_large(image.width * image.height)
    return Document(name, 1, lambda index, side: open_image(data, name, side), large, data)


def is_pdf(data: bytes) -> bool:
    """Whether a file's bytes are a PDF."""
    return b"%PDF-" in data[:PDF_MARK_WITHIN] and not data.startswith(PICTURE_MARKS)


def _is_large(pixels: int) -> bool:
    return pixels > (LARGE_PICTURE_LOW if low_memory() else LARGE_PICTURE)


def _tiff(data: bytes, name: str, image: Image.Image) -> Document:
    count, pixels = _frames(image, name)
    decode = partial(_tiff_page, data, name)
    return Document(name, _checked(count, name), decode, _is_large(pixels), data)


def _frames(image: Image.Image, name: str) -> tuple[int, int]:
    """The number of frames, counted up to `MOST_PAGES` + 1, and the pixels of the largest one."""
    count, largest = 1, image.width * image.height
    with decoding(name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damage is reported as an error
        while count <= MOST_PAGES and _has(image, count):
            count, largest = count + 1, max(largest, image.width * image.height)
    return count, largest


def _has(image: Image.Image, index: int) -> bool:
    """Whether the picture has frame `index`. Pillow's `n_frames` would count all frames, in quadratic time."""
    try:
        image.seek(index)
    except EOFError:
        return False
    return True


def _tiff_page(data: bytes, name: str, index: int, _: int | None) -> Image.Image:
    """A page with its own size and mode, checked like a picture of its own."""
    page_name = f"Page {index + 1} of {name}" if index else name
    with opened(data, name) as image:
        with decoding(f"Page {index + 1} of {name}"):
            image.seek(index)
        return open_image(image, page_name)


def _pdf(data: bytes, name: str) -> Document:
    def page(index: int, side: int | None) -> Image.Image:
        return pdf.render(data, index, side or LONGEST_SIDE, f"Page {index + 1} of {name}")

    return Document(name, _checked(pdf.page_count(data, name), name), page, data=data)


def _checked(count: int, name: str) -> int:
    if count > MOST_PAGES:
        raise TooLargeError(f"{name} has more than {MOST_PAGES:,} pages: split it and try again.")
    return count
