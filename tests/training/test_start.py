"""A run that starts from a checkpoint of fewer tokens or of another line height; the mean of checkpoints; a learning curve."""

import json
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.data.charset import SPECIAL, build_tokenizer
from training.evaluation import learning_curve as curve
from training.evaluation import step_times
from training.fit import train
from training.fit.average import average
from training.fit.model import build_text_model, save_checkpoint
from training.fit.train import rate_at
from training.fit.warm_start import blended_rows, rows_by_token, shape_of, take_over

TOKENIZER = build_tokenizer()


def small_checkpoint(folder: Path, height: int = 48) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = build_text_model(len(TOKENIZER), hidden_size=64, encoder_layers=1, decoder_layers=1, height=height)
    save_checkpoint(model, TOKENIZER, model.state_dict(), folder)
    return model.state_dict()


def test_new_tokens_start_as_the_mean_and_old_ones_stay_whatever_their_place():
    weight = torch.tensor([[1.0, 0], [3, 0], [2, 6]])
    moved = rows_by_token(weight, {"a": 0, "b": 1, "c": 2}, {"c": 0, "a": 1, "new": 2, "b": 3})
    assert moved.tolist() == [[2, 6], [1, 0], [2, 2], [3, 0]]
    assert rows_by_token(torch.tensor([1.0, 5.0]), {"a": 0, "b": 1}, {"b": 0, "x": 1}).tolist() == [5, 3]


def test_a_checkpoint_of_fewer_tokens_is_taken_over(tmp_path):
    weights = small_checkpoint(tmp_path)
    layout = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    layout["model"]["vocab"] = {token: index for token, index in layout["model"]["vocab"].items() if index < 100}
    (tmp_path / "tokenizer.json").write_text(json.dumps(layout), encoding="utf-8")
    stored = load_file(tmp_path / "model.safetensors")
    names = [name for name in stored if stored[name].shape[:1] == (len(TOKENIZER),)]
    assert len(names) == 4
    save_file(
        {name: tensor[:100].clone() if name in names else tensor for name, tensor in stored.items()},
        tmp_path / "model.safetensors",
    )
    model = build_text_model(len(TOKENIZER), **shape_of(tmp_path))
    take_over(model, TOKENIZER.get_vocab(), tmp_path)
    for name, tensor in model.state_dict().items():
        kept = slice(0, 100) if name in names else slice(None)
        assert torch.allclose(tensor[kept], weights[name][kept], atol=2e-3), name
    head = model.state_dict()["encoder.ctc.weight"]
    assert torch.allclose(head[150], head[:100].mean(0), atol=1e-5)


@pytest.mark.parametrize("height", [None, 32])
def test_a_text_run_has_the_shape_of_its_start(tmp_path, monkeypatch, height):
    """Once a merge left two builds of the model in it, and no run of text could start."""
    small_checkpoint(tmp_path)
    monkeypatch.setattr(train, "LineStream", lambda *_: SimpleNamespace(tokenize_with=lambda tokenizer: tokenizer))
    monkeypatch.setattr(train.printed_faces, "fetch", lambda _: [])
    monkeypatch.setattr(train.word_frequencies, "fetch", lambda _: [])
    options = Namespace(
        hidden=256, encoder_layers=None, decoder_layers=3, start=tmp_path, height=height, seed=0, columns=100, bpe=None
    )
    _, _, model = train.text_parts(options, tmp_path)
    assert model.encoder.config.hidden_size == 64 and model.encoder.config.image_height == (height or 48)


def test_another_line_height_keeps_what_a_flat_picture_gives(tmp_path):
    weight = torch.randn(5, 4 * 3)
    flat = torch.randn(4)
    before = weight @ flat[:, None].expand(4, 3).flatten()
    after = blended_rows(weight, 3, 2) @ flat[:, None].expand(4, 2).flatten()
    assert torch.allclose(before, after, atol=1e-5)
    small_checkpoint(tmp_path)
    model = build_text_model(len(TOKENIZER), **{**shape_of(tmp_path), "height": 32})
    take_over(model, TOKENIZER.get_vocab(), tmp_path)
    assert model.encoder(torch.full((1, 1, 32, 64), 0.5)).ctc_logits.shape == (1, 16, len(TOKENIZER))


