"""Exports a checkpoint's graphs for onnxruntime: `python -m training.fit.export_onnx models/text models/math`.

Writes `onnx/encoder_model.onnx` and `onnx/decoder_with_past_model.onnx` into the checkpoint's folder. They hold no
weights: each initializer names the place of its fp16 bytes in `model.safetensors` (ONNX calls this external data). So
there is one copy of the weights, and both backends read it. The graphs' metadata holds the hash of that file, which
`hwr_core/checkpoints/onnx_checkpoint.py` checks. `hwr_core/checkpoints/onnx_network.py` runs the graphs.

The graphs compute their matrix products in eight bits (`quantise.py`), unless `--float` is given.
"""

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from transformers import VisionEncoderDecoderModel

from hwr_core.checkpoints.onnx_network import DECODER, ENCODER
from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.checkpoints.safetensors_file import GRAPH_METADATA, stored_tensors, weights_hash
from training.fit.quantise import to_eight_bits

WEIGHTS = "model.safetensors"
SMALL = 64  # values: smaller initializers stay in the graph
OPSET = 21


class Encoder(nn.Module):
    """The encoder of one image without padding, and the decoder's cross-attention keys and values.

    These stay the same at every step of the decoding.
    """

    def __init__(self, model: VisionEncoderDecoderModel):
        super().__init__()
        self.encoder: Any = model.encoder
        self.layers: Any = model.decoder.model.decoder.layers

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        # (1, 1, height, width) → keys and values of each layer (1, heads, columns, size of a head), and the logits of a
        # CTC head (1, columns, vocabulary), or of the head that names each cell's symbol (1, rows, columns, vocabulary)
        found = self.encoder(pixel_values, padded=False)
        crossed = []
        for layer in self.layers:
            attention = layer.encoder_attn
            for project in (attention.k_proj, attention.v_proj):
                crossed.append(
                    project(found.last_hidden_state)
                    .unflatten(-1, (attention.num_heads, attention.head_dim))
                    .transpose(1, 2)
                )
        logits = getattr(found, "ctc_logits", None)
        if logits is None:
            logits = getattr(found, "symbol_logits", None)
        return tuple(crossed) if logits is None else (*crossed, logits)


class Decoder(nn.Module):
    """TrOCR's decoder, for one or several further steps.

    An item's beams look at the same image. They are queries of one item, so its keys need no copies. The buffer of a
    row's own keys and values (`past`) is longer than its content: the caller writes the new ones into it. `past` and
    `crossed` are lists of keys and values, layer by layer.
    """

    def __init__(self, model: VisionEncoderDecoderModel):
        super().__init__()
        causal = model.decoder
        self.body: Any = causal.model.decoder  # modules' attributes are untyped
        self.project: Any = causal.output_projection

    def forward(
        self, tokens: Tensor, length: Tensor, mask: Tensor, past: list[Tensor], crossed: list[Tensor]
    ) -> tuple[Tensor, ...]:
        # tokens (rows, new); length () of the past's content; mask (batch, columns); each of past (rows, heads, room,
        # head), each of crossed (batch, heads, columns, head) → logits (rows, new, vocabulary), and for each of past
        # (rows, heads, new, head). What treats each token alone runs on (rows · new, width): two-dimensional matrix
        # products are faster.
        body, (rows, new), room = self.body, tokens.shape, past[0].shape[2]
        place = torch.arange(new)
        x = body.embed_tokens(tokens) + body.embed_positions.weight[place + length + body.embed_positions.offset]
        x = body.layernorm_embedding(x.flatten(0, 1))
        later = closed(
            torch.cat([(torch.arange(room) < length).expand(new, -1), place <= place[:, None]], 1)
        )  # (new, room + new)
        unseen = closed(mask)[:, None, None]  # (batch, 1, 1, columns)
        present = []
        for index, layer in enumerate(body.layers):
            own = layer.self_attn
            heads = (own.num_heads, own.head_dim)
            q, k, v = (
                project(x).unflatten(-1, heads).unflatten(0, (rows, new)).transpose(1, 2)
                for project in (own.q_proj, own.k_proj, own.v_proj)
            )
            present += [k, v]
            before = past[2 * index :][:2]
            weights = torch.cat(
                [q @ before[0].transpose(-1, -2), q @ k.transpose(-1, -2)], -1
            )  # (rows, heads, new, room + new)
            weights = (weights * own.scaling + later).softmax(-1)
            seen = weights[..., :room] @ before[1] + weights[..., room:] @ v
            x = layer.self_attn_layer_norm(x + own.out_proj(seen.transpose(1, 2).flatten(2).flatten(0, 1)))
            other = layer.encoder_attn
            q = (
                other.q_proj(x).unflatten(-1, heads).unflatten(0, (mask.shape[0], -1)).transpose(1, 2)
            )  # (batch, heads, beams · new, head)
            weights = (q @ crossed[2 * index].transpose(-1, -2) * other.scaling + unseen).softmax(-1)
            seen = (weights @ crossed[2 * index + 1]).transpose(1, 2).flatten(2).flatten(0, 1)
            x = layer.encoder_attn_layer_norm(x + other.out_proj(seen))
            x = layer.final_layer_norm(x + layer.fc2(F.gelu(layer.fc1(x))))
        return self.project(x).unflatten(0, (rows, new)), *present


def closed(seen: Tensor) -> Tensor:
    """Returns what is added to attention weights: a very negative number where attention is not allowed."""
    return torch.where(seen, 0.0, torch.finfo(torch.float32).min)


