"""The command line: `hwr read` reads pages, `hwr batch` reads very many, `hwr serve` starts the pages and the API.

Exit status: 0 if all was read, 1 if some files could not be read, 2 if the command could not be carried out.
"""

import importlib
import logging
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO, get_args

import click
from PIL import Image

from hwr_core import __version__
from hwr_core.documents.input_formats import SUFFIXES
from hwr_core.documents.page_range import ALL_PAGES, PageRange
from hwr_core.errors import HandwritingError, MissingPackageError
from hwr_core.export import FORMATS
from hwr_core.export.output import output_of
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.reading import PageId
from hwr_core.runtime.limits import BEAMS
from hwr_core.runtime.log import configure_logging, log_unexpected, restored_logging
from hwr_core.runtime.paths import APP
from hwr_core.runtime.settings import settings

if TYPE_CHECKING:
    from hwr_core.recognizer import Recognizer

Mode = Literal["page", "line", "formula"]  # as `pipeline.Mode`, whose import would slow down every start
Decode = Callable[[], Image.Image]  # decodes a page's picture, or raises HandwritingError

MODES = click.Choice(get_args(Mode))
OWN_ADDRESSES = ("localhost", "127.0.0.1", "::1")  # only this machine's browsers reach them

logger = logging.getLogger(__name__)
_messages: TextIO | None = None  # where `say` writes; None means sys.stderr


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: The words after the program's name; by default the words of this process.

    Returns:
        The exit status.
    """
    _open_standard_streams()
    with restored_logging():
        return _run(sys.argv[1:] if arguments is None else arguments)


def _run(arguments: Sequence[str]) -> int:
    """Runs a command and reports its errors. Returns the exit status."""
    try:
        with hwr.make_context("hwr", list(arguments)) as context:
            return hwr.invoke(context) or 0
    except click.exceptions.Exit as done:  # --help
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except HandwritingError as error:
        say(str(error))
        logger.debug("The command stopped", exc_info=error)
        return 2
    except BrokenPipeError:  # the reader of the output closed it, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as error:
        say(f"{error.filename or 'The output'} cannot be used ({error.strerror}).")
        logger.debug("The command stopped", exc_info=error)
        return 2
    except (KeyboardInterrupt, click.Abort):
        return 130
    except Exception as error:
        say(f"Internal error ({type(error).__name__}): run the command with --debug to see where.")
        log_unexpected(logger, "The command", error)
        return 1


HELP = {
    "help_option_names": ["-h", "--help"]
}  # on each command: click remembers the first option that it was asked for


@click.group(context_settings=HELP)
@click.version_option(__version__, prog_name="hwr")
def hwr() -> None:
    """Reads handwriting as text or as LaTeX."""


def reading_options(command: Callable) -> Callable:
    """Adds the options that `read` and `batch` share."""
    for option in (
        click.option("--debug", is_flag=True, help="Log everything, with the traces of errors."),
        click.option("--quiet", is_flag=True, help="Write no progress and no messages of libraries."),
        click.option("--settings", "settings_file", type=Path, help="Preprocessing settings: a JSON file."),
        click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu"),
        click.option(
            "--words", "words_file", type=Path, help="Words to favour, such as names: a text file, one per line."
        ),
        click.option("--language", help="Language of the text, such as en. Default: each line tells its own."),
        click.option("--beams", type=int, help="Beams of the search; by default the checkpoint's number."),
        click.option(
            "--checkpoint",
            help='"text", "math", "auto" for both mixed, a hub id or a folder. Default: math for formulas, else text.',
        ),
        click.option("--mode", type=MODES, help="What each picture shows. Default: formula for math, else page."),
    ):
        command = option(command)
    return command


@hwr.command(context_settings=HELP)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", type=click.Choice(list(FORMATS)), help="Default: the format of --out's suffix, else txt.")
@click.option(
    "--out", help="A file for all pages, or a folder for a file each: one that exists, or a name ending in /."
)
@click.option("--pages", help="Pages of each document, such as 3-7 or 1,4,9-.")
@click.option("--without-struck", is_flag=True, help="Leave struck-out words out of the text.")
@click.option("--pictures", is_flag=True, help="Beside ALTO and PAGE files, write the pages of PDFs as pictures too.")
@reading_options
def read(
    files: Sequence[str], format: str | None, out: str | None, pages: str | None, without_struck: bool, pictures: bool, mode: Mode | None,
    checkpoint: str | None, beams: int | None, language: str | None, words_file: Path | None, device: str, settings_file: Path | None,
    quiet: bool, debug: bool,
) -> int:  # fmt: skip
    """Reads pictures, PDFs, folders of them, or - for standard input.

    A file that cannot be read is reported on standard error. The others are read, and the exit status is 1.
    """
    with console(quiet, debug):
        output = output_of(out, format, pictures)
        preprocessing = checked_settings(settings_file, beams)
        words = words_of(words_file)
        chosen = PageRange.parse(pages) if pages is not None else ALL_PAGES
        sources = list(dict.fromkeys(sources_of(files)))
        names = Counter(path.name for path in sources if path is not None)
        from hwr_core import load_recognizer  # imported once the arguments are known to be good
        from hwr_core.layout.words import without_pictures
        from hwr_core.pipeline import read_picture

        recognizer = load_recognizer(checkpoint or ("math" if mode == "formula" else "text"), device)
        default: Mode = "formula" if recognizer.reads_formulas else "page"
        if recognizer.reads_formulas != ((mode or default) == "formula"):
            raise HandwritingError(
                f"The checkpoint {recognizer.name} does not fit --mode {mode}: leave one of the two out."
            )
        if language is not None:
            recognizer = recognizer.with_language(language)
        if words:
            recognizer = recognizer.with_words(words)
            report_unwritable(recognizer)
        failed = 0
        for path in sources:
            for name, decode in pages_of(path, names, chosen):
                try:
                    page = without_pictures(read_picture(decode, recognizer, mode or default, preprocessing, beams))
                except HandwritingError as error:
                    failed += 1
                    say(str(error))
                    continue
                except Exception as error:  # a bug, or a library's error on an odd picture: the other files are read
                    failed += 1
                    say(f"{name} cannot be read: internal error ({type(error).__name__}).")
                    log_unexpected(logger, "Reading a page", error)
                    continue
                output.add(name, page.without_struck() if without_struck else page, decode)
                if not quiet:
                    say(f"{name}: {len(page.lines)} line{'' if len(page.lines) == 1 else 's'}")
        output.finish()
        return 1 if failed else 0


@hwr.command(context_settings=HELP)
@click.argument("files", metavar="FOLDER_OR_GLOB")
@click.option("--out", type=Path, required=True, help="The Parquet file.")
@click.option("--workers", type=click.IntRange(1), help="Processes that read. Default: one for each core or GPU.")
@reading_options
def batch(
    files: str, out: Path, workers: int | None, mode: Mode | None, checkpoint: str | None, beams: int | None,
    language: str | None, words_file: Path | None, device: str, settings_file: Path | None, quiet: bool, debug: bool,
) -> int:  # fmt: skip
    """Reads very many files into one Parquet file, a row a page, on Ray.

    FOLDER_OR_GLOB is a folder with its subfolders, or a pattern such as 'scans/*.jpg'. Files that cannot be read become
    rows with an error. After an interruption the same command reads only the rest.
    """
    with console(quiet, debug):
        preprocessing = checked_settings(settings_file, beams)
        words = words_of(words_file)
        require("ray", "pyarrow", extra="batch")
        from hwr_core.batch import Job, run

        if out.is_dir():
            raise HandwritingError(f"{out} is a folder: name a file.")
        chosen = portable_name(checkpoint or ("math" if mode == "formula" else "text"))
        job = Job(
            chosen, mode or ("formula" if chosen == "math" else "page"), beams, preprocessing, device, words, language
        )
        if language is not None:
            from hwr_core import load_recognizer

            load_recognizer(checkpoint or chosen, device).with_language(language)  # its error comes before Ray starts
        count = run(files, out, job, workers, quiet)
        if not quiet:
            say(f"{out}: {count} files")
        return 0


@hwr.group(context_settings=HELP)
def train() -> None:
    """Trains checkpoints on your own data."""


@train.command("fine-tune", context_settings=HELP)
@click.option(
    "--data",
    type=Path,
    required=True,
    help="Your lines: a folder, a ZIP, or - for rows from standard input; see the documentation.",
)
@click.option("--out", type=Path, required=True, help="A new folder for the checkpoint.")
@click.option("--start", default="text", show_default=True, help="The checkpoint to start from.")
@click.option("--debug", is_flag=True, help="Log everything, with the traces of errors.")
def fine_tune(data: Path, out: Path, start: str, debug: bool) -> int:
    """Adapts a checkpoint to your own lines, in minutes on a CPU.

    A quarter of the lines is kept aside. The checkpoint is written only if it reads these better than --start does.
    A stopped run goes on with the same command.
    """
    with console(False, debug):
        require("torch", "transformers", extra="torch")
        require("onnx", "onnxscript", extra="train")
        sys.path.append(str(APP))  # holds the package `training`, which hwr_core itself never imports
        fitting = importlib.import_module("training.fit.fine_tune")
        tuning = fitting.FineTuning(data, out, start, say=say)
        try:
            outcome = tuning.run()
        except KeyboardInterrupt:
            say("Stopped. The same command goes on from here.")
            raise
        if outcome.helped:
            say(f"Read with it: hwr read page.jpg --checkpoint {out}")
        return 0


@hwr.command(context_settings={**HELP, "ignore_unknown_options": True})
@click.option("--port", default=8501, show_default=True)
@click.option("--address", default="localhost", show_default=True, help="0.0.0.0 lets other machines in.")
@click.option("--debug", is_flag=True, help="Log everything, with the traces of errors.")
@click.argument("streamlit_options", nargs=-1, type=click.UNPROCESSED)
def serve(port: int, address: str, debug: bool, streamlit_options: Sequence[str]) -> None:
    """Starts the pages, and the API at /api.

    Other options go to Streamlit, such as --server.baseUrlPath=hwr. Environment variables HWR_… set tokens and limits.
    """
    settings()  # raises for a variable that cannot be used
    require("streamlit", "streamlit_drawable_canvas", extra="app")
    require("fastapi", "fastapi_offline", "prometheus_client", extra="server")
    if debug:
        os.environ["HWR_LOG_LEVEL"] = "DEBUG"
    if address in OWN_ADDRESSES:
        os.environ.setdefault("HWR_LOCAL_CHECKPOINTS", "true")
        os.environ.setdefault("HWR_DOWNLOADS", "true")
        os.environ.setdefault("HWR_LEARNING", "true")
    from streamlit.web.cli import main as streamlit

    place = ["--server.port", str(port), "--server.address", address]
    streamlit.main(["run", str(APP / "server.py"), *place, *streamlit_options], standalone_mode=False)


def require(*modules: str, extra: str) -> None:
    """Checks that the modules of an extra are installed.

    Raises:
        MissingPackageError: One is not.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingPackageError(module, extra)


