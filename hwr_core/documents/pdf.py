"""PDFs: the number of pages, and a page as a picture.

PDFium draws them in a process of its own with bounds (`pdf_worker.py`). A damaged or malicious PDF cannot
fill this process's memory or block it. Nothing is written to disk.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import TypeVar, cast

from PIL import Image

from hwr_core.documents.image_reader import damaged
from hwr_core.errors import HandwritingError, TooLargeError
from hwr_core.runtime.limits import PDF_SECONDS
from hwr_core.runtime.settings import pdf_memory

PDF_DPI = 300  # dots per inch of a drawn page
WALL_SECONDS = 3 * PDF_SECONDS  # seconds until the process is killed: it may have to wait for a CPU
ATTEMPTS = 2  # to draw a page, if the process is killed from outside, as Linux does where memory runs out
KILLED = -9  # exit status of a process that was killed
_WORKER = Path(__file__).with_name("pdf_worker.py")
_ONE_AT_A_TIME = threading.Lock()
Result = TypeVar("Result")


def page_count(data: bytes, name: str) -> int:
    """Counts the pages of a PDF.

    Args:
        data: the PDF's bytes.
        name: the PDF's name, for messages.

    Raises:
        HandwritingError: the PDF is protected by a password, damaged, without pages, or takes too much memory or time.
    """

    def count_pages() -> int:
        with _ONE_AT_A_TIME, _Worker(data, "count") as worker:
            return worker.answer(name)["count"]

    count = _again_if_killed(count_pages, name)
    if not count:
        raise HandwritingError(f"{name} has no pages: export it again.")
    return count


def render(data: bytes, index: int, longest: int, name: str) -> Image.Image:
    """Draws a page of a PDF at `PDF_DPI`, or at less if it would have more than `longest` pixels.

    Args:
        data: the PDF's bytes.
        index: the page's number, from 0.
        longest: pixels of the longer side, at most.
        name: the page's name, for messages.

    Returns:
        The page in RGB.

    Raises:
        HandwritingError: the PDF is protected by a password, damaged, or takes too much memory or time.
    """

    def draw() -> Image.Image:
        with _ONE_AT_A_TIME, _Worker(data, "page", index, PDF_DPI, longest) as worker:
            size = worker.answer(name)
            pixels = bytearray(size["stride"] * size["height"])
            if worker.output.readinto(pixels) != len(pixels):
                raise worker.ended(name)
        return Image.frombuffer("RGB", (size["width"], size["height"]), pixels, "raw", "RGB", size["stride"], 1)

    return _again_if_killed(draw, name)


class _Killed(Exception):
    """The worker was killed from outside."""


def _again_if_killed(ask: Callable[[], Result], name: str) -> Result:
    """Asks a worker, and another one if that is killed from outside.

    Raises:
        TooLargeError: all of them were killed.
    """
    for _ in range(ATTEMPTS):
        with suppress(_Killed):
            return ask()
    raise _takes_too_much(name)


class _Worker:
    """The process that draws, as a context manager."""

    def __init__(self, data: bytes, *task: str | int):
        self.data = data
        # -I: the worker imports nothing that the environment or the working directory names.
        command = [sys.executable, "-I", str(_WORKER), str(pdf_memory()), str(PDF_SECONDS), *map(str, task)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdin is not None and self.process.stdout is not None  # both are pipes
        self.input = self.process.stdin
        self.output = cast(BufferedReader, self.process.stdout)
        self.timer = threading.Timer(WALL_SECONDS, self._stop)
        self.stopped = False  # by the timer

    def __enter__(self) -> "_Worker":
        self.timer.start()
        return self

    def answer(self, name: str) -> dict:
        """Sends the PDF and reads the line of JSON that the worker answers.

        Raises:
            HandwritingError: the worker reports an error, or exceeded its bounds.
            _Killed: it was killed from outside.
        """
        with suppress(BrokenPipeError):  # the worker may end before it has read everything
            self.input.write(self.data)
            self.input.close()
        line = self.output.readline()
        if not line.endswith(b"\n"):
            raise self.ended(name)
        found = json.loads(line)
        match found.get("error"):
            case None:
                return found
            case "password":
                raise HandwritingError(f"{name} is protected by a password: save it without one and try again.")
            case "too much":
                raise _takes_too_much(name)
        raise damaged(name)

    def ended(self, name: str) -> Exception:
        """Why the worker ended without a whole answer."""
        status = self.process.wait()  # its output is closed: it has ended
        return _Killed() if status == KILLED and not self.stopped else _takes_too_much(name)

    def _stop(self) -> None:
        self.stopped = True
        self.process.kill()

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.process.kill()
        with suppress(BrokenPipeError):
            self.input.close()
        self.output.close()
        self.process.wait()


def _takes_too_much(name: str) -> TooLargeError:
    return TooLargeError(f"{name} takes too much memory or time to draw: save its page as a picture and try again.")
