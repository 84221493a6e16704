"""A training run goes on from its files as if it had never stopped, and the files are small enough to travel."""

import math

import pytest
import torch

from tests.support.small_run import TOKENIZER, batch, small_run
from training.fit.model import build_text_model
from training.fit.state import PART_BYTES, quantise, restore
from training.fit.train import Run, rate_at


def test_a_resumed_run_takes_nearly_the_step_that_an_uninterrupted_one_takes(tmp_path):
    first = small_run(tmp_path)
    for seed in range(6):
        first.update(batch(seed), 0.1)
    first.seconds = 60.0
    first.save()
    second = small_run(tmp_path)
    second.resume()
    assert (second.step, second.seconds) == (6, 60.0)
    changes = []
    for run in (first, second):
        before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
        torch.manual_seed(1)
        run.update(batch(9), 0.1)
        changes.append({name: (tensor - before[name]).flatten() for name, tensor in run.model.state_dict().items()})
    for name in (
        "encoder.columns.weight",
        "decoder.model.decoder.layers.0.fc1.weight",
        "encoder.backbone.blocks.5.expand.weight",
    ):
        assert torch.cosine_similarity(changes[0][name], changes[1][name], 0) > 0.95, name
        assert 0.9 < changes[0][name].norm() / changes[1][name].norm() < 1.1, name


def test_the_moving_average_and_the_frozen_part_survive(tmp_path):
    run = small_run(tmp_path)
    run.model.encoder.backbone.freeze(4)
    stem = run.model.encoder.backbone.stem1.weight.clone()
    for seed in range(3):
        run.update(batch(seed), 0.1)
    assert torch.equal(run.model.encoder.backbone.stem1.weight, stem)
    run.save()
    again = small_run(tmp_path)
    again.resume()
    for name, tensor in run.average.items():
        assert torch.allclose(again.average[name], tensor, atol=1e-3), name


def test_a_saved_state_replaces_the_one_before(tmp_path):
    run = small_run(tmp_path)
    run.update(batch(0), 0.1)
    run.save()
    run.update(batch(1), 0.1)
    run.save()
    again = small_run(tmp_path)
    again.resume()
    assert again.step == 2
    assert len({path.name.split("-")[1] for path in tmp_path.glob("state-*.safetensors")}) == 1


def test_the_text_checkpoints_state_fits_sixty_megabytes_in_files_of_fifteen(tmp_path):
    run = Run(tmp_path, build_text_model(len(TOKENIZER)), TOKENIZER, "cpu", 1e-3)
    for group in run.optimizer.param_groups:  # as after a step, without the time of one
        for parameter in group["params"]:
            moment = torch.rand_like(parameter)
            run.optimizer.state[parameter] = {"step": torch.tensor(1.0), "exp_avg": moment, "exp_avg_sq": moment**2}
    run.save()
    sizes = [path.stat().st_size for path in tmp_path.glob("state*")]
    assert sum(sizes) < 60e6
    assert max(sizes) < 15e6
    assert max(sizes) > PART_BYTES / 2


def test_eight_bits_keep_a_value_to_a_254th_of_its_blocks_greatest():
    values = torch.randn(1000) * torch.logspace(-6, 2, 1000)
    kept = quantise(values)
    again = restore(**kept, shape=values.shape)
    greatest = kept["scale"].repeat_interleave(256)[:1000]
    assert ((again - values).abs() <= greatest / 254 * 1.001).all()


@pytest.mark.parametrize(
    ("step", "progress", "share"),
    [(0, 0, 1 / 300), (299, 0, 1), (50, 0.08, 0.8), (50, 0.1, 1), (5000, 0.69, 1), (5000, 0.85, 0.5), (5000, 1, 0)],
)
def test_the_rate_warms_up_stays_and_falls(step, progress, share):
    assert math.isclose(rate_at(step, progress, 2.0), 2 * share, abs_tol=1e-9)
