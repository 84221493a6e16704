"""The shipped checkpoints read the same on onnxruntime as on torch, without torch; the export of their graphs."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from hwr_core import HandwritingError, load_recognizer
from hwr_core.checkpoints import onnx_network, registry
from hwr_core.checkpoints.checkpoint_config import MODELS
from hwr_core.checkpoints.onnx_network import ENCODER, KEPT_PIXELS, OnnxNetwork
from hwr_core.ink.formula import render_formula
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import level, render_line
from tests.support import checkpoint_layouts as layouts
from tests.support.paths import ROOT
from training.evaluation.drawn import drawings
from training.evaluation.drawn.formulas import formulas
from training.fit.export_onnx import export
from training.fit.quantise import to_eight_bits


def lines_of(recognizer, every: int):
    return [
        render_line(level(d.strokes), recognizer.ink_height, recognizer.ink_stroke_width) for d in drawings()[::every]
    ]


def same(ours, theirs) -> None:
    assert [reading.text for reading in ours] == [reading.text for reading in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)
        assert one.character_confidences == pytest.approx(other.character_confidences, abs=1e-3)
        assert [alternative.text for alternative in one.alternatives] == [
            alternative.text for alternative in other.alternatives
        ]


def nearly_same(ours, theirs) -> None:
    """The shipped graphs round to eight bits: of many readings, few doubtful ones may differ."""
    equal = [one for one in zip(ours, theirs, strict=True) if one[0].text == one[1].text]
    assert len(equal) >= 0.9 * len(ours) > 5
    assert np.mean([abs(one.confidence - other.confidence) for one, other in equal]) < 0.05


@pytest.mark.parametrize("beams", [1, 4])
def test_the_text_checkpoint_reads_nearly_the_same_on_both_backends(beams):
    ours, theirs = load_recognizer("text"), load_recognizer("text", backend="torch")
    assert isinstance(ours.network, OnnxNetwork) and not isinstance(theirs.network, OnnxNetwork)
    images = lines_of(ours, 8)
    nearly_same(ours.read(images, beams=beams), theirs.read(images, beams=beams))


@pytest.mark.parametrize("beams", [1, 4])
def test_the_math_checkpoint_reads_nearly_the_same_on_both_backends(beams):
    ours, theirs = load_recognizer("math"), load_recognizer("math", backend="torch")
    images = [render_formula(formula.strokes) for formula in formulas()[::5]]
    nearly_same(ours.read(images, beams=beams), theirs.read(images, beams=beams))


@pytest.fixture(scope="module", params=[layouts.own, layouts.math])
def exported(request, tmp_path_factory):
    """A tiny checkpoint as torch reads it, and its folder with exact graphs."""
    folder = request.param(tmp_path_factory.mktemp("exported") / "checkpoint")
    before = load_recognizer(str(folder))
    export(folder, eight_bits=False)
    return before, folder


def test_a_step_gives_the_logits_that_torch_gives_wherever_its_beams_come_from(exported):
    theirs, ours = exported[0], load_recognizer(str(exported[1]))
    if theirs.reads_formulas:
        pytest.skip("only lines have the output of CTC")
    pixels = ours.pixels([image.convert("RGB") for image in lines_of(ours, 60)])
    assert isinstance(ours.network, OnnxNetwork) and not isinstance(theirs.network, OnnxNetwork)
    encoded = [recognizer.network.encode(pixels, 2) for recognizer in (ours, theirs)]
    assert np.array_equal(encoded[0].mask, encoded[1].mask)
    kept = encoded[0].mask
    assert np.allclose(encoded[0].ctc_logits[kept], encoded[1].ctc_logits[kept], atol=2e-3)
    rng, rows = np.random.default_rng(0), 2 * len(pixels)
    origin = np.arange(rows)
    for step in range(6):
        tokens = rng.integers(4, ours.network.vocabulary, rows)
        logits = [one.step(tokens, origin) for one in encoded]
        assert np.allclose(*logits, atol=2e-3)
        origin = np.arange(rows).reshape(-1, 2)[:, rng.permutation(2)].ravel()  # each beam from another one of its item
        if step == 3:
            items = np.arange(1, len(pixels))
            for one in encoded:
                one.keep(items)
            origin, rows = origin[2:], rows - 2


def test_a_line_that_told_the_pages_direction_is_not_encoded_again(monkeypatch):
    recognizer = load_recognizer("text")
    network = recognizer.network
    assert isinstance(network, OnnxNetwork)
    monkeypatch.setattr(network, "_kept", [])
    monkeypatch.setattr(onnx_network, "low_memory", lambda: False)
    runs = []
    run = network.encoder.run
    monkeypatch.setattr(network, "encoder", SimpleNamespace(run=lambda *given: runs.append(given) or run(*given)))
    images = lines_of(recognizer, 60)
    alone = recognizer.read(images, beams=4)
    assert len(runs) == len(images) and not network._kept
    recognizer.read(images, beams=1)
    assert len(runs) == 2 * len(images)
    assert recognizer.read(images, beams=4) == alone
    assert len(runs) == 2 * len(images) and not network._kept  # each is taken once
    for _ in range(3):  # a greedy reading is never spared its own encoder, and few are kept
        recognizer.read(lines_of(recognizer, 8), beams=1)
    assert len(runs) == 2 * len(images) + 3 * len(lines_of(recognizer, 8))
    assert 0 < sum(item["picture"].size for item in network._kept) <= KEPT_PIXELS
    monkeypatch.setattr(network, "_kept", [])
    monkeypatch.setattr(onnx_network, "low_memory", lambda: True)
    recognizer.read(images, beams=1)
    assert not network._kept


def test_a_shipped_checkpoint_reads_without_torch_or_transformers():
    code = """
