"""One table lists the formats that can be read: folders, the uploader, Pillow and messages use it."""

import io

import pillow_heif
import pytest
from PIL import Image

from hwr_core.documents.document import open_document
from hwr_core.documents.input_formats import (
    INPUT_FORMATS,
    PILLOW_FORMATS,
    SUFFIXES,
    UPLOADER_TYPES,
    format_titles,
    suffix_of_mime_type,
)


@pytest.mark.parametrize("known", INPUT_FORMATS, ids=lambda known: known.title)
def test_every_listed_format_is_opened(known):
    pillow_heif.register_heif_opener()
    packed = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(packed, known.pillow or "PDF")
    document = open_document(packed.getvalue(), f"note{known.suffixes[0]}")
    assert document.count == 1 and document.page(0).width >= 64


def test_every_suffix_is_listed_once_and_offered_by_the_uploader():
    suffixes = [suffix for known in INPUT_FORMATS for suffix in known.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert {f".{name}" for name in UPLOADER_TYPES} == SUFFIXES == set(suffixes)


def test_what_is_not_listed_is_not_decoded():
    packed = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(packed, "TGA")
    assert "TGA" not in PILLOW_FORMATS
    with pytest.raises(ValueError, match=f"use {format_titles()}"):
        open_document(packed.getvalue())


def test_a_pasted_picture_gets_the_suffix_of_its_media_type():
    assert suffix_of_mime_type("image/jpeg") == ".jpg" and suffix_of_mime_type("image/heif") == ".heic"
    assert suffix_of_mime_type("text/html") == ".png"
