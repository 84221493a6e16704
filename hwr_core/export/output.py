"""Writes pages to files as they are read: one file for each page, or one for all."""

import sys
from pathlib import Path

from hwr_core.errors import HandwritingError
from hwr_core.export import FORMATS, FileNames, Picture, export, is_drawn, picture_of, png, suffix_of
from hwr_core.reading import Page, PageId


def output_of(out: str | None, format: str | None, with_pictures: bool = False) -> "FilePerPage | OneFile":
    """Returns the writer for `--out`, `--format` and `--pictures`.

    Raises:
        HandwritingError: Nothing can be written there. It is raised before pages are read, which may take an hour.
    """
    if out is None:
        if with_pictures:
            raise HandwritingError("--pictures needs a folder or a .zip file as --out.")
        return OneFile(None, format or "txt", with_pictures)
    path = Path(out)
    if path.is_dir() or out.endswith(("/", "\\")):
        if path.is_file():
            raise HandwritingError(f"{out} cannot be written: it is a file.")
        return FilePerPage(path, format or "txt", with_pictures)
    if with_pictures and path.suffix.lower() != ".zip":
        raise HandwritingError("--pictures needs a folder or a .zip file as --out.")
    if not path.parent.is_dir():
        raise HandwritingError(f"{out} cannot be written: there is no folder {path.parent}.")
    return OneFile(path, format or format_of(path), with_pictures)


def format_of(path: Path) -> str:
    """Returns the format that a file's suffix names, txt for an unknown suffix.

    Raises:
        HandwritingError: Several formats have this suffix.
    """
    suffix = path.suffix.lower()
    found = [name for name, format in FORMATS.items() if suffix in (format.suffix, ".zip" if format.single else None)]
    if len(found) > 1:
        raise HandwritingError(f"Several formats have the suffix {suffix}: choose one of --format {', '.join(found)}.")
    return found[0] if found else "txt"


class FilePerPage:
    """Writes a file for each page as soon as it is read."""

    def __init__(self, folder: Path, format: str, with_pictures: bool):
        self.folder, self.format, self.names = folder, format, FileNames(FORMATS[format].suffix)
        self.with_pictures = with_pictures

    def add(self, name: PageId, page: Page, decode: Picture) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.names(name)
        if FORMATS[self.format].single and is_drawn(name):
            shown = picture_of(name, file)
            if self.with_pictures:
                (self.folder / shown).write_bytes(png(decode()))
            content = export({shown: page}, self.format)
        else:
            content = export({name: page}, self.format, {name: decode})
        (self.folder / file).write_bytes(content)

    def finish(self) -> None:
        """Does nothing: all files are written."""


class OneFile:
    """Writes all pages at the end, to a file or to standard output."""

    def __init__(self, out: Path | None, format: str, with_pictures: bool):
        self.out, self.format, self.with_pictures = out, format, with_pictures
        self.pages: dict[PageId, Page] = {}
        self.pictures: dict[PageId, Picture] = {}  # each holds its file's bytes: only for formats that show pictures
        self._check_stdout(1)

    def add(self, name: PageId, page: Page, decode: Picture) -> None:
        self.pages[name] = page
        if FORMATS[self.format].needs_pictures or self.with_pictures:
            self.pictures[name] = decode

    def finish(self) -> None:
        """Writes the file."""
        if not self.pages:
            return
        self._check_stdout(len(self.pages))
        content = export(self.pages, self.format, self.pictures, with_pictures=self.with_pictures)
        if self.out is not None:
            self.out.write_bytes(content)
        else:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()

    def _check_stdout(self, count: int) -> None:
        if self.out is not None:
            return
        if sys.stdout is None:
            raise HandwritingError("Standard output is closed: name a file with --out.")
        if sys.stdout.isatty() and suffix_of(self.format, count) in (".pdf", ".docx", ".zip"):
            raise HandwritingError(f"A terminal cannot show {FORMATS[self.format].title}: name a file with --out.")