def export(folder: Path, eight_bits: bool = True) -> None:
    """Writes both graphs of a checkpoint.

    Args:
        folder: Holds the checkpoint. Its encoder is a `LineEncoder` or a `FormulaEncoder`, its decoder TrOCR's.
        eight_bits: Whether the graphs compute their matrix products in eight bits.
    """
    recognizer = load_recognizer(str(folder), backend="torch")
    network: Any = recognizer.network
    model = network.model.to(memory_format=torch.contiguous_format)
    encoder, decoder = Encoder(model).eval(), Decoder(model).eval()
    # An image to trace with, and the axes of images that vary: formulas may have any height.
    height, varying = (64, (2, 3)) if recognizer.reads_formulas else (48, (3,))
    pixels = torch.rand(1, 1, height, 96)
    crossed = list(encoder(pixels))
    logits = [crossed.pop()] if len(crossed) % 2 else []
    head = "symbol_logits" if recognizer.reads_formulas else "ctc_logits"
    parts = [f"{kind}.{layer}" for layer in range(len(crossed) // 2) for kind in ("key", "value")]
    looked_at, kept = [f"crossed_{part}" for part in parts], [f"past_{part}" for part in parts]
    (folder / "onnx").mkdir(exist_ok=True)
    free = torch.export.Dim.DYNAMIC
    _write(
        encoder, (pixels,), ["pixel_values"], [*looked_at, *([head] if logits else [])],
        ({axis: free for axis in varying},), folder, ENCODER,
    )  # fmt: skip
    _, heads, columns, size = crossed[0].shape
    crossed = [value.repeat(2, 1, 1, 1) for value in crossed]
    mask, past = torch.ones(2, columns, dtype=torch.bool), [torch.rand(4, heads, 5, size) for _ in parts]
    _write(
        decoder, (torch.tensor([[4, 5], [6, 7], [8, 9], [4, 4]]), torch.tensor(3), mask, past, crossed),
        ["tokens", "length", "mask", *kept, *looked_at], ["logits", *(f"present_{part}" for part in parts)],
        ({0: free, 1: free}, {}, {0: free, 1: free}, [{0: free, 2: free}] * len(parts), [{0: free, 2: free}] * len(parts)),
        folder, DECODER,
    )  # fmt: skip
    if eight_bits:
        for file in (ENCODER, DECODER):
            to_eight_bits(folder / "onnx" / file, folder / WEIGHTS)


def _write(
    module: nn.Module,
    inputs: tuple,
    input_names: list[str],
    output_names: list[str],
    free: tuple,
    folder: Path,
    file: str,
) -> None:
    """Exports one graph. `free` names each input's axes of varying length."""
    program = torch.onnx.export(
        module, inputs, dynamo=True, opset_version=OPSET, input_names=input_names, output_names=output_names,
        dynamic_shapes=free, verbose=False,
    )  # fmt: skip
    assert program is not None  # None only if it writes the file itself
    graph = program.model_proto
    _refer(graph, folder / WEIGHTS)
    for part in (
        *graph.graph.node,
        *graph.graph.value_info,
        *graph.graph.input,
        *graph.graph.output,
        graph.graph,
        graph,
    ):
        part.ClearField("metadata_props")  # source lines of the exported code: three quarters of the graph
        part.ClearField("doc_string")
    graph.metadata_props.add(key=GRAPH_METADATA, value=weights_hash(folder / WEIGHTS))
    path = folder / "onnx" / file
    path.write_bytes(graph.SerializeToString())
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB beside the weights")


def _refer(graph: onnx.ModelProto, weights: Path) -> None:
    """Replaces each large initializer by its place in `weights`, and nodes that restore its type and order."""
    places, restored = _places(weights), []
    for initializer in list(graph.graph.initializer):
        values = numpy_helper.to_array(initializer)
        if values.size < SMALL or values.dtype != np.float32:
            continue
        shape, place = values.shape, places.get(_digest(values))
        turned = place is None and values.ndim == 2  # the exporter transposes the matrices of linear layers
        if turned:
            shape, place = values.T.shape, places.get(_digest(values.T))
        if place is None:  # made by the exporter, not trained
            continue
        name = initializer.name
        stored = TensorProto(
            name=f"{name}.stored", data_type=TensorProto.FLOAT16, dims=shape, data_location=TensorProto.EXTERNAL
        )
        for key, value in (("location", WEIGHTS), ("offset", str(place[0])), ("length", str(place[1]))):
            stored.external_data.add(key=key, value=value)
        graph.graph.initializer.remove(initializer)
        graph.graph.initializer.append(stored)
        restored.append(
            helper.make_node("Cast", [stored.name], [f"{name}.turned" if turned else name], to=TensorProto.FLOAT)
        )
        if turned:
            restored.append(helper.make_node("Transpose", [f"{name}.turned"], [name], perm=[1, 0]))
    for node in reversed(restored):
        graph.graph.node.insert(0, node)


def _digest(values: np.ndarray) -> bytes:
    with np.errstate(over="ignore"):
        return hashlib.sha1(np.ascontiguousarray(values, np.float16).tobytes()).digest()


def _places(weights: Path) -> dict[bytes, tuple[int, int]]:
    """Returns each tensor's offset and length in a safetensors file, by the digest of its bytes."""
    data = weights.read_bytes()
    places = {}
    for tensor in stored_tensors(weights).values():
        digest = hashlib.sha1(data[tensor.offset : tensor.offset + tensor.length]).digest()
        places[digest] = (tensor.offset, tensor.length)
    return places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--float", action="store_true", help="no matrix products in eight bits, which is slower")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        export(folder, eight_bits=not arguments.float)


if __name__ == "__main__":
    main()
