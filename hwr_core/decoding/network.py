"""The interface between the decoding and a checkpoint's network, which may run on any backend."""

from typing import Protocol, runtime_checkable

import numpy as np

from hwr_core.decoding.unread_symbols import SeenSymbol


class Encoded(Protocol):
    """An encoded batch and the state of decoding it.

    Each item has `beams` rows, one after the other.

    Attributes:
        mask: (batch, columns) bool, True for columns that are not padding; None if the encoder has no mask.
        ctc_logits: (batch, columns, vocabulary) float32, the output of the CTC head; None if there is none.
        symbols: for each item the symbols that the head of a formula encoder sees; None if there is no such head.
    """

    mask: np.ndarray | None
    ctc_logits: np.ndarray | None
    symbols: list[list[SeenSymbol]] | None

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        """Decodes one step.

        Args:
            tokens: (rows,) int, the last token of each row.
            origin: (rows,) int, the row of the previous step that each row continues.

        Returns:
            Logits of the next token, (rows, vocabulary) float32.
        """

    def keep(self, items: np.ndarray) -> None:
        """Removes all items but `items`. The next step's `origin` still counts the rows as before."""


@runtime_checkable
class Divisible(Encoded, Protocol):
    """An encoded batch whose items can be decoded again and again, until `step` is called."""

    def alone(self, item: int) -> "Lookahead":
        """One item."""

    def chosen(self, items: np.ndarray, beams: int) -> Encoded:
        """A batch of these items, (items,) int, with so many rows for each, before its first step."""


class Lookahead(Protocol):
    """An encoded image with one row that can decode several steps at once.

    Attributes:
        mask: (1, columns) bool, as in `Encoded`.
        ctc_logits: (1, columns, vocabulary) float32, as in `Encoded`.
    """

    mask: np.ndarray | None
    ctc_logits: np.ndarray | None

    def ahead(self, tokens: np.ndarray) -> np.ndarray:
        """Decodes several steps at once.

        Args:
            tokens: (steps,) int, each following the one before.

        Returns:
            Logits of the token after each of them, (steps, vocabulary) float32.
        """

    def back(self, steps: int) -> None:
        """Undoes the last `steps` steps."""


class Network(Protocol):
    """A checkpoint's encoder and decoder.

    Attributes:
        start: id of the token before the first one.
        end: id of the token after the last one.
        pad: id of the padding token, which is also CTC's blank.
        vocabulary: number of tokens.
        fills_the_cores: whether one thread uses all cores, so that a second one would only slow it down.
    """

    start: int
    end: int
    pad: int
    vocabulary: int
    fills_the_cores: bool

    def encode(self, pixel_values: np.ndarray, beams: int) -> Encoded:
        """Encodes a batch.

        Args:
            pixel_values: (batch, channels, height, width) float32.
            beams: rows for each item.
        """
