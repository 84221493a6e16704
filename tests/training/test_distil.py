"""Layers taken out of a checkpoint: which stay, that the backbone does not change, and that the others learn from the whole one."""

import copy

import pytest
import torch
import torch.nn.functional as F

from tests.support.small_run import TOKENIZER, batch
from training.fit.distil import Thinning, both, divergence, thinned
from training.fit.model import build_text_model
from training.fit.train import CTC_WEIGHT, ctc_loss, decoder_inputs


@pytest.fixture
def whole():
    torch.manual_seed(0)
    return build_text_model(len(TOKENIZER), hidden_size=64, encoder_layers=3, decoder_layers=3)


def test_the_layers_that_stay_are_the_whole_ones_and_the_configuration_counts_them(whole, tmp_path):
    thin = thinned(whole, [0, 2], [1])
    assert (thin.config.encoder.num_hidden_layers, thin.config.decoder.decoder_layers) == (2, 1)
    for ours, of_whole in zip(thin.encoder.layers, (whole.encoder.layers[0], whole.encoder.layers[2]), strict=True):
        assert all(torch.equal(value, of_whole.state_dict()[name]) for name, value in ours.state_dict().items())
    kept = thin.decoder.model.decoder.layers
    assert len(kept) == 1 and torch.equal(kept[0].fc1.weight, whole.decoder.model.decoder.layers[1].fc1.weight)
    thin.save_pretrained(tmp_path)
    again = type(thin).from_pretrained(tmp_path)
    assert again.state_dict().keys() == thin.state_dict().keys()
    assert len(whole.encoder.layers) == 3 and whole.config.encoder.num_hidden_layers == 3


def test_the_losses_count_how_far_it_is_from_the_whole_one_and_the_backbone_is_left_alone(whole, tmp_path):
    with torch.no_grad():
        whole.decoder.output_projection.weight.mul_(5)  # one that is sure of something
    lines = batch(1)

    def losses_of(encoder: list[int], decoder: list[int]) -> tuple[list[float], list[float]]:
        """Those of the run, and without the whole one."""
        run = Thinning(tmp_path, thinned(whole, encoder, decoder), copy.deepcopy(whole), TOKENIZER, "cpu", 1e-3)
        torch.manual_seed(2)
        loss, head, attention = run.loss(lines)
        loss.backward()
        assert all(parameter.grad is None for parameter in run.model.encoder.backbone.parameters())
        assert all(parameter.grad is not None for parameter in run.model.decoder.model.decoder.layers.parameters())
        torch.manual_seed(2)
        with torch.no_grad():
            inputs = decoder_inputs(lines.targets, len(TOKENIZER))
            encoded, logits = both(run.model, lines.pixels, inputs)
            real = lines.targets != -100
            alone = [float(ctc_loss(encoded, lines.targets)), float(F.cross_entropy(logits[real], lines.targets[real]))]
            features = loss - CTC_WEIGHT * head - (1 - CTC_WEIGHT) * attention
            return [float(features), float(head), float(attention)], alone

    whole.eval()
    (features, *both_losses), alone = losses_of([0, 1, 2], [0, 1, 2])
    assert features == pytest.approx(0, abs=1e-4) and both_losses == pytest.approx(alone, abs=1e-3)
    (features, head, attention), alone = losses_of([0], [2])
    assert features > 0.001 and head > alone[0] + 1e-6 and attention > alone[1] + 1e-4


def test_what_the_whole_one_says_differently_counts_and_what_it_says_alike_does_not():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 5.0]])
    assert float(divergence(logits, logits + 3)) == pytest.approx(0, abs=1e-6)  # the same probabilities
    assert float(divergence(logits, logits.flip(1))) > 1
