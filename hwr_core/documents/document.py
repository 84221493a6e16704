"""Files of one page or many: pictures, TIFFs with several pages, PDFs. A page is decoded when it is asked for, and not kept."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from hwr_core.documents import pdf
from hwr_core.documents.image_reader import damaged, open_image, opened, too_large
from hwr_core.errors import TooLargeError
from hwr_core.imaging.preprocess import LONGEST_SIDE
from hwr_core.reading import PageId
from hwr_core.runtime.limits import MAX_BYTES, MOST_PAGES
from hwr_core.runtime.settings import low_memory

LARGE, LARGE_WHERE_MEMORY_IS_SHORT = 4_000_000, 1_000_000  # pixels
PICTURES = (b"\x89PNG", b"\xff\xd8", b"GIF8", b"RIFF", b"II", b"MM", b"BM")  # which may have a PDF's mark in a comment


def shown(path: str | Path) -> str:
    """A file's name as text that every format can hold, also where its bytes are none."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Document:
    """A file's pages: how many, and each as an upright picture. `name` is the file's."""

    name: str
    count: int
    _decode: Callable[[int, int | None], Image.Image] = field(repr=False)
    large: bool = True  # whether decoding a page of it may take much memory

    def page(self, index: int) -> Image.Image:
        """The picture of page `index`, counted from 0. Raises `HandwritingError` where it is damaged, IndexError where there is none."""
        return self._page(index, None)

    def thumbnail(self, index: int, side: int = 160) -> Image.Image:
        """The page `side` pixels large at most, made without decoding more than it must."""
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


def open_document(data: bytes, name: str = "The file") -> Document:
    """What kind of file it is is told by its content, not by its name.

    Raises `HandwritingError` where it is empty, too large, protected by a password, damaged, or of no known kind. Of an
    animation the first picture counts.
    """
    if len(data) > MAX_BYTES:
        raise too_large(name)
    if is_pdf(data):
        return _pdf(data, name)
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        with opened(data, name) as image:
            count, pixels = _frames(image, name)
        return Document(name, _checked(count, name), lambda index, side: _tiff_page(data, name, index), _large(pixels))
    if not data:
        open_image(data, name)  # which says so
    with opened(data, name) as image:
        large = _large(image.width * image.height)
    return Document(name, 1, lambda index, side: open_image(data, name, side), large)


def is_pdf(data: bytes) -> bool:
    return b"%PDF-" in data[:1024] and not data.startswith(PICTURES)


def _large(pixels: int) -> bool:
    return pixels > (LARGE_WHERE_MEMORY_IS_SHORT if low_memory() else LARGE)


def _frames(image: Image.Image, name: str) -> tuple[int, int]:
    """How many there are, counted no further than one too many, and the pixels of the largest."""
    count, largest = 1, image.width * image.height
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            while count <= MOST_PAGES and _has(image, count):
                count, largest = count + 1, max(largest, image.width * image.height)
            return count, largest
    except Exception:  # a broken directory makes Pillow raise many types
        raise damaged(name) from None


def _has(image: Image.Image, index: int) -> bool:
    """Asked one by one: `n_frames` first counts all of however many, ever more slowly."""
    try:
        image.seek(index)
    except EOFError:
        return False
    return True


def _tiff_page(data: bytes, name: str, index: int) -> Image.Image:
    """A page of its own size and mode, checked as a picture by itself is."""
    with opened(data, name) as image:
        try:
            image.seek(index)
        except Exception:  # the same
            raise damaged(f"Page {index + 1} of {name}") from None
        return open_image(image, f"Page {index + 1} of {name}" if index else name)


def _pdf(data: bytes, name: str) -> Document:
    def page(index: int, side: int | None) -> Image.Image:
        return pdf.render(data, index, side or LONGEST_SIDE, f"Page {index + 1} of {name}")

    return Document(name, _checked(pdf.page_count(data, name), name), page)


def _checked(count: int, name: str) -> int:
    if count > MOST_PAGES:
        raise TooLargeError(f"{name} has more than {MOST_PAGES:,} pages: split it and try again.")
    return count
