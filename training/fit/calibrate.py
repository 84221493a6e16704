"""Fits the temperature that makes confidences keep their promise, and writes it into the checkpoint's config.json.

`python -m training.fit.calibrate models/text`. Temperature scaling (Guo et al. 2017) on some lines of IAM-OnDB `val_t`, or, for a
math checkpoint, on formulas by CROHME's writers who were kept out of training: the temperature under which the confidences best foretell which lines are wholly right (the least binary cross-entropy).
It changes no reading. `python -m training.evaluate text` shows the result on all validation lines.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from hwr_core import load_recognizer
from hwr_core.ink.formula import render_formula
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from training.data.crohme import crohme
from training.evaluation.formulas import tokens_of
from training.evaluation.tables import comparable
from training.evaluation.validation import VAL_T, chosen, validation_lines

TEMPERATURES = (0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.2, 1.5)


def samples(recognizer: Recognizer, count: int) -> tuple[list[Image.Image], Callable[[Reading, int], bool]]:
    """Pictures, and whether a reading of the picture of that number is wholly right."""
    if recognizer.reads_formulas:
        formulas = chosen(crohme("dev"), count)
        return [
            render_formula(formula.strokes) for formula in formulas
        ], lambda r, index: tokens_of(r.text) == formulas[index].tokens
    lines = validation_lines(recognizer, count, [VAL_T])[VAL_T]
    return [image for image, _ in lines], lambda r, index: comparable(r.text) == comparable(lines[index][1])


def fitted(recognizer: Recognizer, images: list[Image.Image], is_right: Callable[[Reading, int], bool]) -> float:
    """The temperature under which the confidences best foretell which readings are right; prints them all."""
    losses = {}
    for temperature in TEMPERATURES:
        readings = recognizer.with_decoding(temperature=temperature).read(images)
        right = np.array([is_right(reading, index) for index, reading in enumerate(readings)])
        confidence = np.clip([reading.confidence for reading in readings], 1e-4, 1 - 1e-4)
        losses[temperature] = float(-np.mean(np.where(right, np.log(confidence), np.log(1 - confidence))))
        print(
            f"temperature {temperature}: cross-entropy {losses[temperature]:.3f}, mean confidence {confidence.mean():.2f}, right {right.mean():.2f}"
        )
    return min(losses, key=losses.__getitem__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--lines", type=int, default=300)
    arguments = parser.parse_args()
    recognizer = load_recognizer(str(arguments.checkpoint))
    images, is_right = samples(recognizer, arguments.lines)
    found = fitted(recognizer, images, is_right)
    path = arguments.checkpoint / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["confidence_temperature"] = found
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: confidence_temperature {config['confidence_temperature']}")


if __name__ == "__main__":
    main()
