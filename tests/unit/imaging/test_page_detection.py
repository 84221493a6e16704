"""The sheet in a photo is found and straightened; other photos stay as they are."""

import cv2
import numpy as np
import pytest
from PIL import Image

from hwr_core import PreprocessSettings
from hwr_core.imaging.page_detection import page_corners, turned
from hwr_core.imaging.preprocess import preprocess
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw

CORNERS = np.array([[130, 90], [900, 150], [860, 1230], [70, 1150]], float)
TABLE, PAPER = (96, 60, 38), (225, 222, 214)


def writing(height: int = 1200, width: int = 850) -> np.ndarray:
    """Four lines of writing on a sheet, (height, width) uint8."""
    sheet = np.full((height, width), 255, np.uint8)
    for row in range(4):
        strokes = [stroke + (80, 150 + 220 * row) for stroke in write("hello world", height=70, seed=row)]
        sheet = np.minimum(sheet, draw(strokes, (height, width), 6))
    return sheet


def on_table(shadow: bool = False) -> np.ndarray:
    """A photo (1300, 1000, 3) of the sheet lying askew on a brown table."""
    sheet = np.array(PAPER)[None, None] * (writing()[..., None] / 255.0)
    matrix = cv2.getPerspectiveTransform(
        np.array([[0, 0], [850, 0], [850, 1200], [0, 1200]], np.float32), CORNERS.astype(np.float32)
    )
    photo = np.tile(np.array(TABLE, float), (1300, 1000, 1))
    warped = cv2.warpPerspective(sheet, matrix, (1000, 1300), borderValue=(-1, -1, -1))
    photo = np.where(warped[..., :1] >= 0, warped, photo)
    if shadow:
        photo *= np.linspace(1.0, 0.45, 1300)[:, None, None]
    photo += np.random.default_rng(0).normal(0, 3, photo.shape)
    return photo.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shadow", [False, True])
def test_a_sheet_on_a_table_is_found_also_in_a_shadow(shadow):
    corners = page_corners(on_table(shadow))
    assert corners is not None and np.abs(corners - CORNERS).max() < 12


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(np.dstack([writing()] * 3), id="a scan without an edge"),
        pytest.param(np.full((500, 700, 3), 200, np.uint8), id="even"),
        pytest.param(on_table()[200:1000, 200:800], id="the middle of a sheet"),
        pytest.param(np.random.default_rng(1).integers(0, 255, (600, 500, 3), np.uint8), id="noise"),
        pytest.param(
            np.tile(np.linspace(60, 250, 900, dtype=np.uint8)[None, :, None], (600, 1, 3)), id="light from one side"
        ),
    ],
)
def test_where_no_sheet_is_seen_nothing_is_straightened(picture):
    assert page_corners(picture) is None


@pytest.mark.parametrize("across", [0, 1])
def test_of_two_sheets_none_is_cut_out(across):
    """The writing on the other one would be lost without a word."""
    photo = on_table()
    assert page_corners(np.concatenate([photo, photo], across)) is None


def test_a_smaller_thing_beside_the_sheet_does_not_count():
    photo = np.concatenate([on_table(), np.full((1300, 500, 3), TABLE, np.uint8)], 1)
    photo[300:700, 1100:1400] = PAPER  # such as a phone
    corners = page_corners(photo)
    assert corners is not None and np.abs(corners - CORNERS).max() < 18


def test_a_straightened_page_is_upright_and_its_pixels_are_known_on_the_photo():
    photo = on_table()
    cleaned = preprocess(Image.fromarray(photo), PreprocessSettings(deskew=False, crop=False))
    assert [step.name for step in cleaned.steps] == ["Grey", "Perspective fixed", "Lighting evened out"]
    height, width = cleaned.image.shape
    assert height / width == pytest.approx(1200 / 850, rel=0.08)
    dark = np.argwhere(cleaned.image < 100)[::40, ::-1].astype(float)
    back = cv2.perspectiveTransform(dark[None], cleaned.to_photo)[0].round().astype(int)
    assert (photo[back[:, 1], back[:, 0]].max(1) < 160).mean() > 0.9
    assert "Perspective fixed" not in [
        step.name for step in preprocess(Image.fromarray(photo), PreprocessSettings(perspective=False)).steps
    ]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_turning_takes_positions_back(degrees):
    grey = np.full((30, 50), 255, np.uint8)
    grey[4, 40] = 0
    around, back = turned(grey, degrees)
    (y, x) = np.argwhere(around == 0)[0]
    assert np.allclose(back @ (x + 0.5, y + 0.5, 1), (40.5, 4.5, 1))
    settings = PreprocessSettings(turn=str(degrees), flatten=False, deskew=False, crop=False)
    assert preprocess(writing(), settings).image.shape == (
        writing().shape if degrees in (0, 180) else writing().shape[::-1]
    )
