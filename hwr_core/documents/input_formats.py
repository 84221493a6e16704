"""The file formats that can be read. Every other list of suffixes, MIME types or decoder names comes from here."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputFormat:
    """A file format that can be read.

    Attributes:
        title: the name to display.
        suffixes: the endings of file names, in lower case, with the dot; the usual one first.
        mime_types: the media types; the usual one first.
        pillow: Pillow's name of the decoder; None if Pillow does not decode the format.
    """

    title: str
    suffixes: tuple[str, ...]
    mime_types: tuple[str, ...]
    pillow: str | None


INPUT_FORMATS = (
    InputFormat("PNG", (".png",), ("image/png",), "PNG"),
    InputFormat("JPEG", (".jpg", ".jpeg"), ("image/jpeg",), "JPEG"),
    InputFormat("WebP", (".webp",), ("image/webp",), "WEBP"),
    InputFormat("TIFF", (".tif", ".tiff"), ("image/tiff",), "TIFF"),
    InputFormat("HEIC", (".heic", ".heif"), ("image/heic", "image/heif"), "HEIF"),
    InputFormat("AVIF", (".avif",), ("image/avif",), "AVIF"),
    InputFormat("BMP", (".bmp",), ("image/bmp",), "BMP"),
    InputFormat("GIF", (".gif",), ("image/gif",), "GIF"),
    InputFormat("JPEG 2000", (".jp2", ".j2k", ".jpx"), ("image/jp2", "image/jpx"), "JPEG2000"),
    InputFormat("PBM, PGM, PPM", (".ppm", ".pgm", ".pbm", ".pnm"), ("image/x-portable-anymap",), "PPM"),
    InputFormat("PDF", (".pdf",), ("application/pdf",), None),
)

# Suffixes of the files that are read from folders.
SUFFIXES = frozenset(suffix for known in INPUT_FORMATS for suffix in known.suffixes)

# Decoders that Pillow may use. It knows many more, which nobody needs and which may have flaws.
PILLOW_FORMATS = tuple(known.pillow for known in INPUT_FORMATS if known.pillow)

# Suffixes without the dot, as Streamlit's file uploader takes them.
UPLOADER_TYPES = [suffix[1:] for known in INPUT_FORMATS for suffix in known.suffixes]


def suffix_of_mime_type(mime_type: str, default: str = ".png") -> str:
    """The usual suffix of files of this media type.

    Args:
        mime_type: a media type such as `image/jpeg`.
        default: the result for an unknown media type.
    """
    return next((known.suffixes[0] for known in INPUT_FORMATS if mime_type in known.mime_types), default)


def format_titles() -> str:
    """All formats in a sentence: "PNG, JPEG, … or PDF"."""
    *titles, last = (known.title for known in INPUT_FORMATS)
    return f"{', '.join(titles)} or {last}"
