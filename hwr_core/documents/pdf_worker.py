"""Draws a page of a PDF, in a process of its own, which `pdf.py` starts: a PDF of a few bytes can ask for any memory and any time.

    python pdf_child.py MEMORY SECONDS count
    python pdf_child.py MEMORY SECONDS page INDEX DPI LONGEST

takes at most so many bytes of memory and seconds of the processor; reads the PDF from standard input, and writes a line of JSON, after a page's the
page's bytes, RGB. Imports nothing of this package: its 20 MB are a page's price.
"""

import json
import sys
from contextlib import suppress

import pypdfium2

try:
    import resource
except ImportError:  # on Windows nothing but `pdf.py`'s clock bounds it
    resource = None


def main(memory: int, seconds: int, task: str, *numbers: int) -> None:
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory runs out all the same, this process goes, not the server
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
        if task == "count":
            answer({"count": len(document)})
            return
        index, dpi, longest = numbers
        page = document[index]
        bitmap = page.render(scale=min(dpi / 72, longest / max(1.0, *page.get_size())), rev_byteorder=True)
        if bitmap.mode != "RGB":
            raise ValueError(bitmap.mode)
        answer({"width": bitmap.width, "height": bitmap.height, "stride": bitmap.stride})
        sys.stdout.buffer.write(bitmap.buffer)
        sys.stdout.buffer.flush()
    except pypdfium2.PdfiumError as error:
        answer({"error": "password" if "password" in str(error).lower() else "damaged"})
    except MemoryError:
        answer({"error": "too much"})


def answer(record: dict) -> None:
    sys.stdout.buffer.write(json.dumps(record).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*(int(word) if word.isdigit() else word for word in sys.argv[1:]))
