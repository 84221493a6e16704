"""Fits the temperature that makes confidences keep their promise, and writes it into the checkpoint's config.json.

`python -m training.calibrate models/text`. Temperature scaling (Guo et al. 2017) on some lines of IAM-OnDB `val_t`: the
temperature under which the line confidences best foretell which lines are wholly right (the least binary cross-entropy).
It changes no reading. `python -m training.evaluate` shows the result on all validation lines.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from hwr_core import load_recognizer
from training.evaluate import comparable, validation_lines

TEMPERATURES = (0.5, 0.65, 0.8, 1.0, 1.2, 1.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--lines", type=int, default=300)
    arguments = parser.parse_args()
    recognizer = load_recognizer(str(arguments.checkpoint))
    images, truths = zip(*validation_lines(recognizer, arguments.lines)["IAM-OnDB val_t"], strict=True)
    losses = {}
    for temperature in TEMPERATURES:
        recognizer.model.config.confidence_temperature = temperature
        readings = recognizer.read(images)
        right = np.array([comparable(reading.text) == comparable(truth) for reading, truth in zip(readings, truths, strict=True)])
        confidence = np.clip([reading.confidence for reading in readings], 1e-4, 1 - 1e-4)
        losses[temperature] = float(-np.mean(np.where(right, np.log(confidence), np.log(1 - confidence))))
        print(
            f"temperature {temperature}: cross-entropy {losses[temperature]:.3f}, mean confidence {confidence.mean():.2f}, right {right.mean():.2f}"
        )
    path = arguments.checkpoint / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["confidence_temperature"] = min(losses, key=losses.get)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: confidence_temperature {config['confidence_temperature']}")


if __name__ == "__main__":
    main()
