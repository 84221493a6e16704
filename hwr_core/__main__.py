"""The command line: `python -m hwr_core read page.jpg --format alto`; files, folders, PDFs, or `-` for standard input. `batch` reads very many."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from hwr_core.documents.input_formats import SUFFIXES
from hwr_core.errors import HandwritingError
from hwr_core.export import FORMATS, FileNames, export, suffix_of
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.reading import Page, PageId
from hwr_core.runtime.limits import BEAMS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m hwr_core", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    reading = commands.add_parser(
        "read", help="read pages", description="Reads pages of handwriting and writes what they say."
    )
    reading.add_argument(
        "files", nargs="+", metavar="FILE", help="pictures, PDFs, folders of them, or - for standard input"
    )
    reading.add_argument("--format", choices=FORMATS, default="txt")
    reading.add_argument("--out", help="a file for everything, or a folder (one that is there, or a name with / at its end) "
                         "for a file a page; otherwise standard output")  # fmt: skip
    reading.set_defaults(call=read)
    batch = commands.add_parser("batch", help="read very many pictures into a Parquet file", description="Reads very many pictures on Ray, a row a "
                                "page; after a kill, the same command does what is left. Needs requirements-batch.txt.")  # fmt: skip
    batch.add_argument(
        "files", metavar="FOLDER_OR_GLOB", help="a folder and those below it, or a pattern such as 'scans/*.jpg'"
    )
    batch.add_argument("--out", type=Path, required=True, help="the Parquet file")
    batch.add_argument(
        "--mode",
        choices=["page", "line", "formula"],
        help="what each picture is; formula with --checkpoint math, else page",
    )
    batch.add_argument("--workers", type=int, help="processes that read; one for each core, or GPU, unless given")
    batch.set_defaults(call=read_batch)
    for command in (reading, batch):
        command.add_argument(
            "--checkpoint", default="text", help='"text", "math" (each picture is one formula), a hub id, or a folder'
        )
        command.add_argument("--beams", type=int, help="readings followed at once; as the checkpoint says unless given")
        command.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
        command.add_argument("--settings", type=Path, help="preprocessing settings, as JSON")
        command.add_argument("--quiet", action="store_true", help="say nothing of the progress")
    try:
        parsed = parser.parse_args(arguments)
        return parsed.call(parsed)
    except (HandwritingError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the output has enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"{error.filename or 'The output'} cannot be used ({error.strerror}).", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def read(arguments: argparse.Namespace) -> int:
    """Reads every page of every file; what cannot be read is said on standard error, and makes the exit status 1."""
    out = Path(arguments.out) if arguments.out else None
    folder = out is not None and (out.is_dir() or arguments.out.endswith(("/", "\\")))
    if out is not None and (
        out.is_file() if folder else not out.parent.is_dir()
    ):  # said before an hour's reading, not after it
        raise ValueError(
            f"{arguments.out} cannot be written: "
            + ("it is a file." if folder else f"there is no folder {out.parent}.")
        )
    settings = checked_settings(arguments)
    sources = list(dict.fromkeys(found(arguments.files)))
    names = Counter(path.name for path in sources if path is not None)
    from hwr_core import load_recognizer  # once it is known that there is something to do
    from hwr_core.layout.words import without_pictures
    from hwr_core.pipeline import read_picture

    recognizer = load_recognizer(arguments.checkpoint, arguments.device)
    mode = "formula" if recognizer.reads_formulas else "page"
    write = Folder(out, arguments.format) if folder else Whole(out, arguments.format)
    failed = 0
    for path in sources:
        for name, picture in opened(path, names):
            try:
                page = without_pictures(read_picture(picture, recognizer, mode, settings, arguments.beams))
            except (
                Exception
            ) as error:  # also whatever a library makes of an odd picture: it must not cost the files beside it
                failed += 1
                said = (
                    error if isinstance(error, HandwritingError) else f"{name} cannot be read ({type(error).__name__})."
                )
                print(said, file=sys.stderr)
                continue
            write.add(name, page, picture)
            if not arguments.quiet:
                print(f"{name}: {len(page.lines)} line{'' if len(page.lines) == 1 else 's'}", file=sys.stderr)
    write.finish()
    return 1 if failed else 0


def checked_settings(arguments: argparse.Namespace) -> PreprocessSettings:
    """Those of the file, if one is named. Raises ValueError where it, or the number of beams, cannot be."""
    if arguments.beams is not None and not 1 <= arguments.beams <= BEAMS:
        raise ValueError(f"The number of beams is from 1 to {BEAMS}.")
    if not arguments.settings:
        return PreprocessSettings()
    try:
        return PreprocessSettings.from_json(arguments.settings.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{arguments.settings} cannot be read: check the name.") from None


def read_batch(arguments: argparse.Namespace) -> int:
    """Reads all that there is into one Parquet file; bad files become rows with an error."""
    settings = checked_settings(arguments)
    if arguments.workers is not None and arguments.workers < 1:
        raise ValueError("There must be one worker at least.")
    try:
        from hwr_core.batch import Job, run
    except ImportError as error:
        raise HandwritingError(f"{error.name} is not installed: pip install -r requirements-batch.txt.") from None

    if arguments.out.is_dir():
        raise ValueError(f"{arguments.out} is a folder: name a file.")
    checkpoint = everywhere(arguments.checkpoint)  # said here, once, where there is none
    job = Job(
        checkpoint,
        arguments.mode or ("formula" if checkpoint == "math" else "page"),
        arguments.beams,
        settings,
        arguments.device,
    )
    count = run(arguments.files, arguments.out, job, arguments.workers, arguments.quiet)
    if not arguments.quiet:
        print(f"{arguments.out}: {count} files", file=sys.stderr)
    return 0


def everywhere(checkpoint: str) -> str:
    """The checkpoint's name for other processes and machines, which have copies of `models/` elsewhere. Raises `HandwritingError` as `find` does."""
    from hwr_core.checkpoints.registry import MODELS, find

    if (folder := find(checkpoint)) is None:
        return checkpoint.strip()
    folder = folder.absolute()
    return folder.relative_to(MODELS).as_posix() if folder.is_relative_to(MODELS) else str(folder)


