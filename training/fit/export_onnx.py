"""A checkpoint's graphs for onnxruntime: `python -m training.fit.export_onnx models/text models/math`.

Writes `onnx/encoder_model.onnx` and `onnx/decoder_with_past_model.onnx` into the checkpoint's folder. They hold no weights: each
initializer names its place in `model.safetensors`, where it lies as fp16 bytes, which is what ONNX calls external data. So there is one
copy of the weights, and both backends read it. `hwr_core/checkpoints/onnx_network.py` runs them.
"""

import argparse
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from hwr_core.checkpoints.registry import load_recognizer

ENCODER, DECODER = "encoder_model.onnx", "decoder_with_past_model.onnx"
WEIGHTS = "model.safetensors"
SMALL = 64  # values; what has fewer stays in the graph
OPSET = 20


class Encoder(nn.Module):
    """The encoder of one image without padding, and the keys and values that the decoder's layers make of its states, which stay the same at every
    step."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.encoder, self.layers = model.encoder, model.decoder.model.decoder.layers

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        # (1, 1, height, width) → for each layer keys and values (1, heads, columns, size of a head), and where there is a CTC head
        # (1, columns, vocabulary)
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
        return tuple(crossed) if logits is None else (*crossed, logits)


class Decoder(nn.Module):
    """TrOCR's decoder, one step further or several. An item's beams look at the same image: to its keys they are queries of one item, so that
    these are neither copied nor moved. What a row has seen of itself (`past`) lies in room for more than there is, which is not copied either: who
    runs the graph puts the new keys and values into it. `past` and `crossed` are lists of keys and values, layer by layer."""

    def __init__(self, model: nn.Module):
        super().__init__()
        causal = model.decoder
        self.body, self.project = causal.model.decoder, causal.output_projection

    def forward(
        self, tokens: Tensor, length: Tensor, mask: Tensor, past: list[Tensor], crossed: list[Tensor]
    ) -> tuple[Tensor, ...]:
        # tokens (rows, new), length () of what the past holds; past (rows, heads, room, head) each; mask (batch, columns), crossed
        # (batch, heads, columns, head) each → logits (rows, new, vocabulary), for each of past (rows, heads, new, head)
        # All that is done to each token alone is done on (rows · new, width): matrix products of two dimensions are the quicker ones.
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
    """What is added to the weights of attention: much less than nothing where it may not look."""
    return torch.where(seen, 0.0, torch.finfo(torch.float32).min)


def export(folder: Path) -> None:
    """Writes both graphs of the checkpoint in `folder`, one of ours: a TrOCR decoder, and an encoder that tells its mask."""
    recognizer = load_recognizer(str(folder), backend="torch")
    model = recognizer.network.model.to(memory_format=torch.contiguous_format)
    encoder, decoder = Encoder(model).eval(), Decoder(model).eval()
    height = 48 if not recognizer.reads_formulas else 64
    pixels = torch.rand(1, 1, height, 96)
    crossed = list(encoder(pixels))
    logits = [crossed.pop()] if len(crossed) % 2 else []
    parts = [f"{kind}.{layer}" for layer in range(len(crossed) // 2) for kind in ("key", "value")]
    looked_at, kept = [f"crossed_{part}" for part in parts], [f"past_{part}" for part in parts]
    (folder / "onnx").mkdir(exist_ok=True)
    free = torch.export.Dim.DYNAMIC
    _write(
        encoder, (pixels,), ["pixel_values"], [*looked_at, *(["ctc_logits"] if logits else [])],
        ({2: free, 3: free} if recognizer.reads_formulas else {3: free},), folder, ENCODER,
    )  # fmt: skip
    _, heads, columns, size = crossed[0].shape
    crossed = [value.repeat(2, 1, 1, 1) for value in crossed]
    mask, past = torch.ones(2, columns, dtype=torch.bool), [torch.rand(4, heads, 5, size) for _ in parts]
    _write(
        decoder, (torch.tensor([[4, 5], [6, 7], [8, 9], [4, 4]]), torch.tensor(3), mask, past, crossed),
        ["tokens", "length", "mask", *kept, *looked_at], ["logits", *(f"present_{part}" for part in parts)],
        ({0: free, 1: free}, {}, {0: free, 1: free}, [{0: free, 2: free}] * len(parts), [{0: free, 2: free}] * len(parts)), folder, DECODER,
    )  # fmt: skip


def _write(
    module: nn.Module,
    inputs: tuple,
    input_names: list[str],
    output_names: list[str],
    free: tuple,
    folder: Path,
    file: str,
) -> None:
    """`free` has of each input the axes whose lengths vary."""
    program = torch.onnx.export(
        module, inputs, dynamo=True, opset_version=OPSET, input_names=input_names, output_names=output_names,
        dynamic_shapes=free, verbose=False,
    )  # fmt: skip
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
        part.ClearField("metadata_props")  # which lines of which files made it: three quarters of the graph
        part.ClearField("doc_string")
    path = folder / "onnx" / file
    path.write_bytes(graph.SerializeToString())
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB beside the weights")


def _refer(graph: onnx.ModelProto, weights: Path) -> None:
    """Puts in place of each large initializer where `weights` holds its values, and what brings them into its type and order."""
    places, restored = _places(weights), []
    for initializer in list(graph.graph.initializer):
        values = numpy_helper.to_array(initializer)
        if values.size < SMALL or values.dtype != np.float32:
            continue
        shape, place = values.shape, places.get(_digest(values))
        turned = place is None and values.ndim == 2  # the exporter turns the matrices of linear layers
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
    """Of each tensor in a safetensors file, by its bytes' digest: offset and length in the file."""
    data = weights.read_bytes()
    (header,) = struct.unpack("<Q", data[:8])
    places = {}
    for name, tensor in json.loads(data[8 : 8 + header]).items():
        if name != "__metadata__":
            start, end = (8 + header + offset for offset in tensor["data_offsets"])
            places[hashlib.sha1(data[start:end]).digest()] = (start, end - start)
    return places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    for folder in parser.parse_args().folders:
        export(folder)


if __name__ == "__main__":
    main()
