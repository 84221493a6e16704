"""What a checkpoint's network offers to the decoding, on whichever backend."""

from typing import Protocol

import numpy as np


class Encoded(Protocol):
    """The images of a batch, encoded, and the state of decoding them: `beams` rows for each item, one after the other.

    `mask` (batch, columns) bool tells which columns are no padding, `ctc_logits` (batch, columns, vocabulary) float32 what CTC sees;
    each None where the encoder has no such output.
    """

    mask: np.ndarray | None
    ctc_logits: np.ndarray | None

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Logits (rows, vocabulary) float32 of what follows `tokens` (rows,), each of which goes on from the row `origin` of the step before."""

    def keep(self, items: np.ndarray) -> None:
        """Leaves only these items; the next step's `origin` names rows of before."""


class Lookahead(Protocol):
    """An `Encoded` of one row that goes several steps at once; `Encoded.alone(item)` gives it, where a network can do so."""

    mask: np.ndarray | None
    ctc_logits: np.ndarray | None

    def ahead(self, tokens: np.ndarray) -> np.ndarray:
        """Logits (steps, vocabulary) float32 of what follows each of `tokens` (steps,), each of which goes on from the one before."""

    def back(self, steps: int) -> None:
        """Takes the last steps back."""


class Network(Protocol):
    """A checkpoint's encoder and decoder. `start`, `end` and `pad` are token ids, `vocabulary` counts the tokens, and it
    `fills_the_cores` where two threads that use it at once only hinder each other."""

    start: int
    end: int
    pad: int
    vocabulary: int
    fills_the_cores: bool

    def encode(self, pixel_values: np.ndarray, beams: int) -> Encoded:
        """`pixel_values` (batch, channels, height, width) float32."""
