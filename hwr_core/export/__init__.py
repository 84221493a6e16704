"""Pages as files: `export(pages, "alto")`.

A format is a line in `FORMATS` and a function in a module of its own. The module is imported at the first use.
"""

import importlib
import io
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from PIL import Image

from hwr_core.reading import Page, PageId, PageName

MAX_NAME = 255  # bytes of a file name, on most file systems
Picture = Callable[[], Image.Image]  # returns a page's upright picture
Pictures = Mapping[PageName, Picture]


@dataclass(frozen=True)
class Format:
    """An export format.

    Attributes:
        name: the name that `export` and the command line take.
        title: the name to display.
        suffix: the ending of file names, with the dot.
        mime: the media type.
        module: the module of `hwr_core.export` that writes the format.
        function: the function in `module`. It takes all pages. If `single`, it takes a page's name and
            the page. If `needs_pictures`, it takes all pages and their pictures. It returns str or bytes.
        single: whether a file holds one page only. Several pages become a ZIP of such files.
        needs_pictures: whether the file shows the pages' pictures.
        flows: whether the format can hold flowing text, in paragraphs. `function` then takes `paragraphs` too.
    """

    name: str
    title: str
    suffix: str
    mime: str
    module: str
    function: str
    single: bool = False
    needs_pictures: bool = False
    flows: bool = False


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMATS = {
    format.name: format
    for format in (
        Format("txt", "Plain text", ".txt", "text/plain", "plain", "to_txt", flows=True),
        Format("md", "Markdown", ".md", "text/markdown", "plain", "to_markdown", flows=True),
        Format("json", "JSON", ".json", "application/json", "plain", "to_json"),
        Format("docx", "Word", ".docx", _WORD, "word", "to_docx", flows=True),
        Format("pdf", "Searchable PDF", ".pdf", "application/pdf", "pdf", "to_pdf", needs_pictures=True),
        Format("alto", "ALTO 4", ".xml", "application/xml", "alto", "to_alto", single=True),
        Format("page", "PAGE 2019", ".xml", "application/xml", "page_xml", "to_page_xml", single=True),
        Format("hocr", "hOCR", ".html", "text/html", "hocr", "to_hocr"),
    )
}


def export(
    pages: Mapping[PageName, Page],
    format: str,
    pictures: Pictures[PageName] | None = None,
    paragraphs: bool = False,
    with_pictures: bool = False,
    struck: bool = True,
) -> bytes:
    """Writes pages in a format.

    Args:
        pages: the pages, each by its `PageId` or by the name of its picture. Lines without text are left out.
        format: a key of `FORMATS`.
        pictures: functions that return the pages' upright pictures, by the same keys as `pages`. Only formats with
            `needs_pictures` use them. The PDF takes over the sources of `hwr_core.documents.document.DocumentPage`s.
        paragraphs: whether to join broken lines into paragraphs. Only formats with `flows` do so.
        with_pictures: whether a format with `single` becomes a ZIP that also holds the pictures that its files name, those of
            pages that have no picture file of their own (`is_drawn`).
        struck: whether struck-out words are kept. Markdown, Word, PAGE and JSON mark them.

    Returns:
        The file's bytes; text is in UTF-8. Several pages in a format with `single` become a ZIP.

    Raises:
        ValueError: unknown format, no pages, or missing pictures.
    """
    if format not in FORMATS:
        raise ValueError(f"There is no format {format}: choose one of {', '.join(FORMATS)}.")
    if not pages:
        raise ValueError("There is no page to export.")
    chosen = FORMATS[format]
    pages = {name: _with_text(page if struck else page.without_struck()) for name, page in pages.items()}
    write = getattr(importlib.import_module(f"hwr_core.export.{chosen.module}"), chosen.function)
    if paragraphs and chosen.flows:
        in_paragraphs = importlib.import_module("hwr_core.export.paragraphs").in_paragraphs
        return _encoded(write({name: in_paragraphs(page) for name, page in pages.items()}, paragraphs=True))
    if chosen.needs_pictures:
        if pictures is None or any(name not in pictures for name in pages):
            raise ValueError(f"{chosen.title} needs the pages' pictures.")
        return write(pages, pictures)
    if not chosen.single:
        return _encoded(write(pages))
    file_name = FileNames(chosen.suffix)
    files = {name: file_name(name) for name in pages}
    shown = {name: picture_of(name, file) for name, file in files.items()}
    drawn = [name for name in pages if with_pictures and pictures is not None and is_drawn(name)]
    if len(pages) == 1 and not drawn:
        return _encoded(*(write(shown[name], page) for name, page in pages.items()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, page in pages.items():
            archive.writestr(files[name], _encoded(write(shown[name], page)))
        for name in drawn:
            archive.writestr(shown[name], png((pictures or {})[name]()))
    return packed.getvalue()


def is_drawn(name: PageId | str) -> bool:
    """Whether a page has no picture file of its own: it is drawn, or cut out of a document of several pages."""
    return isinstance(name, PageId) and (name.count > 1 or name.file.lower().endswith(".pdf"))


def picture_of(name: PageId | str, file: str) -> str:
    """The name of the picture that `file`, written for a page, belongs to: the page's own, or a PNG beside `file`."""
    return str(PurePath(file).with_suffix(".png")) if is_drawn(name) else str(name)


def png(picture: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    packed = io.BytesIO()
    picture.convert("RGB").save(packed, "PNG")
    return packed.getvalue()


def suffix_of(format: str, count: int) -> str:
    """The suffix of the file that `export` makes of `count` pages in this format."""
    chosen = FORMATS[format]
    return ".zip" if chosen.single and count > 1 else chosen.suffix


class FileNames:
    """Gives each page the name of a file that no other page has.

    The name is the stem of the page's file, without folders, then the page number if the document has several pages.
    A name that is taken gets a number in brackets.

    Args:
        suffix: the ending of all names.
    """

    def __init__(self, suffix: str):
        self.suffix = suffix
        self.taken: set[str] = set()

    def __call__(self, name: PageId | str) -> str:
        """The file name for a page, given its `PageId` or the name of its picture."""
        page = name if isinstance(name, PageId) else PageId(name)
        tail = "" if page.count == 1 else f", page {page.number}"
        stem = page.stem.removesuffix(tail)
        file, number = _fitted(stem, tail + self.suffix), 1
        while file.casefold() in self.taken:
            number += 1
            file = _fitted(stem, f"{tail} ({number}){self.suffix}")
        self.taken.add(file.casefold())
        return file


def _fitted(stem: str, ending: str) -> str:
    """`stem`, shortened to what a file name with this ending can hold, and the ending."""
    return os.fsencode(stem)[: MAX_NAME - len(ending.encode())].decode(errors="ignore") + ending


def _with_text(page: Page) -> Page:
    return replace(page, lines=tuple(line for line in page.lines if line.reading.text.strip()))


def _encoded(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
