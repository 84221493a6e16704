"""Draws the validation lines that a checkpoint reads worst, by what went wrong: `python -m training.evaluation.worst_lines --out worst.png`.

Each line with its transcript above and its reading below. Very short lines, of which one slip makes the worst rate,
are left out.
"""

import argparse
import difflib
import io
import string
import unicodedata
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hwr_core import load_recognizer
from hwr_core.metrics import edit_distance
from training.data.datasets import fonts
from training.evaluation.lines import read_all
from training.evaluation.tables import comparable
from training.evaluation.validation import validation_lines

SHORTEST = 8  # characters of a line that is counted
WIDTH, HEIGHT = 760, 44  # pixels of a line in the picture
CAUSES = (
    "spaces", "capitals", "accents and punctuation", "a part was not read", "more was read than is written",
    "numbers and signs", "letters of words",
)  # fmt: skip


def cause(truth: str, reading: str) -> str:
    """What most of the errors are: one of `CAUSES`."""
    for index, form in enumerate((without_spaces, str.casefold, plain)):
        if form(truth) == form(reading):
            return CAUSES[index]
    if edit_distance(truth.casefold(), reading.casefold()) <= edit_distance(truth, reading) / 2:
        return CAUSES[1]
    operations = [
        op for op in difflib.SequenceMatcher(None, truth, reading, autojunk=False).get_opcodes() if op[0] != "equal"
    ]
    if max(end - start - (to - from_) for _, start, end, from_, to in operations) > 0.35 * len(truth):
        return CAUSES[3]
    if len(reading) > 1.3 * len(truth):
        return CAUSES[4]
    touched = "".join(truth[start:end] for _, start, end, _, _ in operations).replace(" ", "")
    signs = sum(not character.isalpha() for character in touched)
    return CAUSES[5] if touched and signs > len(touched) / 2 else CAUSES[6]


def without_spaces(text: str) -> str:
    return text.replace(" ", "")


def plain(text: str) -> str:
    """Letters and digits, without their accents."""
    kept = (
        c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c) and c not in string.punctuation
    )
    return " ".join("".join(kept).split())


def picture(groups: dict[str, list[tuple[Image.Image, str, str]]], height: int = HEIGHT) -> Image.Image:
    title, font = (
        ImageFont.truetype(io.BytesIO(fonts()["patrick-hand"]), size) for size in (26, 18)
    )  # Pillow's own lacks accents
    rows = sum(40 + (len(lines) + 1) // 2 * (height + 52) for lines in groups.values())
    sheet = Image.new("L", (2 * WIDTH + 60, rows + 20), 255)
    pen, y = ImageDraw.Draw(sheet), 10
    for name, lines in groups.items():
        pen.text((20, y), f"{name}: {len(lines)}", fill=0, font=title)
        y += 40
        for index, (image, truth, reading) in enumerate(lines):
            x, top = 20 + index % 2 * (WIDTH + 20), y + index // 2 * (height + 52)
            pen.text((x, top), clipped(truth, font), fill=90, font=font)
            scale = min(height / image.height, WIDTH / image.width, 1.5)
            sheet.paste(
                image.convert("L").resize((max(1, round(image.width * scale)), max(1, round(image.height * scale)))),
                (x, top + 20),
            )
            pen.text((x, top + height + 22), clipped(reading, font) or "(nothing)", fill=0, font=font)
        y += (len(lines) + 1) // 2 * (height + 52)
    return sheet


def clipped(text: str, font: ImageFont.FreeTypeFont) -> str:
    """What of it fits under a line's picture."""
    whole = text
    while font.getlength(text) > WIDTH:
        text = text[: int(len(text) * 0.95)]
    return text if text == whole else text[:-1] + "…"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--limit", type=int, help="lines of each set, chosen by chance")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    recognizer = load_recognizer(arguments.model)
    lines = [
        line
        for some in validation_lines(recognizer, arguments.limit).values()
        for line in some
        if len(line[1]) >= SHORTEST
    ]
    truths = [comparable(text) for _, text in lines]
    readings = [
        comparable(reading.text) for reading in read_all(recognizer, [image for image, _ in lines], None, "lines")
    ]
    rates = np.array(
        [edit_distance(truth, reading) / len(truth) for truth, reading in zip(truths, readings, strict=True)]
    )
    groups: dict[str, list] = {name: [] for name in CAUSES}
    for index in np.argsort(-rates)[: arguments.count]:
        groups[cause(truths[index], readings[index])].append((lines[index][0], truths[index], readings[index]))
    groups = {name: some for name, some in groups.items() if some}
    picture(groups).quantize(16).save(arguments.out, optimize=True)
    wrong = rates > 0
    print(
        f"{len(lines)} lines, {wrong.sum()} with an error; the worst {arguments.count}, from {rates.max():.0%} on down, by cause:"
    )
    for name, some in groups.items():
        print(f"  {name}: {len(some)}")
    print("all lines with an error, by cause:")
    causes = [cause(truths[index], readings[index]) for index in np.flatnonzero(wrong)]
    for name in CAUSES:
        print(f"  {name}: {causes.count(name)}")


if __name__ == "__main__":
    main()
