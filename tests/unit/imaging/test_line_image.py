"""Pictures of any mode become the same dark ink on light paper."""

import numpy as np
import pytest
from PIL import Image

from hwr_core.imaging.conversion import to_grey
from hwr_core.imaging.line_image import clean_line, clean_line_and_mask, darkened
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line


@pytest.fixture(scope="module")
def line():
    return render_line(write("hello world"), 96, 5)


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


def tightly(text: str) -> np.ndarray:
    grey = np.asarray(render_line(write(text), 96, 5))
    rows, columns = np.flatnonzero((grey < 128).any(1)), np.flatnonzero((grey < 128).any(0))
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def test_a_word_that_was_cut_tightly_gets_paper_around_it():
    word = tightly("hello")
    cleaned = clean_line(word)
    assert cleaned.shape[0] > 1.1 * word.shape[0] and cleaned.shape[1] > word.shape[1] + 0.1 * word.shape[0]
    assert (cleaned[0] > 200).all() and (cleaned[:, -1] > 200).all()


@pytest.mark.parametrize("picture", [tightly("hello"), np.asarray(render_line(write("hello world and all"), 96, 5))])
def test_the_mask_of_a_clean_line_lies_on_its_ink(picture):
    line, mask = clean_line_and_mask(picture)
    assert line.shape == mask.shape and mask.dtype == bool
    assert mask[line < 100].all() and not mask[line == 255].all() and mask.mean() < 0.5
    assert np.array_equal(line, clean_line(picture))


def test_a_line_with_remains_of_its_neighbours_gets_no_new_paper():
    """Paper beyond the remains makes strokes of them: it cost a tenth of the errors on whole pages."""
    line = tightly("hello world and all the others")
    assert clean_line(line).shape == line.shape
    word = np.full((120, 420), 255, np.uint8)
    short = tightly("hi")
    word[20 : 20 + short.shape[0], 150 : 150 + short.shape[1]] = short
    word[:8, 60:90] = 0  # of the line above
    assert clean_line(word).shape[0] <= short.shape[0] + 20 + 2 * 10


def test_a_faint_line_is_darkened_but_no_grain_and_no_dark_line(line):
    grey = np.asarray(line.convert("L"))
    faint = (240 - (255 - grey.astype(float)) * 18 / 255).round().astype(np.uint8)
    assert clean_line(faint) is None and clean_line(darkened(faint)) is not None
    assert darkened(faint).min() < 170 and abs(int(np.median(darkened(faint))) - 240) <= 1
    assert darkened(grey) is grey
    grain = np.random.default_rng(1).normal(240, 4, grey.shape).clip(0, 255).astype(np.uint8)
    assert darkened(grain) is grain
