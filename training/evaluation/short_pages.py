"""Pages that hold one or two characters, upright: `python -m training.evaluation.short_pages`.

Thirty pages in the five hands of `training.evaluation.drawn`, of other sizes, places, inks and papers each. A page counts as right if its
whole text is. Such a page has no lines whose shapes would tell the way up.
"""

import argparse
import random

import numpy as np
from PIL import Image

from hwr_core import load_recognizer, read_page
from training.evaluation.composed_pages import INKS, PAPERS, hand_darkness
from training.evaluation.drawn import STYLES

TEXTS = (
    "5", "A", "7", "b", "42", "OK", "3", "no", "R", "9", "17", "k", "2", "Hi", "E", "8", "4", "up", "B", "6",
    "30", "g", "1", "we", "Z", "25", "K", "0", "go", "M",
)  # fmt: skip


def short_page(number: int) -> tuple[Image.Image, str]:
    """The page of a number from 0 to 29, always the same, and its text."""
    rng = random.Random(number)
    text, hand = TEXTS[number], STYLES[number % len(STYLES)]
    darkness = hand_darkness(text, hand, rng.uniform(40, 90), rng.uniform(3, 6), seed=number)
    width, height = rng.randint(300, 1600), rng.randint(300, 1800)
    pixels = np.full((height, width, 3), rng.choice(PAPERS), np.float32)
    left, top = rng.randint(30, width - darkness.shape[1] - 30), rng.randint(30, height - darkness.shape[0] - 30)
    area = pixels[top : top + darkness.shape[0], left : left + darkness.shape[1]]
    area[:] = area * (1 - darkness[..., None]) + np.array(rng.choice(INKS), np.float32) * darkness[..., None]
    pixels += np.random.default_rng(number).normal(0, 2, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text", help="a checkpoint as load_recognizer takes it")
    arguments = parser.parse_args()
    recognizer = load_recognizer(arguments.model)
    right = 0
    for number in range(len(TEXTS)):
        image, text = short_page(number)
        page = read_page(image, recognizer)
        right += page.text == text
        if page.text != text:
            guess = [line.reading.alternatives[0].text for line in page.unreadable]
            print(
                f"{STYLES[number % len(STYLES)]:8} {text!r} read {page.text!r}{f', unreadable: {guess}' if guess else ''}"
            )
    print(f"{right} of {len(TEXTS)} pages are right.")


if __name__ == "__main__":
    main()
