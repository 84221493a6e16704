"""Pictures of any mode, and arrays, to grey or RGB pixels, upright."""

import math
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image, ImageOps

from hwr_core.imaging.arrays import as_image

CONVERSION_BAND = 1_000_000  # pixels that are converted at once: on the way, pixels take many times their memory
GROUND_SIDE = 1000  # pixels of the longer side at which transparent pictures are searched for ink
DARK_INK = 160  # grey level: lighter ink is white ink


def to_grey(image: Image.Image | np.ndarray) -> np.ndarray:
    """Converts a picture to grey, upright by its EXIF orientation. Transparency becomes paper.

    Args:
        image: a picture of any mode, or an array as `as_image` takes it.

    Returns:
        (height, width) uint8. A picture without pixels becomes a white pixel.
    """
    image = upright(as_image(image) if isinstance(image, np.ndarray) else image)
    if not image.width or not image.height:
        return np.full((1, 1), 255, np.uint8)
    grey = np.empty((image.height, image.width), np.uint8)
    if image.mode.startswith(("I", "F")):
        # Pillow would clip 16-bit greys to 255 instead of scaling them.
        high = max(float(_values(band).max()) for _, band in bands(image))
        # White is the highest value of the fewest bits that hold the brightest pixel: 8, or a scanner's 10 to 16.
        # Floats may end at 1.
        full = 1.0 if image.mode == "F" and high <= 1 else 2.0 ** max(8, math.ceil(math.log2(max(high, 1) + 1))) - 1
        for top, band in bands(image):
            grey[top : top + band.height] = np.clip(_values(band) * (255.0 / full), 0, 255)
        return grey
    ground = ground_of(image)
    for top, band in bands(image):
        grey[top : top + band.height] = np.asarray(opaque(band, ground).convert("L"))
    return grey


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts a picture of any mode to RGB, as `to_grey` does: upright, transparency to paper, 16 bits scaled to 8."""
    return small_rgb(image, max(image.size))


def small_rgb(image: Image.Image, side: int) -> Image.Image:
    """Converts a picture as `to_rgb` does, and shrinks it on the way: a photo in full size takes 36 MB in RGB.

    Args:
        image: a picture of any mode.
        side: pixels of the longer side, at least, unless the picture has fewer. Sides are divided by a whole number.
    """
    by = max(1, max(image.size) // max(1, side))
    image = upright(image)
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(to_grey(image))
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return (image.reduce(by) if by > 1 else image).convert("RGB")
    ground = ground_of(image)
    small = Image.new("RGB", (-(-image.width // by), -(-image.height // by)))
    for top, band in bands(image, by):
        small.paste(opaque(band, ground).convert("RGB").reduce(by), (0, top // by))
    return small


def bands(image: Image.Image, by: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """The picture in bands of `CONVERSION_BAND` pixels, each with the number of its first row, a multiple of `by`."""
    rows = max(1, CONVERSION_BAND // (image.width * by)) * by
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def _values(band: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(band, np.float32))


def ground_of(image: Image.Image) -> int | None:
    """The grey level of the paper to put under a transparent picture; None for an opaque picture.

    On a transparent ground, white ink is as usual as black. The paper is the opposite of the ink.
    """
    if "A" not in image.getbands() and "transparency" not in image.info:
        return None
    by = max(1, max(image.size) // GROUND_SIDE)
    small = image.resize((-(-image.width // by), -(-image.height // by)), Image.Resampling.NEAREST) if by > 1 else image
    values = np.asarray(small.convert("RGBA"))
    alpha = values[..., 3].astype(np.float32) / 255
    ink = float((values[..., :3].mean(2) * alpha).sum() / max(alpha.sum(), 1e-6))
    return 255 if ink < DARK_INK or alpha.mean() > 0.9 else 0


def opaque(image: Image.Image, ground: int | None) -> Image.Image:
    """The picture on paper of the grey level `ground`."""
    if ground is None:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (ground,) * 3 + (255,)), image)


def is_turned(image: Image.Image) -> bool:
    """Whether the picture's EXIF block gives an orientation other than upright."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    except Exception:  # on a damaged EXIF block Pillow raises many types; the picture itself is good
        return False


def upright(image: Image.Image) -> Image.Image:
    """The picture turned by its EXIF orientation. A picture without one, or with a damaged one, stays as it is."""
    try:
        # `exif_transpose` also copies pictures that it does not turn, 36 MB for a photo.
        return ImageOps.exif_transpose(image) if is_turned(image) else image
    except Exception:  # as above
        return image
