"""PDFs: how many pages, and a page as a picture. Drawn by PDFium in a process of its own with bounds (`pdf_worker.py`): a damaged or malicious one can
neither fill this process's memory nor hold it up. Nothing of it is written to disk."""

import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from hwr_core.documents.image_reader import damaged
from hwr_core.errors import HandwritingError, TooLargeError
from hwr_core.runtime.limits import PDF_SECONDS
from hwr_core.runtime.settings import pdf_memory

DPI = 300
_CHILD = Path(__file__).with_name("pdf_worker.py")
_ONE = threading.Lock()  # at a time


def page_count(data: bytes, name: str) -> int:
    """Raises `HandwritingError` where the PDF `name` has a password, is damaged, has no pages, or takes too much."""
    with _ONE, _Child(data, "count") as child:
        count = child.answer(name)["count"]
    if not count:
        raise HandwritingError(f"{name} has no pages: export it again.")
    return count


def render(data: bytes, index: int, longest: int, name: str) -> Image.Image:
    """Page `index`, from 0, at `DPI`, or so that its longer side has `longest` pixels, if that is less. Raises `HandwritingError` as above."""
    with _ONE, _Child(data, "page", index, DPI, longest) as child:
        size = child.answer(name)
        pixels = bytearray(size["stride"] * size["height"])
        if child.output.readinto(pixels) != len(pixels):
            raise _too_much(name)
    return Image.frombuffer("RGB", (size["width"], size["height"]), pixels, "raw", "RGB", size["stride"], 1)


class _Child:
    def __init__(self, data: bytes, *task: str | int):
        self.data = data
        # -I: neither the environment nor the working directory has a say in what it imports.
        command = [sys.executable, "-I", str(_CHILD), str(pdf_memory()), str(PDF_SECONDS), *map(str, task)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.clock = threading.Timer(
            3 * PDF_SECONDS, self.process.kill
        )  # of the wall: it may have to wait for a processor

    @property
    def output(self) -> BinaryIO:
        return self.process.stdout

    def __enter__(self) -> "_Child":
        self.clock.start()
        return self

    def answer(self, name: str) -> dict:
        with suppress(BrokenPipeError):  # it ended before it had read all, and said why, or not
            self.process.stdin.write(self.data)
            self.process.stdin.close()
        line = self.output.readline()
        found = json.loads(line) if line.endswith(b"\n") else {"error": "too much"}  # it was killed
        match found.get("error"):
            case None:
                return found
            case "password":
                raise HandwritingError(f"{name} is protected by a password: save it without one and try again.")
            case "too much":
                raise _too_much(name)
        raise damaged(name)

    def __exit__(self, *_: object) -> None:
        self.clock.cancel()
        self.process.kill()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.output.close()
        self.process.wait()


def _too_much(name: str) -> TooLargeError:
    return TooLargeError(f"{name} takes too much memory or time to be drawn: save its page as a picture and try again.")
