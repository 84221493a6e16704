"""Draws the Photo page's sample pictures (nobody's data): `python -m training.samples`."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.data.datasets import fonts

OUT = Path(__file__).resolve().parents[1] / "pages" / "samples"

NOTE = [
    "Shopping for Saturday", "2 loaves of bread", "1 kg of apples, 6 eggs", "coffee and milk",
    "Pick up Anna at 7:30", "Call the plumber: 555-0172", "Thank you!",
]  # fmt: skip
BOARD = ["Meeting on Monday", "1. budget for the spring", "2. who writes the report?", "3. next date: 12 May"]
LETTER = [
    "Dear Martha,",
    "we arrived on Thursday evening after a long",
    "journey. The house is small but the garden is",
    "full of roses. Come and see us soon.",
    "Yours, Edith",
]


def page(
    lines: list[str], font: ImageFont.FreeTypeFont, size: tuple[int, int], pitch: int, ink: int, paper: int, ruled: bool
) -> np.ndarray:
    image = Image.new("L", size, paper)
    pen = ImageDraw.Draw(image)
    rng = np.random.default_rng(5)
    for number, line in enumerate(lines):
        y = 110 + pitch * number
        if ruled:
            pen.line([(0, y), (size[0], y)], fill=paper - 45, width=2)
        pen.text((90 + rng.normal(0, 6), y + rng.normal(0, 3)), line, font=font, fill=ink, anchor="ls")
    return np.asarray(image)


def photograph(image: np.ndarray, table: int, tilt: float) -> np.ndarray:
    """The page on a table, a little turned and from the side, with a shadow, blur and noise."""
    height, width = image.shape
    rng = np.random.default_rng(7)
    scene = np.full((height + 160, width + 160), table, np.float32) + cv2.GaussianBlur(
        rng.normal(0, 40, (height + 160, width + 160)).astype(np.float32), (0, 0), 6
    )
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turn = np.radians(tilt)
    turned = (
        (corners - (width / 2, height / 2))
        @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        * 0.97
    )
    turned += np.array([[18, 6], [-10, 0], [0, 0], [0, -8]]) + (width / 2 + 80, height / 2 + 80)
    matrix = cv2.getPerspectiveTransform(corners, turned.astype(np.float32))
    seen = cv2.warpPerspective(
        image.astype(np.float32), matrix, scene.shape[::-1], flags=cv2.INTER_AREA, borderValue=-1
    )
    cover = cv2.warpPerspective(np.ones_like(image, np.float32), matrix, scene.shape[::-1])
    scene = scene * (1 - cover) + np.maximum(seen, 0) * cover
    x, y = np.meshgrid(np.linspace(0, 1, scene.shape[1]), np.linspace(0, 1, scene.shape[0]))
    light = 1.0 - 0.35 / (1 + np.exp(-(x + 0.6 * y - 1.0) * 14))
    return np.clip(cv2.GaussianBlur(scene, (0, 0), 0.8) * light + rng.normal(0, 3, scene.shape), 0, 255).astype(
        np.uint8
    )


def main() -> None:
    files = fonts()
    OUT.mkdir(parents=True, exist_ok=True)

    def font(name: str, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(io.BytesIO(files[name]), size)

    pictures = {
        "shopping-list": photograph(
            page(NOTE, font("nothing-you-could-do", 58), (1050, 830), 100, 60, 232, True), 90, -2.5
        ),
        "whiteboard-in-the-dark": 255
        - photograph(page(BOARD, font("reenie-beanie", 84), (1150, 560), 115, 40, 225, False), 215, 1.0),
        "letter": photograph(page(LETTER, font("homemade-apple", 46), (1300, 720), 118, 70, 222, False), 120, 1.5),
    }
    for name, picture in pictures.items():
        Image.fromarray(picture).save(OUT / f"{name}.jpg", quality=82)
        print(OUT / f"{name}.jpg", picture.shape)


if __name__ == "__main__":
    main()
