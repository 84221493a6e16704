"""A training run's state on disk: small enough to travel, in files that any transport takes.

Weights and their moving average are kept in fp16, AdamW's moments in 8 bits by blocks (as in Dettmers et al. 2022,
linear instead of dynamic quantisation; of the second moment the square root). 9.5 M parameters make 57 MB instead of 151.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

BLOCK = 256  # values that share a scale
PART_BYTES = 14_000_000  # of a file


def quantise(tensor: Tensor) -> dict[str, Tensor]:
    """Signed 8-bit values and a float32 scale for each block of the flattened tensor."""
    flat = tensor.detach().float().flatten().cpu()
    blocks = torch.nn.functional.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)
    scale = blocks.abs().amax(1).clamp(min=1e-30)
    return {
        "values": torch.round(blocks / scale[:, None] * 127).to(torch.int8).flatten()[: len(flat)].clone(),
        "scale": scale,
    }


def restore(values: Tensor, scale: Tensor, shape: torch.Size) -> Tensor:
    blocks = torch.nn.functional.pad(values.float(), (0, -len(values) % BLOCK)).view(-1, BLOCK)
    return (blocks * (scale / 127)[:, None]).flatten()[: len(values)].view(shape)


def save_state(
    folder: Path, model: dict[str, Tensor], average: dict[str, Tensor], optimizer: dict, counters: dict[str, float]
) -> None:
    """Writes the parts beside the old ones, then puts `state.json`, which names them, in place of the old."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model/{name}": tensor.half().cpu().contiguous() for name, tensor in model.items()}
    tensors |= {f"average/{name}": tensor.half().cpu().contiguous() for name, tensor in average.items()}
    for index, moments in optimizer["state"].items():
        for name, tensor in (("m", moments["exp_avg"]), ("v", moments["exp_avg_sq"].sqrt())):
            tensors |= {f"{name}/{index}/{part}": value for part, value in quantise(tensor).items()}
    old = parts_of(folder)
    label = f"{int(counters['step']):07d}"
    parts: list[dict[str, Tensor]] = []
    size = 0
    for name, tensor in tensors.items():
        bytes_ = tensor.numel() * tensor.element_size()
        if not parts or size + bytes_ > PART_BYTES:
            parts.append({})
            size = 0
        parts[-1][name] = tensor
        size += bytes_
    names = [f"state-{label}-{index}.safetensors" for index in range(len(parts))]
    for file, part in zip(names, parts, strict=True):
        save_file(part, folder / file)
    record = {
        **counters,
        "adam_step": next((float(moments["step"]) for moments in optimizer["state"].values()), 0.0),
        "parts": names,
    }
    (folder / "state.new").write_text(json.dumps(record), encoding="utf-8")
    (folder / "state.new").replace(folder / "state.json")
    for path in old - {folder / name for name in names}:
        path.unlink()


def parts_of(folder: Path) -> set[Path]:
    return set(folder.glob("state-*.safetensors"))


def load_state(
    folder: Path, shapes: dict[int, torch.Size]
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[int, dict[str, Tensor]], dict]:
    """Model, average, AdamW's moments by parameter, and the counters; `shapes` are those of the optimizer's parameters."""
    record = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    tensors: dict[str, Tensor] = {}
    for name in record["parts"]:
        tensors |= load_file(folder / name)
    model, average = (
        {name.removeprefix(kind): tensor.float() for name, tensor in tensors.items() if name.startswith(kind)}
        for kind in ("model/", "average/")
    )
    moments = {}
    for index, shape in shapes.items():
        if f"m/{index}/values" in tensors:
            first, root = (
                restore(tensors[f"{name}/{index}/values"], tensors[f"{name}/{index}/scale"], shape) for name in "mv"
            )
            floor = restore_floor(tensors[f"v/{index}/scale"], len(tensors[f"v/{index}/values"]), shape)
            moments[index] = {
                "step": torch.tensor(record["adam_step"]),
                "exp_avg": first,
                "exp_avg_sq": torch.maximum(root, floor) ** 2,
            }
    return model, average, moments, record


def restore_floor(scale: Tensor, length: int, shape: torch.Size) -> Tensor:
    """Half a quantisation step of each value's block: what a root that was rounded to 0 may at most have been.

    Left at 0, a second moment would make AdamW's next step without bound.
    """
    return (scale / 254).repeat_interleave(BLOCK)[:length].view(shape)
