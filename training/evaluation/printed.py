"""How well printed lines are read, as they stand beside handwriting on forms: `python -m training.evaluation.printed runs/downloads`.

The transcripts of validation lines in English, French and German, set in faces of Debian's packages that training does not use, as they
were set and as a phone takes them (small, blurred, noisy, JPEG). Beside it PP-OCRv6-small on the same pictures.
"""

import argparse
import io
import subprocess
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hwr_core import load_recognizer
from hwr_core.metrics import cer
from training.evaluation.peers import peers
from training.evaluation.results import Cell, markdown, percent, write_results
from training.evaluation.tables import comparable
from training.evaluation.validation import ALL_SETS, validation_lines

# As of Debian 12; none of training.data.printed_faces.
PACKAGES = {
    "fonts-freefont-ttf": "20120503-10",
    "fonts-urw-base35": "20200910-7",
    "fonts-roboto-slab": "1.100263+20170512-2",
    "fonts-inter": "4.0~beta7+ds-1",
}
FACES = [
    "FreeSans.ttf", "FreeSerif.ttf", "FreeMonoBold.ttf", "NimbusSans-Bold.otf", "NimbusRoman-Italic.otf", "P052-Roman.otf",
    "URWGothic-Book.otf", "C059-Roman.otf", "RobotoSlab-Regular.otf", "Inter-Regular.otf",
]  # fmt: skip
SETS = (ALL_SETS[1], ALL_SETS[2], ALL_SETS[3])  # English, French and German
COLUMNS = ["printed lines", "lines", "CER %", "PP-OCRv6-small CER %"]


def faces(downloads: Path) -> list[bytes]:
    """The files of `FACES`. Debian's packages are downloaded and unpacked below `downloads` once."""
    folder = downloads / "printed-fonts-kept"
    if not folder.exists():
        packages = downloads / "debian-kept"
        packages.mkdir(parents=True, exist_ok=True)
        wanted = [f"{name}={version}" for name, version in PACKAGES.items()]
        subprocess.run(["apt-get", "download", *wanted], check=True, cwd=packages)
        for package in sorted(packages.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return [next(folder.rglob(name)).read_bytes() for name in FACES]


def set_in(face: bytes, text: str, size: int) -> Image.Image:
    """A line of print: `size` pixels to the em, dark grey on light paper."""
    font = ImageFont.truetype(io.BytesIO(face), size)
    left, top, right, bottom = font.getbbox(text)
    picture = Image.new("L", (round(right - left) + size, round(bottom - top) + size // 2), 245)
    ImageDraw.Draw(picture).text((size // 2 - left, size // 4 - top), text, 40, font)
    return picture


def by_phone(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The line as a phone takes it."""
    grey = cv2.GaussianBlur(np.asarray(picture), (0, 0), rng.uniform(0.8, 1.4)) * np.linspace(0.7, 1, picture.width)
    grey = (grey + rng.normal(0, 5, grey.shape)).clip(0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return Image.open(io.BytesIO(packed.tobytes()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("downloads", type=Path)
    parser.add_argument("--model", default="text")
    parser.add_argument("--limit", type=int, default=60, help="lines of each language")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result file there")
    arguments = parser.parse_args()
    recognizer, other = load_recognizer(arguments.model), peers()["PP-OCRv6-small"]
    fonts, rng = faces(arguments.downloads), np.random.default_rng(0)
    texts = [text for lines in validation_lines(recognizer, arguments.limit, SETS).values() for _, text in lines]
    clean = [set_in(fonts[place % len(fonts)], text, int(rng.integers(26, 44))) for place, text in enumerate(texts)]
    truths = list(map(comparable, texts))
    rows: list[list[Cell]] = []
    for name, pictures in {
        "as set": clean,
        "as a phone takes them": [by_phone(picture, rng) for picture in clean],
    }.items():
        own = [comparable(reading.text) for reading in recognizer.read(pictures)]
        theirs = [comparable(other(picture.convert("RGB"))) for picture in pictures]
        rows.append([name, len(texts), percent(cer(truths, own)), percent(cer(truths, theirs))])
    print(markdown(COLUMNS, rows))
    if arguments.results:
        note = f"Checkpoint {arguments.model}. Faces that training does not use."
        write_results(arguments.results / "evaluation-printed.json", COLUMNS, rows, note)


if __name__ == "__main__":
    main()
