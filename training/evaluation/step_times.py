"""Measures a training step on this processor, by bf16, frozen blocks, line height, batch and compilation.

    python -m training.evaluation.step_times models/text --results docs/results/text-step-times.json

Counted in the process's own time, one thread, so that other work on the machine changes little. Lines of noise, 1,000 pixels wide at a
height of 48, 45 characters each; the quickest of three steps. Compiled: the backbone, by `torch.compile` for this one
shape; with `dynamic=True`, which lines of any width need, the compiler fails (torch 2.13).
"""

import argparse
import time
from pathlib import Path

import torch

from hwr_core.checkpoints.line_encoder import LineEncoder
from training.data.charset import build_tokenizer
from training.evaluation.results import write_results
from training.evaluation.tables import print_row
from training.fit.model import build_text_model
from training.fit.train import CTC_WEIGHT, losses
from training.fit.warm_start import shape_of, take_over
from training.synthesis.batch import Batch
from training.synthesis.line_stream import EOS

# (bf16, frozen blocks or None, height, lines, compiled)
TRIED = [
    (True, 4, 48, 14, False),
    (False, 4, 48, 14, False),
    (True, None, 48, 14, False),
    (True, 10, 48, 14, False),
    (True, 4, 32, 14, False),
    (True, 4, 48, 5, False),
    (True, 4, 48, 28, False),
    (True, 4, 48, 14, True),
]
WIDTH, LENGTH = 1000, 45  # of a line: pixels at a height of 48, characters
YES = {True: "yes", False: "no"}
COLUMNS = ["step", "bf16", "frozen blocks", "height px", "lines", "compiled", "seconds", "lines a second"]


def noise(height: int, lines: int, vocabulary: int) -> Batch:
    """A batch of lines without any meaning."""
    pixels = torch.randint(0, 256, (lines, 1, height, WIDTH * height // 48)) * (2 / 255) - 1
    targets = torch.randint(4, vocabulary, (lines, LENGTH))
    targets[:, -1] = EOS
    return Batch(pixels.contiguous(memory_format=torch.channels_last), targets)


def step_seconds(
    checkpoint: Path, bf16: bool, frozen: int | None, height: int, lines: int, compiled: bool, repeats: int = 3
) -> float:
    """Processor seconds of one training step of the checkpoint's layers."""
    tokenizer = build_tokenizer()
    model = build_text_model(len(tokenizer), **{**shape_of(checkpoint), "height": height})
    take_over(model, tokenizer.get_vocab(), checkpoint)
    encoder: LineEncoder = model.encoder
    encoder.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    if frozen is not None:
        encoder.backbone.freeze(frozen)
    if compiled:
        encoder.backbone.compile()
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-5)
    batch = noise(height, lines, len(tokenizer))
    found = []
    for _ in range(repeats):
        started = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            head, attention, _ = losses(model, batch)
        optimizer.zero_grad()
        (CTC_WEIGHT * head + (1 - CTC_WEIGHT) * attention).backward()
        optimizer.step()
        found.append(time.process_time() - started)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--results", type=Path, help="a result file to write")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    rows = []
    print_row(COLUMNS)
    for checkpoint in arguments.checkpoints:
        for bf16, frozen, height, lines, compiled in TRIED:
            seconds = step_seconds(checkpoint, bf16, frozen, height, lines, compiled)
            cells = [checkpoint.name, YES[bf16], frozen or 0, height, lines, YES[compiled]]
            rows.append([*cells, round(seconds, 2), round(lines / seconds, 1)])
            print_row(map(str, rows[-1]))
    if arguments.results:
        note = "Processor seconds of the quickest of three steps, one thread, while other work ran."
        write_results(arguments.results, COLUMNS, rows, note)


if __name__ == "__main__":
    main()
