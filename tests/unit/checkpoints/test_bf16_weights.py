"""Large checkpoints in half the memory: nearly the same scores, and the same refusals, as with float32 weights."""

import numpy as np
import pytest
import torch
from cachetools import LRUCache
from safetensors.torch import load_file, save_file

from hwr_core import HandwritingError, load_recognizer
from hwr_core.checkpoints import bf16_weights, torch_checkpoint
from hwr_core.checkpoints import registry as checkpoints
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from tests.support import checkpoint_layouts as layouts


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    monkeypatch.setenv("HWR_LOW_MEMORY", "1")
    monkeypatch.setattr(torch_checkpoint, "SMALL", 0)
    monkeypatch.setattr(bf16_weights, "AT_ONCE", 1000)  # the matrices of these checkpoints are widened in parts, too
    monkeypatch.setattr(checkpoints, "_loaded", LRUCache(checkpoints.IN_MEMORY))


@pytest.mark.parametrize(
    "layout", [layouts.base, lambda folder: layouts.small(folder, "model.safetensors", projection=True)]
)
def test_scores_are_nearly_those_of_float32(layout, tmp_path, monkeypatch):
    folder = str(layout(tmp_path / "checkpoint"))
    half = load_recognizer(folder)
    monkeypatch.setattr(checkpoints, "_loaded", LRUCache(checkpoints.IN_MEMORY))
    monkeypatch.setenv("HWR_LOW_MEMORY", "0")
    full = load_recognizer(folder)
    kinds = {parameter.dtype for parameter in half.network.model.parameters() if parameter.ndim == 2}
    assert torch.bfloat16 in kinds and {parameter.dtype for parameter in full.network.model.parameters()} == {
        torch.float32
    }
    pixels = full.pixels([render_line(write(text), 96, 5.0).convert("RGB") for text in ("hello world", "1984")])
    logits = [recognizer.network.encode(pixels, 1).step(np.array([2, 2]), np.arange(2)) for recognizer in (half, full)]
    assert logits[0].dtype == np.float32
    assert np.abs(logits[0] - logits[1]).mean() < 0.05 * logits[1].std()
    (reading,) = half.read([render_line(write("hello"), 96, 5.0)])
    assert half.decoding == full.decoding and len(reading.character_confidences) == len(reading.text)


def test_a_missing_weight_and_a_damaged_file_are_refused(tmp_path):
    folder = layouts.base(tmp_path / "checkpoint")
    weights = load_file(folder / "model.safetensors")
    del weights["decoder.model.decoder.layers.1.fc2.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(HandwritingError, match="missing"):
        load_recognizer(str(folder))
    content = (folder / "model.safetensors").read_bytes()
    for damaged in (b"", content[:7], content[:1000], content[: len(content) // 2], b"\xff" * 1000):
        (folder / "model.safetensors").write_bytes(damaged)
        with pytest.raises(HandwritingError, match="cannot be loaded"):
            load_recognizer(str(folder))
