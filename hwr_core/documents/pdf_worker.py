"""Draws a page of a PDF in a process of its own: even a small PDF can take any memory and any time.

    python pdf_worker.py MEMORY SECONDS count
    python pdf_worker.py MEMORY SECONDS page INDEX DPI LONGEST

`pdf.py` starts it. MEMORY (bytes) and SECONDS (of CPU time) are its bounds. It reads the PDF from standard input and
writes a line of JSON to standard output; after the line of a page follow the page's bytes in RGB.

It imports nothing of this package, which would take 20 MB more for each page.
"""

import io
import json
import re
import sys
import warnings
import zlib
from contextlib import suppress

import pypdfium2

POINTS_PER_INCH = 72  # PDF's unit of length
LEAST_SIDE = 1240  # pixels of the longer side, as A7 has: smaller pages are drawn finer than the dots per inch ask for
USER_UNIT = b"/UserUnit"  # the key of a page's unit of length, in points
MOST_OBJECTS = 10_000_000  # bytes of a stream of objects that are searched for `USER_UNIT`


def main(memory: int, seconds: int, task: str, *numbers: int) -> None:
    """Counts the pages or draws one, and answers on standard output.

    Args:
        memory: bytes of address space that this process may take.
        seconds: CPU time that it may take.
        task: "count" or "page".
        *numbers: for "page": index from 0, dots per inch, and pixels of the longer side, at most.
    """
    _set_bounds(memory, seconds)
    try:
        data = sys.stdin.buffer.read()
        document = pypdfium2.PdfDocument(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PDFium draws the other fields of forms that it knows only in part
            document.init_forms()  # form fields are drawn only after this, and it must precede all other calls
        if task == "count":
            answer({"count": len(document)})
            return
        index, dpi, longest = numbers
        page = document[index]
        side = max(1.0, *page.get_size())
        scale = min(max(dpi / POINTS_PER_INCH * _unit(data, index), LEAST_SIDE / side), longest / side)
        bitmap = page.render(scale=scale, rev_byteorder=True)
        if bitmap.mode != "RGB":
            raise ValueError(bitmap.mode)
        answer({"width": bitmap.width, "height": bitmap.height, "stride": bitmap.stride})
        sys.stdout.buffer.write(bitmap.buffer)
        sys.stdout.buffer.flush()
    except pypdfium2.PdfiumError as error:
        answer({"error": "password" if "password" in str(error).lower() else "damaged"})
    except MemoryError:
        answer({"error": "too much"})


def _unit(data: bytes, index: int) -> float:
    """The points in a unit of length of a page. PDFium ignores `USER_UNIT`."""
    if not _names_unit(data):
        return 1.0
    from pypdf import PdfReader  # takes 15 MB, which hardly any PDF needs

    with suppress(Exception):  # a page without a valid unit has the usual one
        return max(1.0, float(PdfReader(io.BytesIO(data)).pages[index].get(USER_UNIT.decode(), 1)))
    return 1.0


def _names_unit(data: bytes) -> bool:
    """Whether `USER_UNIT` is in a PDF, plain or in a compressed stream of objects."""
    if USER_UNIT in data:
        return True
    for found in re.finditer(rb"/ObjStm[^\0]{0,500}?stream\r?\n", data):
        with suppress(zlib.error):
            if USER_UNIT in zlib.decompressobj().decompress(memoryview(data)[found.end() :], MOST_OBJECTS):
                return True
    return False


def _set_bounds(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no resource limits; the timer of `pdf.py` is the only bound there
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(
        resource.RLIMIT_CPU, (seconds, seconds + 1)
    )  # SIGXCPU first: SIGKILL would look like one from outside
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if memory runs out all the same, this process is killed, not the server


def answer(record: dict) -> None:
    """Writes a line of JSON to standard output."""
    sys.stdout.buffer.write(json.dumps(record).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _memory, _seconds, _task, *_numbers = sys.argv[1:]
    main(int(_memory), int(_seconds), _task, *map(int, _numbers))
