"""Large checkpoints in half the memory: their weights are kept as bfloat16, and made float32 layer by layer as they are needed.

Their file is read tensor by tensor, never mapped: a mapped file counts as memory that is used. It costs time, some twice as much
a token, and of the weights' 24 bits of precision 16.
"""

import json
import struct
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

AT_ONCE = 2_000_000  # values of a weight that are widened at once
KINDS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def halved(weights: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file as bfloat16; those of other than floating kinds are left out. ValueError where it is damaged."""
    found = {}
    with open(weights, "rb", buffering=0) as file:
        try:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 100_000_000)))
            for name, tensor in header.items():
                if name == "__metadata__" or tensor["dtype"] not in KINDS:
                    continue
                start, end = tensor["data_offsets"]
                file.seek(8 + length + start)
                values = torch.empty((end - start) // KINDS[tensor["dtype"]].itemsize, dtype=torch.bfloat16)
                for part in values.split(AT_ONCE):
                    data = bytearray(len(part) * KINDS[tensor["dtype"]].itemsize)
                    if file.readinto(data) != len(data):
                        raise ValueError("it ends too early")
                    part.copy_(torch.frombuffer(data, dtype=KINDS[tensor["dtype"]]))
                found[name] = values.view(tensor["shape"])
        except (struct.error, KeyError, TypeError, RuntimeError, json.JSONDecodeError) as error:
            raise ValueError(f"{weights.name} is damaged: {error}") from error
    return found


def compute_in_float32(model: nn.Module) -> nn.Module:
    """Leaves the matrices of linear layers and word embeddings as they are, and has all be computed in float32; the rest becomes float32."""
    scratch = torch.empty(
        AT_ONCE
    )  # one for all layers, which are computed one after the other: a new one each time takes twice as long
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.forward = _Linear(module, scratch)
            if module.bias is not None:
                module.bias.data = module.bias.data.float()
        elif isinstance(module, nn.Embedding) and module.weight.numel() > 1_000_000:
            module.register_forward_hook(lambda module, inputs, output: output.float())
        else:
            for part in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                if part.is_floating_point():
                    part.data = part.data.float()
    return model


class _Linear:
    def __init__(self, layer: nn.Linear, scratch: Tensor):
        self.bias, self.scratch = layer.bias, scratch
        self.parts = layer.weight.data.split(max(1, AT_ONCE // layer.in_features))

    def __call__(self, x: Tensor) -> Tensor:
        outputs = [F.linear(x, self.scratch[: rows.numel()].view_as(rows).copy_(rows)) for rows in self.parts]
        output = outputs[0] if len(outputs) == 1 else torch.cat(outputs, -1)
        return output if self.bias is None else output + self.bias
