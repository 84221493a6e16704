"""Prints how well a checkpoint reads lines by writers that it was not trained on: `python -m training.evaluate text`.

Beside it, on the same pictures and in the same run, PP-OCRv6-small, the recogniser that `rapidocr` brings.
"""

import argparse
import io
import random
from collections.abc import Callable

import numpy as np
from PIL import Image
from tqdm import tqdm

from hwr_core import load_recognizer
from hwr_core.ink import level, render_line
from hwr_core.metrics import calibration, cer, wer
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from training.charset import normalise
from training.data import iam_ondb, scans

Lines = list[tuple[Image.Image, str]]  # a picture and its text


def validation_lines(recognizer: Recognizer, limit: int | None = None) -> dict[str, Lines]:
    """The validation sets; drawn lines are rendered as `read_ink` renders them. `limit` lines of each, chosen by chance."""
    sets: dict[str, Lines] = {}
    for split in ("val_v", "val_t"):
        lines = chosen(iam_ondb(split), limit)
        sets[f"IAM-OnDB {split}"] = [
            (render_line(level(line.strokes), recognizer.ink_height, recognizer.ink_stroke_width), line.text) for line in lines
        ]
    lines = chosen(scans("copiste", "val"), limit)
    sets["Copiste, every eighth writer"] = [(Image.open(io.BytesIO(line.jpeg)), line.text) for line in lines]
    return sets


def chosen(lines: list, limit: int | None) -> list:
    return lines if limit is None or limit >= len(lines) else random.Random(0).sample(lines, limit)


def pp_ocr() -> Callable[[Image.Image], str]:
    """`rapidocr`'s recogniser, alone, on one line."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})

    def read(image: Image.Image) -> str:
        found = engine(np.asarray(image.convert("RGB"))[..., ::-1].copy(), use_det=False, use_cls=False, use_rec=True)
        return " ".join(found.txts or ())

    return read


def comparable(text: str) -> str:
    """Quotes and spaces in one form, for the truth and for every reader alike; PP-OCR's full-width punctuation as ASCII."""
    return normalise(text.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}))


def evaluate_text(arguments: argparse.Namespace) -> None:
    recognizer = load_recognizer(arguments.model)
    peer = None if arguments.alone else pp_ocr()
    readings: list[Reading] = []
    right: list[bool] = []
    rows = []
    for name, lines in validation_lines(recognizer, arguments.limit).items():
        truths = [comparable(text) for _, text in lines]
        with tqdm(total=len(lines), desc=name, leave=False) as bar:
            found = recognizer.read(
                [image for image, _ in lines], beams=arguments.beams, on_progress=lambda done, _, bar=bar: bar.update(done - bar.n)
            )
        texts = [comparable(reading.text) for reading in found]
        readings += found
        right += [text == truth for text, truth in zip(texts, truths, strict=True)]
        row = [name, len(lines), cer(truths, texts), wer(truths, texts)]
        if peer:
            others = [comparable(peer(image)) for image, _ in tqdm(lines, desc="PP-OCRv6", leave=False)]
            row += [cer(truths, others), wer(truths, others)]
        rows.append(row)
    print(f"| {arguments.model}, beams {arguments.beams} | lines | CER | WER |" + (" PP-OCRv6 CER | WER |" if peer else ""))
    print("|---|---|---|---|" + ("---|---|" if peer else ""))
    for name, count, *rates in rows:
        print(f"| {name} | {count} | " + " | ".join(f"{rate:.1%}" for rate in rates) + " |")
    print("\n| line confidence | lines | wholly right |\n|---|---|---|")
    for low, high, count, share in calibration([reading.confidence for reading in readings], right):
        print(f"| {low:.1f} to {high:.1f} | {count} | {share:.0%} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["text"])
    parser.add_argument("--model", default="text", help="a checkpoint as load_recognizer takes it")
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--limit", type=int, help="lines of each set, chosen by chance")
    parser.add_argument("--alone", action="store_true", help="without PP-OCRv6")
    evaluate_text(parser.parse_args())


if __name__ == "__main__":
    main()
