"""Batches used more than once, warped anew each time, so that a quick device never waits for the processes that draw them.

Data echoing (Choi et al. 2019): a GPU trains several times as fast as sixteen processes draw lines. What was drawn stays in the
device's memory; while nothing new is there, a batch comes again with other slants, widths, waves, pens and noise.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from hwr_core.checkpoints.pixels import CELL
from training.synthesis.batch import IGNORED, Batch

FAINTEST = 1 / 255  # of a pixel beside the padding's 0
MOST_UNSEEN = 40  # batches that wait: where drawing is quicker than training, the processes wait
Sources = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # (y, x) in a new picture → where it comes from in the old


class Echo:
    """`batches` on `device`: each new one once as it is, and ones of before, warped, while no new one is there.

    Attributes:
        fresh: How many new batches were given out.
        again: How many of before.
    """

    def __init__(self, batches: Iterable[Batch], device: str, gigabytes: float, seed: int = 0):
        self.batches, self.device, self.bytes = batches, device, gigabytes * 1e9
        self.rng = random.Random(seed)
        self.unseen: deque[Batch] = deque()
        self.seen: deque[Batch] = deque()
        self.fresh = self.again = 0
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[Batch]:
        threading.Thread(target=self._collect, daemon=True).start()
        held = 0.0
        while True:
            if self.failure is not None:
                raise self.failure
            if self.unseen:
                batch = self.unseen.popleft()
                self.fresh += 1
                self.seen.append(batch)
                held += size_of(batch)
                while held > self.bytes:
                    held -= size_of(self.seen.popleft())
                yield widened(batch)
            elif self.seen:
                self.again += 1
                yield warped(widened(self.rng.choice(self.seen)))
            else:
                time.sleep(0.01)

    def _collect(self) -> None:
        try:
            for batch in self.batches:
                while len(self.unseen) > MOST_UNSEEN:
                    time.sleep(0.01)
                cells = None if batch.cells is None else batch.cells.to(torch.int16).to(self.device)
                self.unseen.append(Batch(batch.pixels.half().to(self.device), batch.targets.to(self.device), cells))
        except BaseException as failure:
            self.failure = failure


def size_of(batch: Batch) -> int:
    return sum(tensor.nbytes for tensor in (batch.pixels, batch.targets, batch.cells) if tensor is not None)


def widened(batch: Batch) -> Batch:
    """The kept batch as training takes it: float32 and int64."""
    cells = None if batch.cells is None else batch.cells.long()
    return replace(batch, pixels=batch.pixels.float(), cells=cells)


def warped(batch: Batch) -> Batch:
    """Each picture slanted, turned, narrowed and waved a little, with another pen, contrast and noise; nothing leaves the frame.

    The cells of a formula move with its ink.
    """
    pixels = batch.pixels
    count, _, rows, columns = pixels.shape
    device = pixels.device
    shown = pixels != 0
    height = shown[:, 0, :, 0].sum(1).view(-1, 1, 1).float()
    width = shown[:, 0, 0].sum(1).view(-1, 1, 1).float()

    def normal(spread: float) -> Tensor:
        return torch.randn(count, 1, 1, device=device) * spread

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, 1, 1, device=device) * (high - low) + low

    slant, turn = normal(0.12).clamp(-0.3, 0.3), normal(0.7) / width.clamp(min=24)
    wave, length, phase = normal(0.5), uniform(40, 250), uniform(0, 6.3)
    # A picture that is slanted or turned needs more room, so it shrinks by that.
    across = 1 + normal(0.06).abs() + slant.abs() * height / width.clamp(min=8)
    down = 1 + normal(0.05).abs() + turn.abs() * width / height.clamp(min=8) + 2 * wave.abs() / height.clamp(min=8)

    def sources(y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Where in the old picture the pixel (y, x) of the new comes from."""
        dy, dx = y - height / 2, x - width / 2
        old_x = dx * across + slant * dy + wave * torch.sin(y * 6.3 / length + phase) + width / 2
        old_y = dy * down + turn * dx + wave * torch.sin(x * 6.3 / length + phase) + height / 2
        return old_y, old_x

    y, x = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")
    old_y, old_x = sources(y[None].float(), x[None].float())
    old_y = torch.minimum(old_y.clamp(min=0), height - 1)
    old_x = torch.minimum(old_x.clamp(min=0), width - 1)
    grid = torch.stack([(2 * old_x + 1) / columns - 1, (2 * old_y + 1) / rows - 1], 3)
    new = F.grid_sample(pixels.masked_fill(~shown, 1.0), grid, padding_mode="border", align_corners=False)
    pen = normal(0.25).clamp(-0.4, 0.4)[:, None]
    thick, thin = -F.max_pool2d(-new, 3, 1, 1), F.max_pool2d(new, 3, 1, 1)
    new = torch.where(pen > 0, torch.lerp(new, thick, pen), torch.lerp(new, thin, -pen))
    new = 1 - (1 - new) * uniform(0.75, 1.0)[:, None]
    new = (new + torch.randn_like(new) * normal(0.05).abs()[:, None]).clamp(-1, 1)
    new = torch.where(new.abs() < FAINTEST, torch.full_like(new, FAINTEST), new) * shown
    return Batch(new, batch.targets, None if batch.cells is None else moved_cells(batch.cells, sources, height, width))


def moved_cells(cells: Tensor, sources: Sources, height: Tensor, width: Tensor) -> Tensor:
    """`cells` (batch, 2, rows, columns) as they lie in a warped picture; `height` and `width` (batch, 1, 1) without padding."""
    rows, columns = cells.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(rows, device=cells.device) + 0.5, torch.arange(columns, device=cells.device) + 0.5, indexing="ij"
    )
    old_y, old_x = sources(y[None] * CELL, x[None] * CELL)
    outside = (old_y < 0) | (old_x < 0) | (old_y >= height) | (old_x >= width)
    outside |= (y[None] * CELL >= height) | (x[None] * CELL >= width)
    place = (old_y / CELL).long().clamp(0, rows - 1) * columns + (old_x / CELL).long().clamp(0, columns - 1)
    moved = cells.flatten(2).gather(2, place.flatten(1)[:, None].expand(-1, 2, -1)).view_as(cells)
    return moved.masked_fill(outside[:, None], IGNORED)
