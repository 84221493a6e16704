"""The steps of the preprocessing, each by itself and all together."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from hwr_core import PreprocessSettings, open_image
from hwr_core.imaging.preprocess import preprocess
from hwr_core.imaging.skew import rotate
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.line_detection import find_lines
from tests.support.paths import SAMPLES
from tests.support.pictures import written_page as page

PLAIN = PreprocessSettings(flatten=False, deskew=False, crop=False)


def test_each_step_is_kept_by_name_and_the_last_is_what_is_read():
    shadow = (page() * np.linspace(0.5, 1.0, 900)).astype(np.uint8)
    steps = preprocess(shadow, PreprocessSettings(denoise=1, threshold="otsu", stroke="thicken"))
    assert [step.name for step in steps.steps] == [
        "Grey",
        "Lighting evened out",
        "Denoised",
        "Cropped",
        "Thresholded (otsu)",
        "Strokes: thicken",
    ]
    assert steps.image is steps.steps[-1].image


def test_flattening_takes_a_shadow_away_and_leaves_the_ink():
    light = np.where(np.arange(900) < 450, 0.55, 1.0)
    flat = preprocess((page() * light).astype(np.uint8), dataclasses.replace(PLAIN, flatten=True)).image
    paper_left, paper_right = np.median(flat[:, :400]), np.median(flat[:, 500:])
    assert abs(paper_left - paper_right) < 6 and paper_left > 220
    assert np.percentile(flat[:, :400], 1) < 90


@pytest.mark.parametrize(("invert", "turned"), [("auto", True), ("always", True), ("never", False)])
def test_light_on_dark_is_inverted_when_asked(invert, turned):
    result = preprocess(255 - page(), dataclasses.replace(PLAIN, invert=invert)).image
    assert (np.median(result) > 128) == turned


def test_dark_on_light_is_left_alone_by_auto():
    assert [step.name for step in preprocess(page(), PLAIN).steps] == ["Grey"]


def test_thin_and_thicken_change_the_ink():
    ink = {
        stroke: (preprocess(page(6), dataclasses.replace(PLAIN, stroke=stroke, stroke_amount=2)).image < 128).sum()
        for stroke in ("thin", "keep", "thicken")
    }
    assert ink["thin"] < ink["keep"] < ink["thicken"]


def test_positions_are_taken_back_to_the_photo():
    photo = np.full((1200, 1600), 235, np.uint8)
    photo[500:920, 300:1200] = page()
    turned, _ = rotate(photo, 4.0, paper=235)
    cleaned = preprocess(turned)
    dark = np.argwhere(cleaned.image < 60)[::50]
    back = np.column_stack([dark[:, 1], dark[:, 0], np.ones(len(dark))]) @ cleaned.to_photo.T
    found = turned[back[:, 1].round().astype(int), back[:, 0].round().astype(int)]
    assert (found < 128).mean() > 0.9


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.fromarray(page()).save(buffer, "JPEG", exif=exif)
    assert preprocess(Image.open(buffer), PLAIN).image.shape == page().shape[::-1]


@pytest.mark.parametrize("shape", [(3, 4000), (2, 3000), (3000, 2), (1, 8000), (12_000, 4)])
def test_extreme_shapes_are_no_error(shape):
    picture = np.full(shape, 240, np.uint8)
    picture[shape[0] // 3 : shape[0] // 3 + 40, shape[1] // 3 : shape[1] // 3 + 40] = 0
    assert preprocess(picture).image.size
    find_lines(picture)


def test_the_crop_has_its_padding_also_where_the_photo_ends():
    ink = np.full((100, 300), 250, np.uint8)
    ink[40:60, 0:200] = 0
    cropped = preprocess(ink, dataclasses.replace(PLAIN, crop=True, padding=10)).image
    # 7 pixels are a fortieth of the page, added as far as there is page
    assert 54 <= cropped.shape[0] <= 56 and 227 <= cropped.shape[1] <= 228 and cropped[:, :10].min() > 200


def test_a_dark_rim_does_not_make_small_letters_specks_that_are_cropped_away():
    page = np.full((1600, 1100), 230, np.uint8)
    for top in range(200, 1400, 100):  # single letters, as far apart as on a form
        letters = np.array(render_line(write("a e o"), 30, 3.0))
        page[top : top + letters.shape[0], 300 : 300 + letters.shape[1]] = letters
    page[:60] = 20  # the table, above a sheet that was straightened
    cropped = preprocess(page, PreprocessSettings(perspective=False, flatten=False)).image
    assert cropped.shape[0] > 1300


def test_a_method_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="threshold is one of none, otsu"):
        PreprocessSettings(threshold="Otsu")


@pytest.mark.parametrize(
    "image", [np.zeros((300, 300), np.uint8), np.full((300, 300), 255, np.uint8), np.zeros((1, 1), np.uint8)]
)
@pytest.mark.parametrize("method", ["none", "otsu", "adaptive", "sauvola"])
def test_black_white_and_tiny_pictures_are_no_error(image, method):
    assert preprocess(image, PreprocessSettings(threshold=method, stroke="normalise")).image.size


def test_the_photo_itself_is_not_changed():
    photo = open_image(SAMPLES / "letter.jpg")
    before = np.asarray(photo).copy()
    preprocess(photo, PreprocessSettings(threshold="sauvola", stroke="thin"))
    assert (np.asarray(photo) == before).all()


def test_large_photos_are_scaled_down():
    assert max(preprocess(Image.new("L", (9000, 300), 255), PLAIN).image.shape) <= 3600


@pytest.mark.parametrize(
    ("turn", "name"), [("90", "Rotated 90° left"), ("180", "Rotated 180°"), ("270", "Rotated 90° right")]
)
def test_a_turn_is_named_by_its_direction(turn, name):
    result = preprocess(page(), dataclasses.replace(PLAIN, turn=turn))
    assert [step.name for step in result.steps] == ["Grey", name] and result.turn == int(turn)


@pytest.mark.parametrize("side", [0, 200, None])
def test_the_pictures_of_the_steps_are_kept_as_large_as_asked(side):
    sizes = [max(step.image.shape) for step in preprocess(page(), steps_side=side).steps]
    expected = {0: [], 200: [200] * len(sizes), None: [900, *sizes[1:]]}[side]
    assert sizes == expected and (len(sizes) > 2) == (side != 0)
