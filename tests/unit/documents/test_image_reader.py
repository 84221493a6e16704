import io

import numpy as np
import pytest
from PIL import Image

from hwr_core import HandwritingError, open_image
from hwr_core.imaging.ink_mask import percentiles
from hwr_core.imaging.line_image import clean_line, to_grey
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
        (b"this is a text file named .png", "no picture"),
        (b"%PDF-1.4 not a picture", "no picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "(no picture|damaged)"),
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


def modes(line: Image.Image) -> dict[str, Image.Image]:
    ink = np.asarray(line)
    alpha = Image.fromarray(np.dstack([np.zeros((*ink.shape, 3), np.uint8), 255 - ink]))
    white_on_clear = Image.fromarray(np.dstack([np.full((*ink.shape, 3), 255, np.uint8), 255 - ink]))
    return {
        "grey": line,
        "RGB": line.convert("RGB"),
        "CMYK": line.convert("CMYK"),
        "palette": line.convert("P"),
        "1 bit": line.convert("1"),
        "16 bit": Image.fromarray(ink.astype(np.uint16) * 257),
        "12 of 16 bit": Image.fromarray(ink.astype(np.uint16) * 16),
        "float to 1": Image.fromarray(ink.astype(np.float32) / 255),
        "float": Image.fromarray(ink.astype(np.float32)),
        "grey with alpha": line.convert("LA"),
        "black ink on transparency": alpha,
        "white ink on transparency": white_on_clear,
        "light on dark": Image.fromarray(255 - ink),
    }


@pytest.mark.parametrize("mode", modes(Image.new("L", (4, 4), 255)))
def test_every_mode_gives_the_same_dark_ink_on_light_paper(line, mode):
    expected, found = clean_line(line), clean_line(modes(line)[mode])
    assert found.shape == pytest.approx(expected.shape, abs=4)
    assert (found < 128).mean() == pytest.approx((expected < 128).mean(), abs=0.02)


@pytest.mark.parametrize("level", [0, 30, 128, 255])
def test_an_even_picture_of_any_grey_is_blank(level):
    assert clean_line(Image.new("L", (300, 80), level)) is None


def test_noise_on_paper_is_blank():
    noise = np.random.default_rng(0).normal(200, 4, (80, 400)).clip(0, 255).astype(np.uint8)
    assert clean_line(noise) is None


def test_a_small_word_on_a_wide_sheet_is_found(line):
    sheet = Image.new("L", (2000, 1500), 250)
    sheet.paste(line.resize((line.width // 3, line.height // 3)), (900, 700))
    assert clean_line(sheet).shape[0] < 60


def test_tiny_pictures_are_no_error():
    for size in [(1, 1), (1, 50), (50, 1), (2, 2)]:
        assert clean_line(Image.new("L", size, 0)) is None


def test_16_bit_greys_are_scaled_not_clipped():
    picture = Image.fromarray((np.linspace(0, 65535, 256, dtype=np.uint16)[None]).repeat(4, 0))
    assert to_grey(picture)[0].tolist() == pytest.approx(list(range(256)), abs=1)


def test_percentiles_are_numpys():
    rng = np.random.default_rng(0)
    for _ in range(300):
        grey = rng.integers(0, rng.integers(1, 257), rng.integers(1, 40, 2)).astype(np.uint8)
        shares = [0, 50, 100, *rng.uniform(0, 100, 3)]
        assert percentiles(grey, shares) == pytest.approx(np.percentile(grey, shares).tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("form", "options", "megapixels"),
    [("WEBP", {}, 9), ("PNG", {}, 30), ("JPEG", {}, 30), ("JPEG", {"progressive": True}, 30)],
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
