"""The command line: `python -m hwr_core read page.jpg --format alto`; files, folders, PDFs, or `-` for standard input."""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from hwr_core.errors import HandwritingError
from hwr_core.export import FORMATS, export, file_names, suffix_of
from hwr_core.settings import PreprocessSettings

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".heif", ".avif", ".pdf"}  # of files in a folder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hwr_core", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="read")
    reading = commands.add_parser("read", help="read pages", description="Reads pages of handwriting and writes what they say.")
    reading.add_argument("files", nargs="+", metavar="FILE", help="pictures, PDFs, folders of them, or - for standard input")
    reading.add_argument("--format", choices=FORMATS, default="txt")
    reading.add_argument("--out", help="a file for everything, or a folder (one that is there, or a name with / at its end) "
                         "for a file a page; otherwise standard output")  # fmt: skip
    reading.add_argument("--checkpoint", default="text", help='"text", "math" (each picture is one formula), a hub id, or a folder')
    reading.add_argument("--beams", type=int, help="readings followed at once; as the checkpoint says unless given")
    reading.add_argument("--device", help="cpu or cuda")
    reading.add_argument("--settings", type=Path, help="preprocessing settings, as JSON")
    reading.add_argument("--quiet", action="store_true", help="say nothing of the progress")
    try:
        return read(parser.parse_args(arguments))
    except (HandwritingError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def read(arguments: argparse.Namespace) -> int:
    """Reads every page of every file; what cannot be read is said on standard error, and makes the exit status 1."""
    out = Path(arguments.out) if arguments.out else None
    folder = out is not None and (out.is_dir() or arguments.out.endswith(("/", "\\")))
    if arguments.beams is not None and not 1 <= arguments.beams <= 64:
        raise ValueError("The number of beams is from 1 to 64.")
    settings = PreprocessSettings()
    if arguments.settings:
        try:
            settings = PreprocessSettings.from_json(arguments.settings.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            raise ValueError(f"{arguments.settings} cannot be read: check the name.") from None
    sources = list(found(arguments.files))
    from hwr_core import load_recognizer  # once it is known that there is something to do
    from hwr_core.words import without_pictures

    options = {"device": arguments.device} if arguments.device else {}
    recognizer = load_recognizer(arguments.checkpoint, **options)
    pages, pictures, failed = {}, {}, 0
    for path in sources:
        try:
            for name, picture in opened(path):
                image = picture()
                pages[name] = without_pictures(_page(image, recognizer, settings, arguments.beams))
                pictures[name] = picture
                if not arguments.quiet:
                    print(f"{name}: {len(pages[name].lines)} lines", file=sys.stderr)
        except HandwritingError as error:
            failed += 1
            print(error, file=sys.stderr)
    if pages:
        write(pages, pictures, arguments.format, out, folder)
    return 1 if failed else 0


def _page(image, recognizer, settings: PreprocessSettings, beams: int | None):
    from hwr_core.pipeline import read_page, read_region
    from hwr_core.reading import Page

    if not recognizer.reads_formulas:
        return read_page(image, recognizer, settings, beams)
    line = read_region(image, (0, 0, *image.size), recognizer, replace(settings, perspective=False), beams)
    return Page((line,) if line.reading.text else (), image.size)


def found(names: list[str]) -> Iterator[Path | None]:
    """The files that are named or in named folders, sorted; None for standard input. Raises `HandwritingError` for what is not there."""
    for name in names:
        path = Path(name)
        if name == "-":
            yield None
        elif path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
            if not inside:
                raise HandwritingError(f"There are no pictures in {name}.")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise HandwritingError(f"There is no file {name}.")


def opened(path: Path | None) -> Iterator[tuple[str, partial]]:
    """The name of each page of a file, and what decodes it."""
    from hwr_core.documents import open_document

    try:
        data = sys.stdin.buffer.read() if path is None else path.read_bytes()
    except OSError as error:
        raise HandwritingError(f"{path} cannot be read ({error.strerror}).") from None
    document = open_document(data, "standard input" if path is None else path.name)
    for index in range(document.count):
        yield document.page_name(index), partial(document.page, index)


def write(pages: dict, pictures: dict, format: str, out: Path | None, folder: bool) -> None:
    if folder:
        out.mkdir(parents=True, exist_ok=True)
        for name, file in zip(pages, file_names(list(pages), FORMATS[format].suffix), strict=True):
            (out / file).write_bytes(export({name: pages[name]}, format, pictures))
        return
    content = export(pages, format, pictures)
    if out is not None:
        out.write_bytes(content)
    elif suffix_of(format, len(pages)) in (".pdf", ".docx", ".zip") and sys.stdout.isatty():
        raise ValueError(f"{FORMATS[format].title} is no text for a terminal: name a file with --out.")
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