@pytest.mark.parametrize(("progress", "share"), [(0.5, 1), (0.89, 1), (0.95, 0.5), (1, 0)])
def test_a_cool_down_may_be_shorter(progress, share):
    assert rate_at(5000, progress, 2.0, cooldown=0.1) == pytest.approx(2 * share)


def test_the_mean_of_checkpoints_is_a_checkpoint(tmp_path):
    weights = small_checkpoint(tmp_path / "a")
    small_checkpoint(tmp_path / "b")
    other = {
        name: tensor + 1 if tensor.is_floating_point() else tensor
        for name, tensor in load_file(tmp_path / "b/model.safetensors").items()
    }
    save_file(other, tmp_path / "b/model.safetensors")
    average([tmp_path / "a", tmp_path / "b"], tmp_path / "mean")
    mean = load_file(tmp_path / "mean/model.safetensors")
    name = "encoder.columns.weight"
    assert mean[name].dtype == torch.float16 and torch.allclose(mean[name].float(), weights[name] + 0.5, atol=2e-3)
    assert (tmp_path / "mean/tokenizer.json").exists()
    small_checkpoint(tmp_path / "c", height=32)
    with pytest.raises(ValueError, match="other weights"):
        average([tmp_path / "a", tmp_path / "c"], tmp_path / "no")


def test_rows_of_a_curve_follow_one_another(tmp_path):
    path = tmp_path / "results" / "curve.json"
    rates = {name: 0.1 for name in (*curve.SAMPLE, "all")}
    curve.append(path, {"date": "today", "note": "start", "rates": rates}, curve.TEXT)
    curve.append(path, {"date": "today", "step": 7, "minutes": 2.5, "rates": {**rates, "dhsd": 0.2}}, curve.TEXT)
    results = json.loads(path.read_text(encoding="utf-8"))
    table = [dict(zip(results["columns"], row, strict=True)) for row in results["rows"]]
    assert [row["checkpoint"] for row in table] == ["start", "step 7"]
    assert [row["dhsd CER %"] for row in table] == [10.0, 20.0] and table[1]["minutes of training"] == 2.5
    assert sum(curve.SAMPLE.values()) == 300


def test_a_run_is_copied_only_when_its_state_is_whole(tmp_path, monkeypatch):
    run = tmp_path / "run"
    small_checkpoint(run / "checkpoint")
    (run / "state.json").write_text('{"step": 7, "seconds": 120}', encoding="utf-8")
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        monkeypatch.setattr(curve, "SETTLED", -1)

    monkeypatch.setattr(curve.time, "sleep", wait)
    assert curve.snapshot(run, tmp_path / "copy")["step"] == 7
    assert waits and (tmp_path / "copy/model.safetensors").exists()


def test_a_sample_is_the_same_each_time():
    lines = list(range(1000))
    assert curve.sample_of(lines, 50) == curve.sample_of(lines, 50) and len(set(curve.sample_of(lines, 50))) == 50
    assert sorted(curve.sample_of([1, 2, 3], 50)) == [1, 2, 3]


def test_a_step_is_timed_at_any_height(tmp_path):
    small_checkpoint(tmp_path)
    batch = step_times.noise(32, 3, 50)
    assert batch.pixels.shape == (3, 1, 32, 666) and (batch.pixels != 0).all() and batch.targets.max() < 50
    seconds = [step_times.step_seconds(tmp_path, False, 4, height, 1, False, repeats=1) for height in (32, 48)]
    assert all(0 < one < 60 for one in seconds)


def test_special_tokens_come_first():
    assert [TOKENIZER.convert_ids_to_tokens(index) for index in range(4)] == SPECIAL
