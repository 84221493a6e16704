"""The mean of several checkpoints of one run, which often reads better than the last (Izmailov et al. 2018).
The mean of a checkpoint and the one that it was trained on from keeps more of what that one knew (Wortsman et al. 2022).

python -m training.fit.average runs/text/kept/012000 runs/text/kept/014000 --out runs/averaged
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

WEIGHTS = "model.safetensors"


def mean_weights(checkpoints: Sequence[Path]) -> dict[str, Tensor]:
    """Averages the weights of checkpoints. Tokens that were added later stand last, so tensors may have more rows there.

    Args:
        checkpoints: Folders with weights of one shape, but for the number of rows.

    Returns:
        Name → the mean, in the dtype that the tensor has in the first. A row is the mean of those that have it.

    Raises:
        ValueError: The checkpoints have other weights, or the first one has fewer rows than another.
    """
    first, *others = (load_file(checkpoint / WEIGHTS) for checkpoint in checkpoints)
    for checkpoint, other in zip(checkpoints[1:], others, strict=True):
        if set(other) != set(first) or not all(_fits(other[name], first[name]) for name in first):
            raise ValueError(f"{checkpoint} has other weights than {checkpoints[0]}.")
    return {name: _mean([weights[name] for weights in (first, *others)]).to(first[name].dtype) for name in first}


def _fits(tensor: Tensor, whole: Tensor) -> bool:
    if tensor.dim() == 0 or whole.dim() == 0:
        return tensor.shape == whole.shape
    return tensor.shape[1:] == whole.shape[1:] and len(tensor) <= len(whole)


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    if tensors[0].dim() == 0:
        return torch.stack([tensor.float() for tensor in tensors]).mean(0)
    total, count = torch.zeros_like(tensors[0], dtype=torch.float32), torch.zeros(len(tensors[0]))
    for tensor in tensors:
        total[: len(tensor)] += tensor.float()
        count[: len(tensor)] += 1
    return total / count.reshape(-1, *[1] * (total.dim() - 1))


def average(checkpoints: Sequence[Path], out: Path) -> None:
    """Writes the mean as a checkpoint, with the first one's configuration and tokenizer."""
    weights = mean_weights(checkpoints)
    shutil.copytree(checkpoints[0], out, dirs_exist_ok=True)
    save_file(weights, out / WEIGHTS, metadata={"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    average(arguments.checkpoints, arguments.out)


if __name__ == "__main__":
    main()
