"""Opening pictures that people give: sizes checked before decoding, the right way up, one error for all that can go wrong."""

import io
import warnings
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from hwr_core.documents.input_formats import PILLOW_FORMATS, format_titles
from hwr_core.errors import HandwritingError, TooLargeError
from hwr_core.imaging.line_image import is_turned, upright
from hwr_core.runtime.limits import MAX_BYTES, MAX_PIXELS
from hwr_core.runtime.settings import decoded_bytes

# Bytes a pixel, measured: as Pillow keeps it, beside that what decoding takes, and its greys.
STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # others 4, colours too
DECODING = {"WEBP": 13, "HEIF": 4, "AVIF": 6}
CONVERTED = 2


def open_image(
    source: bytes | str | Path | BinaryIO | Image.Image, name: str = "The file", side: int | None = None
) -> Image.Image:
    """The decoded picture, turned as its EXIF orientation says. `name` stands for it in the message of an error.

    Raises `HandwritingError` where it is empty, no picture of a known format, damaged, or takes more than `limits` say: `MAX_PIXELS`,
    and `decoded_bytes()` of memory; large JPEGs are decoded at a half, a quarter or an eighth instead, and so are all where `side` pixels
    are enough. Nothing is decoded before the size is known.
    """
    image = source if isinstance(source, Image.Image) else opened(_bytes(source), name)
    width, height = image.size
    scales = (1, 2, 4, 8) if image.format in ("JPEG", "MPO") else (1,)
    roomy = [by for by in scales if _room(image, by) >= 1]
    if not roomy:
        raise _too_many_pixels(name, int(_room(image, scales[-1]) * width * height))
    # The largest that has room; for a given side, the smallest that is still as large.
    by = max((by for by in roomy if side and max(width, height) >= side * by), default=roomy[0])
    if by > 1:
        image.draft(image.mode, (max(1, width // by), max(1, height // by)))
    try:
        image.load()
        # Those decoders keep up to three more of the picture for as long as it is theirs.
        return upright(image.copy() if image.format in ("WEBP", "AVIF") else image)
    except Image.DecompressionBombError:
        raise _too_many_pixels(name) from None
    except Exception:  # Pillow's decoders raise many types on damaged data
        raise damaged(name) from None


def _room(image: Image.Image, by: int = 1) -> float:
    """How many times the picture, decoded at one `by`th of its size, would have room: by its pixels, and by the memory that it takes on the way."""
    pixels = image.width * image.height / by**2
    stored = STORED.get(image.mode, 4)
    turned = (
        stored if image.format in ("JPEG", "MPO", "TIFF") and is_turned(image) else 0
    )  # which can tell before they decode
    takes = pixels * (stored + turned + CONVERTED + DECODING.get(image.format, 0))
    if image.info.get("progressive") and image.format in (
        "JPEG",
        "MPO",
    ):  # two bytes for each coefficient, however small it is decoded
        shares = [(high, wide) for _, high, wide, _ in image.layer]
        most = max(high for high, _ in shares) * max(wide for _, wide in shares)
        takes += 2 * image.width * image.height * sum(high * wide for high, wide in shares) / most
    return min(MAX_PIXELS / max(1, pixels), decoded_bytes() / max(1, takes))


def opened(data: bytes, name: str) -> Image.Image:
    """The picture before it is decoded: its format, size and number of frames are known. Raises as `open_image` does."""
    if not data:
        raise HandwritingError(f"{name} is empty: choose another picture.")
    if len(data) > MAX_BYTES:
        raise too_large(name)
    if data[4:8] == b"ftyp" and data[8:12] not in (b"avif", b"avis"):
        from pillow_heif import register_heif_opener  # phones' pictures; only they need the library

        register_heif_opener(thumbnails=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the limit of the size is ours, and what is damaged is said as an error
            return Image.open(io.BytesIO(data), formats=[form for form in PILLOW_FORMATS if form in _known()])
    except Image.DecompressionBombError:
        raise _too_many_pixels(name) from None
    except UnidentifiedImageError:
        raise HandwritingError(f"{name} is no picture that can be opened: use {format_titles()}.") from None
    except Exception:  # as above
        raise damaged(name) from None


def _known() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def _bytes(source: bytes | str | Path | BinaryIO) -> bytes:
    try:
        return (
            source
            if isinstance(source, bytes)
            else Path(source).read_bytes()
            if isinstance(source, str | Path)
            else source.read()
        )
    except OSError as error:
        raise HandwritingError(f"{source} cannot be read ({error.strerror}): check the name.") from None


def damaged(name: str) -> HandwritingError:
    return HandwritingError(f"{name} is damaged and cannot be read to its end: try to export or photograph it again.")


def too_large(name: str) -> HandwritingError:
    return TooLargeError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB: save it smaller and try again.")


def _too_many_pixels(name: str, most: int = MAX_PIXELS) -> HandwritingError:
    return TooLargeError(
        f"{name} has too many pixels (the limit for its kind is {most / 1e6:.0f} million): scale it down and try again."
    )
