"""Opening pictures: the size is checked before decoding, and everything that goes wrong is a `HandwritingError`."""

import io
import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from hwr_core.documents.input_formats import PILLOW_FORMATS, format_titles
from hwr_core.errors import HandwritingError, TooLargeError
from hwr_core.imaging.conversion import is_turned, upright
from hwr_core.runtime.limits import MAX_BYTES, MAX_PIXELS
from hwr_core.runtime.log import log_unexpected
from hwr_core.runtime.settings import decoded_bytes

# Bytes per pixel, as measured.
STORED_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}  # in Pillow, by mode
OTHER_STORED_BYTES = 4  # in Pillow, for all other modes, RGB included
DECODER_BYTES = {"WEBP": 13, "HEIF": 4, "AVIF": 6, "JPEG2000": 22}  # of the decoder, by format
CONVERSION_BYTES = 2  # of the conversion to grey
COEFFICIENT_BYTES = 2  # per coefficient of a progressive JPEG
JPEG_FORMATS = ("JPEG", "MPO")
JPEG_SCALES = (1, 2, 4, 8)  # the decoder can divide a JPEG's sides by these
# Pillow raises these for damaged pictures. It may raise others; they are logged.
DAMAGE_ERRORS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error)

logger = logging.getLogger(__name__)


def open_image(
    source: bytes | str | Path | BinaryIO | Image.Image, name: str = "The file", side: int | None = None
) -> Image.Image:
    """Decodes a picture and turns it upright by its EXIF orientation.

    The size is checked before anything is decoded. Large JPEGs are decoded at a half, a quarter or an eighth of
    their size.

    Args:
        source: the picture's bytes, path or file object, or a Pillow image that is not decoded yet.
        name: the picture's name, for messages.
        side: pixels of the longer side that are enough. JPEGs are then decoded smaller, but not below `side`.

    Raises:
        HandwritingError: the picture is empty, damaged, of an unknown format, has more than `MAX_PIXELS` pixels, or
            takes more than `decoded_bytes()` of memory.
    """
    image = source if isinstance(source, Image.Image) else opened(_bytes(source), name)
    width, height = image.size
    scales = JPEG_SCALES if image.format in JPEG_FORMATS else (1,)
    possible = [scale for scale in scales if _room(image, scale) >= 1]
    if not possible:
        raise _too_many_pixels(name, int(_room(image, scales[-1]) * width * height))
    # The largest picture that has room, or the smallest one that still has `side` pixels.
    scale = max((scale for scale in possible if side and max(width, height) >= side * scale), default=possible[0])
    if scale > 1:
        image.draft(image.mode, (max(1, width // scale), max(1, height // scale)))
    with decoding(name):
        image.load()
        # Until the image is copied, the decoders of these formats keep up to three further copies of it.
        return upright(image.copy() if image.format in ("WEBP", "AVIF") else image)


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Reports what Pillow raises inside as a damaged or too large picture.

    Pillow raises many types for damaged pictures. Types that are not in `DAMAGE_ERRORS` are logged.

    Args:
        name: the picture's name, for the message.

    Raises:
        HandwritingError: Pillow raised an exception.
    """
    try:
        yield
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(name) from error
    except Exception as error:
        if not isinstance(error, DAMAGE_ERRORS):
            log_unexpected(logger, "Decoding a picture", error)
        raise damaged(name) from error


def _room(image: Image.Image, scale: int = 1) -> float:
    """How many times a picture could be larger, by its pixels and by the memory that decoding takes.

    Args:
        image: the picture, not decoded yet.
        scale: the number by which its sides are divided when it is decoded.

    Returns:
        The ratio; below 1, the picture is too large.
    """
    pixels = image.width * image.height / scale**2
    stored = STORED_BYTES.get(image.mode, OTHER_STORED_BYTES)
    # Turning makes a copy. Only these formats tell their orientation before they are decoded.
    turned = stored if image.format in (*JPEG_FORMATS, "TIFF") and is_turned(image) else 0
    needed = pixels * (stored + turned + CONVERSION_BYTES + DECODER_BYTES.get(image.format or "", 0))
    if image.info.get("progressive") and image.format in JPEG_FORMATS:
        needed += _coefficient_bytes(image)
    return min(MAX_PIXELS / max(1, pixels), decoded_bytes() / max(1, needed))


def _coefficient_bytes(image: Image.Image) -> float:
    """Bytes of a progressive JPEG's coefficients. The decoder keeps all of them, at any scale."""
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])  # id, factors down and across, table
    shares = [(down, across) for _, down, across, _ in layers]
    most = max(down for down, _ in shares) * max(across for _, across in shares)
    coefficients = image.width * image.height * sum(down * across for down, across in shares) / most
    return COEFFICIENT_BYTES * coefficients


def opened(data: bytes, name: str) -> Image.Image:
    """Opens a picture without decoding it: its format, size and number of frames are known then.

    Raises:
        HandwritingError: the picture is empty, too large, damaged, or of an unknown format.
    """
    if not data:
        raise HandwritingError(f"{name} is empty: choose another picture.")
    if len(data) > MAX_BYTES:
        raise too_large(name)
    if data[4:8] == b"ftyp" and data[8:12] not in (b"avif", b"avis"):
        from pillow_heif import register_heif_opener  # only pictures of phones need the library

        register_heif_opener(thumbnails=False)
    with decoding(name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sizes are checked here, and damage is reported as an error
        try:
            return Image.open(io.BytesIO(data), formats=[known for known in PILLOW_FORMATS if known in _registered()])
        except UnidentifiedImageError:
            pass
    raise unknown_format(name)


def _registered() -> set[str]:
    Image.init()
    return set(Image.OPEN)


def _bytes(source: bytes | str | Path | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except OSError as error:
        raise HandwritingError(f"{source} cannot be read ({error.strerror}): check the name.") from error


def damaged(name: str) -> HandwritingError:
    """The error for a damaged file."""
    return HandwritingError(f"{name} is damaged and cannot be read: export or photograph it again.")


def too_large(name: str) -> HandwritingError:
    """The error for a file of more than `MAX_BYTES`."""
    return TooLargeError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB: save it smaller, or split it.")


def unknown_format(name: str) -> HandwritingError:
    """The error for a file of a format that is not read."""
    return HandwritingError(f"{name} is not a picture that can be opened: use {format_titles()}.")


def _too_many_pixels(name: str, limit: int = MAX_PIXELS) -> HandwritingError:
    return TooLargeError(
        f"{name} has too many pixels (the limit for its kind is {limit / 1e6:.0f} million): scale it down and try again."
    )
