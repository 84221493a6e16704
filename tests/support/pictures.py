"""Pictures for tests: pages of writing, and pictures as bytes of the formats that people bring."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw


def written_page(width: float = 5.0) -> np.ndarray:
    """Three written lines on white paper, 900 × 420 pixels, with a pen `width` pixels wide."""
    strokes = [
        stroke + (60, 60 + 110 * row)
        for row, text in enumerate(["see you at 7:30", "at the old bridge", "bring the map"])
        for stroke in write(text)
    ]
    return draw(strokes, (420, 900), width)


def box_outline(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The corners (4, 2) of a box, clockwise from the upper left."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def encoded(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def huge_png(side: int) -> bytes:
    """A PNG that says it is `side` pixels square, and would decode to that, in a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )
