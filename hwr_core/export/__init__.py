"""Pages as files: `export(pages, "alto")`. One document holds all pages where its format can; otherwise a ZIP has a file for each."""

import importlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from PIL import Image

from hwr_core.reading import Page

_NAME = re.compile(r"(.*?)((?:, page \d+)?)", re.DOTALL)  # as `Document.page_name` gives it
Pictures = Mapping[str, Callable[[], Image.Image]]


@dataclass(frozen=True)
class Format:
    """`home` and `writer` name the function that writes it, imported when first used; `single` those of one page a file."""

    name: str
    title: str
    suffix: str
    mime: str
    home: str
    writer: str
    single: bool = False
    needs_pictures: bool = False


FORMATS = {
    format.name: format
    for format in (
        Format("txt", "Plain text", ".txt", "text/plain", "plain", "to_txt"),
        Format("md", "Markdown", ".md", "text/markdown", "plain", "to_markdown"),
        Format("json", "JSON", ".json", "application/json", "plain", "to_json"),
        Format(
            "docx",
            "Word",
            ".docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "word",
            "to_docx",
        ),
        Format("pdf", "Searchable PDF", ".pdf", "application/pdf", "pdf", "to_pdf", needs_pictures=True),
        Format("alto", "ALTO 4", ".xml", "application/xml", "alto", "to_alto", single=True),
        Format("page", "PAGE 2019", ".xml", "application/xml", "page_xml", "to_page_xml", single=True),
        Format("hocr", "hOCR", ".html", "text/html", "hocr", "to_hocr"),
    )
}


def export(pages: Mapping[str, Page], format: str, pictures: Pictures | None = None) -> bytes:
    """The file's bytes. `pages` by the names of their pictures; `pictures` gives, for formats that show them, each page's upright picture.

    Raises ValueError for an unknown format, no pages, or missing pictures.
    """
    if format not in FORMATS:
        raise ValueError(f"There is no format {format}: choose one of {', '.join(FORMATS)}.")
    if not pages:
        raise ValueError("There is no page to export.")
    chosen = FORMATS[format]
    pages = {
        name: Page(tuple(line for line in page.lines if line.reading.text.strip()), page.size)
        for name, page in pages.items()
    }
    write = getattr(importlib.import_module(f"hwr_core.export.{chosen.home}"), chosen.writer)
    if chosen.needs_pictures:
        if pictures is None or any(name not in pictures for name in pages):
            raise ValueError(f"{chosen.title} needs the pages' pictures.")
        return write(pages, pictures)
    if not chosen.single:
        return _encoded(write(pages))
    if len(pages) == 1:
        return _encoded(write(*next(iter(pages.items()))))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        file_name = FileNames(chosen.suffix)
        for name, page in pages.items():
            archive.writestr(file_name(name), _encoded(write(name, page)))
    return packed.getvalue()


def suffix_of(format: str, count: int) -> str:
    """How the name of a file of `count` pages in this format ends."""
    chosen = FORMATS[format]
    return ".zip" if chosen.single and count > 1 else chosen.suffix


class FileNames:
    """Called with each picture's name in turn, gives a file's: its stem, without folders, numbered where it was given before. A page's number in its
    document stays: `notes.pdf, page 3` is `notes, page 3`."""

    def __init__(self, suffix: str):
        self.suffix = suffix
        self.taken: set[str] = set()

    def __call__(self, name: str) -> str:
        document, page = _NAME.fullmatch(name).groups()
        stem = (PurePath(document.replace("\\", "/")).stem or "page") + page
        file, number = stem + self.suffix, 1
        while file.casefold() in self.taken:
            number += 1
            file = f"{stem} ({number}){self.suffix}"
        self.taken.add(file.casefold())
        return file


def _encoded(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
