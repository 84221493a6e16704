"""Keeps the weights of large checkpoints as bfloat16, in half the memory, and computes in float32.

The weights file is read tensor by tensor and never mapped, because a mapped file counts as used memory. A token takes
about twice the time. The weights keep 8 of their 24 bits of precision.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hwr_core.checkpoints.safetensors_file import stored_tensors

AT_ONCE = 2_000_000  # values of a weight that are converted to float32 at once
KINDS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def in_bfloat16(weights: Path) -> dict[str, Tensor]:
    """Reads a safetensors file as bfloat16. Tensors that are not floating-point are left out.

    Raises:
        ValueError: The file is damaged.
    """
    found = {}
    tensors = stored_tensors(weights)
    with open(weights, "rb", buffering=0) as file:
        for name, tensor in tensors.items():
            if tensor.dtype not in KINDS:
                continue
            kind = KINDS[tensor.dtype]
            file.seek(tensor.offset)
            values = torch.empty(tensor.length // kind.itemsize, dtype=torch.bfloat16)
            for part in values.split(AT_ONCE):
                data = bytearray(len(part) * kind.itemsize)
                if data and file.readinto(data) != len(data):
                    raise ValueError(f"{weights.name} is damaged: it ends too early")
                part.copy_(torch.frombuffer(data, dtype=kind))
            found[name] = values.view(tensor.shape)
    return found


def compute_in_float32(model: nn.Module) -> nn.Module:
    """Keeps Linear and Embedding weights in bfloat16, makes all other tensors float32, and computes in float32."""
    scratch = torch.empty(AT_ONCE)  # shared by all layers: a new one for each takes twice the time
    for module in model.modules():
        if isinstance(module, nn.Linear):
            setattr(module, "forward", _Linear(module, scratch))  # noqa: B010  mypy: no assignment to a method
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
