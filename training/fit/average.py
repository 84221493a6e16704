"""The mean of several checkpoints of one run, which often reads better than the last (Izmailov et al. 2018).

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
    """Name → the mean tensor, in the dtype that it has in the first.

    Raises ValueError where the checkpoints are not of one shape."""
    first, *others = (load_file(checkpoint / WEIGHTS) for checkpoint in checkpoints)
    for checkpoint, other in zip(checkpoints[1:], others, strict=True):
        if {name: tensor.shape for name, tensor in other.items()} != {
            name: tensor.shape for name, tensor in first.items()
        }:
            raise ValueError(f"{checkpoint} has other weights than {checkpoints[0]}.")
    means = {name: torch.stack([weights[name].float() for weights in (first, *others)]).mean(0) for name in first}
    return {name: tensor.to(first[name].dtype) for name, tensor in means.items()}


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
