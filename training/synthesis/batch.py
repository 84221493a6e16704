"""A batch of training pictures and their texts, and batches of a few fixed shapes.

On a GPU a step over a shape that it has not seen takes seconds, and a tenth of one from then on: probably cuDNN plans every
convolution anew. So the shapes are few. With these, text and math reached ten steps a second each on one H200.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F

from hwr_core.checkpoints.pixels import CELL

IGNORED = -100  # a target that no loss counts

HEIGHTS = (48, 64, 128, 192, 512, 1024)
WIDTHS = (128, 256, 384, 640, 1024, 1536, 2048, 3072, 4096, 6144)


@dataclass(frozen=True)
class Batch:
    """`pixels` (batch, 1, height, width) float32; `targets` (batch, length) int64, `</s>` last, padded with −100; of formulas
    also `cells` (batch, 2, rows, columns) int64: the token whose ink is in a cell of features, and its place in the target; −100
    for none."""

    pixels: torch.Tensor
    targets: torch.Tensor
    cells: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)


def rounded_up(height: int, width: int) -> tuple[int, int]:
    """The smallest of the shapes that holds a picture of `height` by `width` pixels.

    Raises:
        IndexError: None is so large.
    """
    return HEIGHTS[bisect.bisect_left(HEIGHTS, height)], WIDTHS[bisect.bisect_left(WIDTHS, width)]


def of_few_shapes(items: Iterable[tuple[Any, ...]], pixels: int) -> Iterator[tuple[tuple[int, int], list[Any]]]:
    """Endless `items`, a picture first in each, as (shape, items): every list of a shape is equally long, `pixels` in all.

    What is rare waits until its list is full.
    """
    waiting = defaultdict(list)
    for item in items:
        shape = rounded_up(*item[0].shape)
        waiting[shape].append(item)
        if len(waiting[shape]) == max(1, pixels // (shape[0] * shape[1])):
            yield shape, waiting.pop(shape)


def padded_to(batch: Batch, shape: tuple[int, int]) -> Batch:
    """The batch with as much padding on the right and at the bottom as makes its pictures of that shape."""
    missing = [full - side for full, side in zip(shape, batch.pixels.shape[2:], strict=True)]
    pixels = F.pad(batch.pixels, (0, missing[1], 0, missing[0]))
    if batch.cells is None:
        return replace(batch, pixels=pixels)
    cells = F.pad(batch.cells, (0, missing[1] // CELL, 0, missing[0] // CELL), value=IGNORED)
    return replace(batch, pixels=pixels, cells=cells)


def halved(batch: Batch) -> Batch:
    """The batch in half the bytes or less, as it goes from process to process: float16, and int16 for cells."""
    cells = None if batch.cells is None else batch.cells.to(torch.int16)
    return replace(batch, pixels=batch.pixels.half(), cells=cells)