import sys
from hwr_core import load_recognizer, read_ink, read_page
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line
assert read_ink(write("hello world"), load_recognizer("text")).text == "hello world"
assert "sqrt" in read_ink(write_formula(), load_recognizer("math")).text
assert read_page(render_line(write("hello world"), 96, 5.0), load_recognizer("text")).text == "hello world"
print([name for name in ("torch", "transformers", "scipy", "pandas") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.stdout.strip() == "[]", run.stdout + run.stderr


def texts_drawn() -> list:
    texts = ("hello world", "a", "1984", "four", "the fifth in a batch is encoded apart")
    return [render_line(write(text), 96, 5.0) for text in texts]


@pytest.mark.parametrize("beams", [1, 3])
def test_what_is_exported_reads_as_the_weights_it_was_exported_from(beams, exported):
    before, after = exported[0], load_recognizer(str(exported[1]))
    assert after is not before and isinstance(after.network, OnnxNetwork)
    same(after.read(texts_drawn(), beams=beams), before.read(texts_drawn(), beams=beams))


def test_an_encoder_in_eight_bits_sees_what_the_exact_one_sees(exported, tmp_path):
    folder = shutil.copytree(exported[1], tmp_path / "checkpoint")
    to_eight_bits(folder / "onnx" / ENCODER, folder / "model.safetensors")
    recognizer = load_recognizer(str(folder))
    rounded: Any = recognizer.network
    exact: Any = load_recognizer(str(exported[1])).network
    pixels = recognizer.pixels([image.convert("RGB") for image in texts_drawn()])
    for ours, theirs in zip(*(network.encode(pixels, 1).items for network in (rounded, exact)), strict=True):
        for name in exact.features:  # random weights enlarge each difference; a wrong graph gives 0
            assert 0.3 < np.corrcoef(ours[name].ravel(), theirs[name].ravel())[0, 1] < 0.99999


def cut_in_half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("file", ["tokenizer.json", "model.safetensors", "language_model.safetensors"])
def test_a_damaged_file_is_reported_in_one_sentence(file, tmp_path):
    shutil.copytree(MODELS / "text", tmp_path / "text")
    cut_in_half(tmp_path / "text" / file)
    with pytest.raises(HandwritingError, match="cannot be loaded"):
        load_recognizer(str(tmp_path / "text"))


@pytest.fixture
def saved_again(tmp_path):
    """The text checkpoint with one more tensor in its weights file: all others have moved."""
    shutil.copytree(MODELS / "text", tmp_path / "text")
    weights = load_file(MODELS / "text" / "model.safetensors")
    weights["a.tensor.of.no.use"] = np.zeros(1000, np.float16)
    save_file(weights, tmp_path / "text" / "model.safetensors", metadata={"format": "pt"})
    return tmp_path / "text"


def cut_decoder(folder: Path) -> Path:
    cut_in_half(folder / "onnx" / "decoder_with_past_model.onnx")
    return folder


@pytest.mark.parametrize("change", [lambda folder: folder, cut_decoder])
def test_graphs_of_other_weights_are_not_used(change, saved_again):
    recognizer = load_recognizer(str(change(saved_again)))
    assert not isinstance(recognizer.network, OnnxNetwork)
    assert recognizer.read([render_line(write("hello world"), 96, 5.0)])[0].text == "hello world"


def test_graphs_of_other_weights_are_reported_in_one_sentence_if_torch_is_not_to_be_used(saved_again, monkeypatch):
    with pytest.raises(HandwritingError, match="were not exported from"):
        load_recognizer(str(saved_again), backend="onnx")
    monkeypatch.setattr(registry, "_torch_is_installed", lambda: False)
    with pytest.raises(HandwritingError, match="were not exported from"):
        load_recognizer(str(saved_again))


def test_no_alternative_shows_a_token_that_is_no_text():
    math, text = load_recognizer("math"), load_recognizer("text")
    readings = math.read([render_formula(formula.strokes) for formula in formulas()[::3]], beams=1) + text.read(
        lines_of(text, 12), beams=1
    )
    others = [other.text for reading in readings for other in reading.alternatives]
    assert len(others) > 50 and not [
        other for other in others if "</s>" in other or "<pad>" in other or not other.strip()
    ]
