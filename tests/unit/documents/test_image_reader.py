import io
import logging

import numpy as np
import pytest
from PIL import Image

from hwr_core import HandwritingError, open_image
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from tests.support.pictures import encoded, huge_png


@pytest.fixture(scope="module")
def line():
    return render_line(write("hello world"), 96, 5)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"this is a text file named .png", "not a picture"),
        (b"%PDF-1.4 not a picture", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "(not a picture|damaged)"),
        (huge_png(20_000), "too many pixels"),
        (huge_png(9_000), "too many pixels"),
    ],
)
def test_what_is_no_picture_gets_one_sentence_that_names_it(data, sentence):
    with pytest.raises(HandwritingError, match=rf"^note\.png .*{sentence}.*[.!]$"):
        open_image(data, "note.png")


def test_a_truncated_jpeg_is_said_to_be_damaged(line):
    data = encoded(line, "JPEG")
    with pytest.raises(HandwritingError, match="damaged"):
        open_image(data[: len(data) // 2], "note.jpg")


def test_a_huge_picture_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(HandwritingError):
        open_image(huge_png(20_000))


def test_exif_orientation_is_applied(line):
    exif = Image.Exif()
    exif[0x0112] = 6  # a phone held upright
    assert open_image(encoded(line, "JPEG", exif=exif)).size == line.size[::-1]


@pytest.mark.parametrize(
    ("form", "options", "megapixels"),
    [("WEBP", {}, 9), ("JPEG2000", {}, 7), ("PNG", {}, 30), ("JPEG", {}, 30), ("JPEG", {"progressive": True}, 30)],
)
def test_where_memory_is_short_a_picture_may_take_less(form, options, megapixels, monkeypatch):
    side = int((1e6 * megapixels) ** 0.5)
    packed = encoded(Image.new("RGB", (side, side), "white"), form, **options)
    monkeypatch.setenv("HWR_LOW_MEMORY", "0")
    assert open_image(packed).width == side
    monkeypatch.setenv("HWR_LOW_MEMORY", "1")
    if form == "JPEG":  # decoded smaller
        assert side // 8 <= open_image(packed).width <= side // 2 + 1
    else:
        with pytest.raises(HandwritingError, match=r"too many pixels \(the limit for its kind is \d+ million\)"):
            open_image(packed)


def test_a_progressive_jpeg_whose_coefficients_take_too_much_is_refused(monkeypatch):
    white = Image.new("RGB", (4000, 3000), "white")
    packed = encoded(white, "JPEG", progressive=True, subsampling=0)
    monkeypatch.setattr(
        "hwr_core.documents.image_reader.decoded_bytes", lambda: 60_000_000
    )  # they take 72 MB at any scale
    for side in (None, 160):
        with pytest.raises(HandwritingError, match="too many pixels"):
            open_image(packed, side=side)
    assert open_image(encoded(white, "JPEG", subsampling=0)).width == 2000


def test_what_was_made_of_a_progressive_jpeg_is_a_picture_like_any_other():
    grey = Image.open(io.BytesIO(encoded(Image.new("RGB", (80, 60), "white"), "JPEG", progressive=True))).convert("L")
    assert open_image(grey).size == (80, 60)


@pytest.mark.parametrize(("width", "seen"), [(100, 100), (400, 200), (2000, 250)])
def test_a_jpeg_is_decoded_no_smaller_than_is_asked_for(width, seen):
    packed = encoded(Image.new("L", (width, 40), 255), "JPEG")
    assert open_image(packed, side=160).width == seen


def test_an_error_that_pillow_does_not_raise_for_damage_is_logged_and_names_no_upload(line, monkeypatch, caplog):
    def broken(self):
        raise AttributeError(contents)

    contents = "dear " + "diary"
    data = encoded(line, "PNG")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", broken)
    with caplog.at_level(logging.INFO), pytest.raises(HandwritingError, match="damaged"):
        open_image(data, "diary.png")
    assert "AttributeError" in caplog.text and contents not in caplog.text and "diary.png" not in caplog.text


def test_damage_is_no_bug_and_not_logged(line, caplog):
    with pytest.raises(HandwritingError, match="damaged"):
        open_image(encoded(line, "JPEG")[:300], "note.jpg")
    assert not caplog.records


@pytest.mark.parametrize("highest", [1.0, 255.0, 65535.0])
def test_a_tiff_of_floating_point_numbers_is_read_like_any_other(line, highest):
    """Microscopes and scanners' programs write them; the numbers run to 1, to 255 or beyond."""
    from hwr_core.imaging.conversion import to_grey

    values = np.asarray(line, np.float32) / 255 * highest
    opened = open_image(encoded(Image.fromarray(values), "TIFF"))
    assert abs(to_grey(opened).astype(int) - np.asarray(line).astype(int)).max() <= 1
