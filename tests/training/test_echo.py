"""Batches for a GPU: few shapes, and batches that come again, warped."""

import itertools

import numpy as np
import pytest
import torch

from hwr_core.checkpoints.pixels import CELL
from training.fit.echo import Echo, warped, widened
from training.synthesis.batch import IGNORED, Batch, halved, of_few_shapes, padded_to, rounded_up

INK, WHITE = -0.9, 0.9
TOKEN = 7


def batch_of_two() -> Batch:
    """Two pictures of blots on paper, the second smaller, with the cells that the ink is in."""
    pixels = torch.zeros(2, 1, 48, 160)
    cells = torch.full((2, 2, 6, 20), IGNORED)
    for index, (rows, columns) in enumerate([(48, 160), (40, 120)]):
        pixels[index, 0, :rows, :columns] = WHITE
        for left in range(24, columns - 32, 32):
            pixels[index, 0, 16:24, left : left + 8] = INK
            cells[index, :, 2, left // CELL] = TOKEN
    return Batch(pixels, torch.tensor([[5, 6, 2], [5, 2, IGNORED]]), cells)


def test_every_list_of_a_shape_is_equally_long() -> None:
    sizes = itertools.cycle([(48, 200), (48, 300), (48, 60)])
    items = ((np.zeros(size), "text") for size in sizes)
    found = list(itertools.islice(of_few_shapes(items, 48 * 128 * 4), 30))
    lengths = {shape: {len(list_) for other, list_ in found if other == shape} for shape, _ in found}
    assert lengths == {(48, 128): {4}, (48, 256): {2}, (48, 384): {1}}


def test_a_picture_fits_the_shape_it_is_given() -> None:
    assert rounded_up(33, 64) == (48, 128)
    with pytest.raises(IndexError):
        rounded_up(40, 100_000)


def test_more_padding_changes_nothing_but_the_shape() -> None:
    batch = batch_of_two()
    padded = padded_to(batch, (64, 192))
    assert padded.pixels.shape == (2, 1, 64, 192)
    assert padded.cells is not None and padded.cells.shape == (2, 2, 8, 24)
    assert torch.equal(padded.pixels[:, :, :48, :160], batch.pixels)
    assert padded.pixels[:, :, 48:].abs().sum() == 0 and (padded.cells[:, :, 6:] == IGNORED).all()


def test_a_batch_that_went_from_process_to_process_in_half_the_bytes_is_as_before() -> None:
    batch = batch_of_two()
    sent = halved(batch)
    assert sent.pixels.nbytes * 2 == batch.pixels.nbytes
    back = widened(sent)
    assert back.cells is not None and batch.cells is not None and torch.equal(back.cells, batch.cells)
    assert back.pixels.dtype == torch.float32 and torch.allclose(back.pixels, batch.pixels, atol=1e-3)


def test_a_warped_picture_keeps_its_frame_and_its_cells_move_with_the_ink() -> None:
    torch.manual_seed(3)
    batch = batch_of_two()
    moved = 0
    for _ in range(20):
        new = warped(batch)
        assert torch.equal(new.pixels != 0, batch.pixels != 0)
        assert torch.equal(new.targets, batch.targets)
        assert new.cells is not None
        dark = (new.pixels[:, 0] < -0.3).view(2, 6, CELL, 20, CELL).sum((2, 4))
        labelled = new.cells[:, 0] == TOKEN
        assert dark[labelled].sum() > 0.6 * dark.sum()
        moved += not torch.equal(new.cells, batch.cells)
    assert moved > 0


def test_new_batches_come_once_as_they_are_and_then_again_warped() -> None:
    released = iter([batch_of_two()])

    def batches():
        yield from released
        while len(seen) < 4:
            pass
        raise OSError("the drawing process was killed")

    seen: list[Batch] = []
    echo = Echo(batches(), "cpu", gigabytes=1)
    with pytest.raises(OSError, match="killed"):
        for batch in echo:
            seen.append(batch)
    assert torch.allclose(seen[0].pixels, batch_of_two().pixels, atol=1e-3)
    assert echo.fresh == 1 and echo.again >= 3
    assert not torch.equal(seen[1].pixels, seen[2].pixels)


def test_what_does_not_fit_is_given_up_the_oldest_first() -> None:
    batch = batch_of_two()
    echo = Echo(iter([batch] * 5), "cpu", gigabytes=0)
    found = list(itertools.islice(echo, 5))
    assert len(found) == 5 and not echo.seen
