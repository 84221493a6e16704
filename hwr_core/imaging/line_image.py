"""A picture of one line, made ready for an encoder: dark ink on light paper, cropped to the ink, its contrast spread.

Training and reading share these functions, so that a checkpoint sees in use what it saw in training.
"""

import math
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image, ImageOps

from hwr_core.imaging.ink_mask import BLANK_CONTRAST, ink_mask, is_light_on_dark, percentiles
from hwr_core.imaging.resize import shrunk

LARGEST_LINE = 4_000_000  # pixels
BAND = 1_000_000  # pixels of a picture that are converted at once
MARGIN = 0.06  # of the ink's height, kept around it


def to_grey(image: Image.Image | np.ndarray) -> np.ndarray:
    """Any `PIL` mode, or a (height, width[, 3]) uint8 array, as (height, width) uint8.

    Turned as its EXIF orientation says; transparency becomes paper.
    """
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)
    image = upright(image)
    if not image.width or not image.height:
        return np.full((1, 1), 255, np.uint8)
    grey = np.empty((image.height, image.width), np.uint8)
    if image.mode.startswith(("I", "F")):
        # Pillow clips 16-bit greys to 255 instead of scaling them.
        high = max(float(_values(band).max()) for _, band in _bands(image))
        # The full scale is that of the fewest bits that hold the brightest pixel: 8, or a scanner's 10 to 16; floats may end at 1.
        full = 1.0 if image.mode == "F" and high <= 1 else 2.0 ** max(8, math.ceil(math.log2(max(high, 1) + 1))) - 1
        for top, band in _bands(image):
            grey[top : top + band.height] = np.clip(_values(band) * (255.0 / full), 0, 255)
        return grey
    ground = _ground(image)
    for top, band in _bands(image):
        grey[top : top + band.height] = np.asarray(_opaque(band, ground).convert("L"))
    return grey


def to_rgb(image: Image.Image) -> Image.Image:
    """Any `PIL` mode in its colours, as it is seen: as `to_grey` takes transparency and more than 8 bits."""
    return small_rgb(image, max(image.size))


def small_rgb(image: Image.Image, side: int) -> Image.Image:
    """As `to_rgb`, made smaller by a whole number where that leaves `side` pixels of the longest side: a photo's colours take 36 MB."""
    by = max(1, max(image.size) // max(1, side))
    image = upright(image)
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(to_grey(image))
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return (image.reduce(by) if by > 1 else image).convert("RGB")
    ground = _ground(image)
    small = Image.new("RGB", (-(-image.width // by), -(-image.height // by)))
    for top, band in _bands(image, by):
        small.paste(_opaque(band, ground).convert("RGB").reduce(by), (0, top // by))
    return small


def _bands(image: Image.Image, by: int = 1) -> Iterator[tuple[int, Image.Image]]:
    """The picture's rows in parts, each with its first row, a multiple of `by`: what is made of a whole picture on the way takes many times its memory."""
    rows = max(1, BAND // (image.width * by)) * by
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


def _values(band: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(band, np.float32))


def _ground(image: Image.Image) -> int | None:
    """The grey of the paper that shows through; None where nothing does. White ink on a transparent ground is as usual as black: the ground is the
    opposite of the ink."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return None
    by = max(1, max(image.size) // 1000)
    small = image.resize((-(-image.width // by), -(-image.height // by)), Image.Resampling.NEAREST) if by > 1 else image
    values = np.asarray(small.convert("RGBA"))
    alpha = values[..., 3].astype(np.float32) / 255
    ink = float((values[..., :3].mean(2) * alpha).sum() / max(alpha.sum(), 1e-6))
    return 255 if ink < 160 or alpha.mean() > 0.9 else 0


def _opaque(image: Image.Image, ground: int | None) -> Image.Image:
    """On paper of that grey."""
    if ground is None:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (ground,) * 3 + (255,)), image)


def crop_to_ink(grey: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray | None:
    """The part of `grey` that holds ink with a small margin, or None where it is blank."""
    mask = ink_mask(grey) if mask is None else mask
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    margin = max(2, round(MARGIN * (bottom - top)))
    return grey[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]


def spread_contrast(grey: np.ndarray) -> np.ndarray:
    """Paper to white and the darkest ink to black, uint8 in and out."""
    dark, paper = percentiles(grey, (0.5, 75))
    scale = 255.0 / max(paper - dark, BLANK_CONTRAST)
    return np.clip((grey - dark) * scale, 0, 255).astype(np.uint8)


def clean_line(image: Image.Image | np.ndarray) -> np.ndarray | None:
    """What every checkpoint is given of a line: grey uint8, dark on light, cropped to the ink; None where it is blank."""
    grey = to_grey(image)
    if grey.size > LARGEST_LINE:  # many times what any encoder sees
        grey = shrunk(grey, max(1, int(max(grey.shape) * (LARGEST_LINE / grey.size) ** 0.5)))
    if is_light_on_dark(grey):
        grey = 255 - grey
    return crop_to_ink(grey)


def is_turned(image: Image.Image) -> bool:
    """Whether its EXIF block says that it is to be turned."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    except Exception:  # a damaged one makes Pillow raise many types; the picture itself is good
        return False


def upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; as it is where it has none, or one that cannot be read."""
    try:
        # Asked first: `exif_transpose` copies also what it does not turn, of which a photo has 36 MB.
        return ImageOps.exif_transpose(image) if is_turned(image) else image
    except Exception:  # the same
        return image
