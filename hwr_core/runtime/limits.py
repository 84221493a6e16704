"""Every limit in one place: what is refused as too much, and what the operator of a server may change by its environment.

`HWR_API_TOKEN`: where it is set, the API asks for it (`Authorization: Bearer …`), but for its health.
`HWR_LOCAL_CHECKPOINTS`: "1" lets people name directories of the server as checkpoints; left out, the shipped ones, those in `models/` and hub ids.
`HWR_LOW_MEMORY`: "1" keeps the weights of large checkpoints, such as Microsoft's, in half the memory, lets fewer bytes of uploads wait, and has
nothing read while a large photo is searched for lines; "0" does not; left out, so it is where the process may take less than two gigabytes (its
cgroup's limit).
`HWR_QUEUE`: how many drawings and lines, and how many pages, may wait or be worked on at once before the API answers 503.
"""

import os
from pathlib import Path

MAX_BYTES = 64_000_000  # of a file
MAX_PIXELS = 64_000_000  # of a picture: decoded in colour, one of this size takes 192 MB
PDF_SECONDS = 10  # of a processor, to draw a page
MOST_PAGES = 2000  # of a document; they are decoded one at a time

BODY_BYTES = 80_000_000  # of a request to the API
BYTES_AT_ONCE, FEW_BYTES = 160_000_000, 32_000_000  # of all requests that wait or are worked on; where memory is short
BODY_SECONDS, BODY_RATE = 20, 50_000  # that a request's body may keep waiting; so many bytes give back a second of it
FILES = 16  # in one request
PAGES = 32  # read in one request
STROKES, POINTS = 5000, 100_000  # of a drawing
DRAWN_LINES, DRAWN_LENGTH = 200, 4000  # of a drawing; its lines' lengths together, in their heights: 15 seconds' work
FEW_PIXELS = 80_000  # of a formula as the encoder sees it, where memory is short: twice as many take four times as much
INK_BYTES = 8_000_000  # of a drawing sent to the API
FAR = 1e6  # of a stroke's point from the origin, in whatever unit
BEAMS = 16
LINES_AT_ONCE = 8  # requests whose lines are worked on at once; the recognizer puts them into batches
PAGES_AT_ONCE = 1  # requests whose pages, or other large pictures, are: a page of 12 megapixels takes 120 MB
RETRY_AFTER = 2  # seconds, said with a 503
ASK_AGAIN = 0.5  # seconds after which it is looked again whether who asked is still there


def queue_length() -> int:
    said = os.environ.get("HWR_QUEUE", "")
    return int(said) if said.isdigit() and int(said) > 0 else 64


def bytes_at_once() -> int:
    return FEW_BYTES if low_memory() else BYTES_AT_ONCE


def decoded_bytes() -> int:
    """That a picture may take while it is decoded: in colours, as a PNG, 25 million pixels where memory is short, as a WebP 8."""
    return 150_000_000 if low_memory() else 640_000_000


def pdf_memory() -> int:
    """Bytes that the process which draws a PDF's page may have: an A4 sheet scanned in colours at 600 dots an inch takes 105 MB."""
    return (256 if low_memory() else 1024) << 20


def api_token() -> str | None:
    return os.environ.get("HWR_API_TOKEN") or None


def local_checkpoints() -> bool:
    return os.environ.get("HWR_LOCAL_CHECKPOINTS") == "1"


def low_memory() -> bool:
    said = os.environ.get("HWR_LOW_MEMORY")
    if said in ("0", "1"):
        return said == "1"
    own = next((line[3:] for line in _lines("/proc/self/cgroup") if line.startswith("0::")), "/").strip("/")
    found = [
        f"/sys/fs/cgroup/{own}/memory.max",
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]  # v2, and v1
    return any(line.isdigit() and int(line) < 2 << 30 for path in found for line in _lines(path))


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