def say(message: str) -> None:
    """Writes a message to the user on standard error."""
    print(message, file=_messages or sys.stderr, flush=True)


@contextmanager
def console(quiet: bool, debug: bool) -> Iterator[None]:
    """Configures logging. With `quiet` and without `debug`, whatever libraries write to standard error is discarded."""
    global _messages
    level = "DEBUG" if debug else settings().log_level or "CRITICAL"
    as_json = settings().log_format == "json"
    if debug or not quiet:
        configure_logging(level, as_json)
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere, os.fdopen(kept, "w", errors="backslashreplace") as _messages:
        configure_logging(level, as_json, _messages)
        os.dup2(nowhere.fileno(), 2)  # libraries in C write to the descriptor
        try:
            with redirect_stderr(nowhere), warnings.catch_warnings(action="ignore"):
                yield
        finally:
            os.dup2(kept, 2)
            _messages = None
            configure_logging(level, as_json)


def _open_standard_streams() -> None:
    """Opens streams that the caller closed, so that no file that is opened later takes their descriptors."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (as long as the process)


def checked_settings(file: Path | None, beams: int | None) -> PreprocessSettings:
    """Returns the preprocessing settings of `file`, or the defaults.

    Raises:
        HandwritingError: The file has no such settings, or `beams` is out of range.
    """
    if beams is not None and not 1 <= beams <= BEAMS:
        raise HandwritingError(f"The number of beams is from 1 to {BEAMS}.")
    if file is None:
        return PreprocessSettings()
    try:
        return PreprocessSettings.from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise HandwritingError(f"{file} cannot be read: check the name.") from None
    except ValueError as error:
        raise HandwritingError(str(error)) from None


def words_of(file: Path | None) -> tuple[str, ...]:
    """Returns the words of a text file; none without a file.

    Raises:
        HandwritingError: The file cannot be read, or has too many words.
    """
    if file is None:
        return ()
    from hwr_core.own_words import checked_words  # late: it imports the decoding

    try:
        return checked_words(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        raise HandwritingError(f"{file} cannot be read as text: check the name, and save it as UTF-8.") from None


def report_unwritable(recognizer: "Recognizer") -> None:
    """Reports listed words with characters that the checkpoint never writes."""
    if unwritable := recognizer.unwritable_words:
        shown = ", ".join(unwritable[:5]) + (", …" if len(unwritable) > 5 else "")
        say(f"The checkpoint {recognizer.name} lacks characters of these listed words, and ignores them: {shown}.")


def portable_name(checkpoint: str) -> str:
    """Returns the checkpoint's name for other processes and machines, which have copies of `models/` elsewhere.

    Raises:
        HandwritingError: There is no such checkpoint.
    """
    from hwr_core.checkpoints.registry import AUTO, MODELS, find

    if checkpoint.strip() == AUTO or (folder := find(checkpoint)) is None:
        return checkpoint.strip()
    folder = folder.absolute()
    return folder.relative_to(MODELS).as_posix() if folder.is_relative_to(MODELS) else str(folder)


def sources_of(names: Sequence[str]) -> Iterator[Path | None]:
    """Yields the files that are named, and those of named folders and their subfolders, sorted; None for standard input.

    Raises:
        HandwritingError: A file does not exist, or a folder has no pictures.
    """
    for name in names:
        path = Path(name)
        if name == "-":
            yield None
        elif path.is_dir():
            yield from pictures_in(path)
        elif path.is_file():
            yield path
        else:
            raise HandwritingError(f"There is no file {name}.")


def pictures_in(folder: Path) -> list[Path]:
    """Returns the pictures and documents in a folder and its subfolders, sorted.

    Raises:
        HandwritingError: There are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise HandwritingError(f"There are no pictures in {folder}.")
    return found


def pages_of(path: Path | None, names: Mapping[str, int], chosen: PageRange) -> Iterator[tuple[PageId, Decode]]:
    """Yields the identity of each chosen page of a file and the function that decodes it.

    For a file that cannot be opened, the function raises `HandwritingError`.

    Args:
        path: The file; None for standard input.
        names: How many files share a name. These are called by their paths.
        chosen: The pages of a document.
    """
    from hwr_core.documents.document import DocumentPage, open_document, shown

    name = "standard input" if path is None else shown(path.name if names[path.name] == 1 else path)
    try:
        document = open_document(_bytes_of(path), name)
        indices = chosen.indices(document.count, name)
    except OSError as error:
        yield PageId(name), partial(_raise, HandwritingError(f"{name} cannot be read ({error.strerror})."))
    except HandwritingError as error:
        yield PageId(name), partial(_raise, error)
    else:
        for index in indices:
            yield document.page_id(index), DocumentPage(document, index)


def _bytes_of(path: Path | None) -> bytes:
    if path is not None:
        return path.read_bytes()
    if sys.stdin is None:
        raise HandwritingError("Standard input is closed: name a file.")
    return sys.stdin.buffer.read()


def _raise(error: HandwritingError) -> Image.Image:
    raise error
