"""A training run of a few lines and a small model."""

from pathlib import Path

import torch

from training.data.charset import build_tokenizer
from training.fit.model import build_text_model
from training.fit.train import Run
from training.synthesis.batch import Batch

TOKENIZER = build_tokenizer()


def batch(seed: int) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (2, 1, 48, 64), generator=generator) * (2 / 255) - 1
    targets = torch.tensor([[10, 20, 30, 2], [11, 12, 2, -100]])
    return Batch(pixels.float(), targets)


def small_run(folder: Path) -> Run:
    torch.manual_seed(0)
    return Run(
        folder,
        build_text_model(len(TOKENIZER), hidden_size=64, encoder_layers=1, decoder_layers=1),
        TOKENIZER,
        "cpu",
        1e-3,
    )
