"""Pictures for tests: pages of writing, and pictures as bytes of the formats that people bring."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw
from hwr_core.reading import Alternative, Line, Reading

ODD = '<b>&amp; "é" \x00\x0b'  # characters that need escaping, or cannot be written


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


def picture_of_bars(words: list[int], gap: int = 40, height: int = 60) -> Image.Image:
    """A line's picture: a black bar of each width in place of a word."""
    grey = np.full((height, sum(words) + gap * (len(words) + 1)), 255, np.uint8)
    x = gap
    for width in words:
        grey[15:45, x : x + width] = 20
        x += width + gap
    return Image.fromarray(grey)


def barred_line(text: str, box: tuple[int, int, int, int], widths: list[int], **more) -> Line:
    """A line with an alternative. Every fifth character has the confidence 0.5."""
    confidences = tuple(0.5 if index % 5 == 4 else 0.98 for index in range(len(text)))
    return Line(
        box, picture_of_bars(widths), Reading(text, 0.4, confidences, (Alternative("other <one>", 0.2),)), **more
    )


LINES = (
    barred_line("one twelve3", (100, 50, 700, 110), [100, 300]),
    barred_line("# no heading * $5", (100, 150, 900, 210), [20, 40, 200, 20, 60]),
    barred_line(r"\frac{a}{b}", (100, 250, 400, 350), [200], formula=True),
    barred_line(
        "déjà vu", (100, 400, 500, 460), [150, 80], outline=((100, 410), (500, 400), (500, 450), (100, 460))
    ).with_text(f"déjà {ODD}"),
)
