"""Opening pictures that people give: sizes checked before decoding, the right way up, one error for all that can go wrong."""

import io
import warnings
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

from hwr_core.errors import HandwritingError

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
MAX_PIXELS = 64_000_000  # a decoded colour picture of this size takes 192 MB
MAX_BYTES = 64_000_000


def open_image(source: bytes | str | Path | BinaryIO, name: str = "The file") -> Image.Image:
    """The decoded picture, turned as its EXIF orientation says. `name` stands for it in the message of an error.

    Raises `HandwritingError` where it is empty, no picture of a known format, damaged, or larger than `MAX_PIXELS`;
    large JPEGs are decoded at a half, a quarter or an eighth instead. Nothing is decoded before the size is known.
    """
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except OSError as error:
        raise HandwritingError(f"{source} cannot be read ({error.strerror}): check the name.") from None
    if not data:
        raise HandwritingError(f"{name} is empty: choose another picture.")
    if len(data) > MAX_BYTES:
        raise HandwritingError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB: save it smaller and try again.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is ours
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            width, height = image.size
            if image.format in ("JPEG", "MPO") and width * height > MAX_PIXELS:
                share = (MAX_PIXELS / (width * height)) ** 0.5
                image.draft(image.mode, (int(width * share), int(height * share)))
                width, height = image.size
            if width * height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.load()
    except Image.DecompressionBombError:
        limit = MAX_PIXELS // 1_000_000
        raise HandwritingError(f"{name} has too many pixels (the limit is {limit} million): scale it down and try again.") from None
    except UnidentifiedImageError:
        raise HandwritingError(f"{name} is no picture that can be opened: use PNG, JPEG, WebP, TIFF, BMP or GIF.") from None
    except Exception:  # Pillow's decoders raise many types on damaged data
        raise HandwritingError(f"{name} is damaged and cannot be read to its end: try to export or photograph it again.") from None
    return upright(image)


def upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; as it is where it has none, or one that cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block makes Pillow raise many types; the picture itself is good
        return image
