"""What a loader in `checkpoints/` returns and `Recognizer` takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwr_core.decoding.network import Network
from hwr_core.decoding.scores import DecodingSettings
from hwr_core.tasks import Task, TextOf

Pixels = Callable[..., np.ndarray]


@dataclass(frozen=True)
class LoadedModel:
    """A checkpoint in memory.

    Attributes:
        name: The name it was loaded by.
        network: The encoder and decoder.
        pixels: Turns RGB images into the encoder's input, (batch, channels, height, width) float32. For formulas it
            also takes `zoom`, a factor of the usual scale.
        tokenizer: The checkpoint's tokenizer, of `tokenizers` or `transformers`.
        text_of: Turns token ids into text.
        decoding: The settings that the checkpoint's own files name.
        task: What the checkpoint reads.
    """

    name: str
    network: Network
    pixels: Pixels
    tokenizer: Any
    text_of: TextOf
    decoding: DecodingSettings
    task: Task