def found(names: list[str]) -> Iterator[Path | None]:
    """The files that are named or in named folders, sorted; None for standard input. Raises `HandwritingError` for what is not there."""
    for name in names:
        path = Path(name)
        if name == "-":
            yield None
        elif path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
            if not inside:
                raise HandwritingError(f"There are no pictures in {name}.")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise HandwritingError(f"There is no file {name}.")


def opened(path: Path | None, names: Mapping[str, int]) -> Iterator[tuple[PageId | str, partial]]:
    """The name of each page of a file, and what decodes it, or says why it cannot be. Files that share a name, of which `names` has more than
    one, are called by their paths."""
    from hwr_core.documents.document import open_document, shown

    name = "standard input" if path is None else shown(path.name if names[path.name] == 1 else path)
    try:
        data = sys.stdin.buffer.read() if path is None else path.read_bytes()
        document = open_document(data, name)
    except OSError as error:
        yield name, partial(_raise, HandwritingError(f"{shown(path)} cannot be read ({error.strerror})."))
    except HandwritingError as error:
        yield name, partial(_raise, error)
    else:
        for index in range(document.count):
            yield document.page_id(index), partial(document.page, index)


def _raise(error: HandwritingError):
    raise error


class Folder:
    """Writes a file for each page as soon as it is read."""

    def __init__(self, folder: Path, format: str):
        self.folder, self.format, self.names = folder, format, FileNames(FORMATS[format].suffix)

    def add(self, name: PageId | str, page: Page, picture: partial) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / self.names(name)).write_bytes(export({name: page}, self.format, {name: picture}))

    def finish(self) -> None:
        pass


class Whole:
    """Writes all pages at the end: to a file, or to standard output."""

    def __init__(self, out: Path | None, format: str):
        self.out, self.format = out, format
        self.pages: dict[PageId | str, Page] = {}
        self.pictures: dict[PageId | str, partial] = {}  # each keeps its file's bytes: only for formats that show them
        self._check_terminal(1)  # before an hour's reading

    def add(self, name: PageId | str, page: Page, picture: partial) -> None:
        self.pages[name] = page
        if FORMATS[self.format].needs_pictures:
            self.pictures[name] = picture

    def finish(self) -> None:
        if not self.pages:
            return
        self._check_terminal(len(self.pages))
        content = export(self.pages, self.format, self.pictures)
        if self.out is not None:
            self.out.write_bytes(content)
        else:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()

    def _check_terminal(self, count: int) -> None:
        if self.out is None and sys.stdout.isatty() and suffix_of(self.format, count) in (".pdf", ".docx", ".zip"):
            raise ValueError(f"{FORMATS[self.format].title} is no text for a terminal: name a file with --out.")


if __name__ == "__main__":
    sys.exit(main())
