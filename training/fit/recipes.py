"""How a checkpoint is adapted to few lines of one hand: which weights move, how far, and how general lines hold them.

`python -m training.evaluation.fine_tuning` compares the recipes by writers whom no checkpoint was trained on.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import VisionEncoderDecoderModel

from training.fit.train import CTC_WEIGHT, decoder_inputs, losses
from training.synthesis.batch import Batch

WARMUP = 0.1  # of the steps
SHORTER = 0.3  # rate at the end, of the highest
MAX_NORM = 1.0  # of the gradient
KEEP_EVERY = 5  # steps

SHARES = 0.0, 0.25, 0.5, 0.75, 1.0  # of the way from the old weights to the new, to choose from

Progress = Callable[[int, int], None]  # steps done, steps in all
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Recipe:
    """How weights are adapted.

    Attributes:
        part: The weights that move: "norms" (normalisations and biases), "adapters" (low-rank changes of every linear
            layer), "upper" (all but the backbone), "head" (the outputs), or "none".
        rate: The highest learning rate.
        steps: Of the optimizer.
        replay: General lines in a batch, for each line of one's own.
        share: Of the way from the old weights to the new that is kept (Wortsman et al. 2022), 0–1.
        rank: Of the adapters.
        pull: Weight of the squared distance from the old weights, times 1e-3 (L2-SP, Li et al. 2018).
        language_model: Weight of the person's texts in the language model; 0 leaves it.
    """

    part: str = "upper"
    rate: float = 1e-4
    steps: int = 100
    replay: float = 0.5
    share: float = 1.0
    rank: int = 8
    pull: float = 0.0
    language_model: float = 0.0


class Adapter(nn.Module):
    """A linear layer with a low-rank change (LoRA, Hu et al. 2022) that starts at zero."""

    def __init__(self, linear: nn.Linear, rank: int):
        super().__init__()
        self.linear = linear
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / linear.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + (x @ self.down.T) @ self.up.T

    def merged(self) -> nn.Linear:
        """The linear layer with the change in its weight."""
        with torch.no_grad():
            self.linear.weight += self.up @ self.down
        return self.linear


def add_adapters(model: nn.Module, rank: int) -> None:
    """Puts an adapter round every linear layer but the backbone's."""
    for module in list(model.modules()):
        if type(module).__name__ == "Backbone":
            continue
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear) and not isinstance(module, Adapter):
                setattr(module, name, Adapter(child, rank))


def merge_adapters(model: nn.Module) -> None:
    """Puts the linear layers back, with the adapters' changes in them."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Adapter):
                setattr(module, name, child.merged())


def moving(model: VisionEncoderDecoderModel, recipe: Recipe) -> list[nn.Parameter]:
    """The parameters that a recipe moves; all others are frozen."""
    model.requires_grad_(False)
    if recipe.part == "adapters":
        add_adapters(model, recipe.rank)
        chosen = [p for m in model.modules() if isinstance(m, Adapter) for p in (m.down, m.up)]
    else:
        chosen = [parameter for name, parameter in model.named_parameters() if _moves(name, parameter, recipe.part)]
    for parameter in chosen:
        parameter.requires_grad_(True)
    return chosen


def _moves(name: str, parameter: Tensor, part: str) -> bool:
    if name.startswith("encoder.backbone."):
        return False
    if part == "norms":
        return parameter.ndim == 1
    if part == "head":
        return name.startswith(("encoder.ctc.", "encoder.columns.", "decoder.output_projection."))
    return part == "upper"


def loss_of(model: VisionEncoderDecoderModel, batch: Batch) -> Tensor:
    """The loss of training; of formulas, whose symbols' places are not known, only the decoder's."""
    if getattr(model.config.encoder, "ctc_vocab_size", None):
        head, attention, _ = losses(model, batch)
        return CTC_WEIGHT * head + (1 - CTC_WEIGHT) * attention
    encoded = model.encoder(batch.pixels)
    decoded = model.decoder(
        input_ids=decoder_inputs(batch.targets, model.config.decoder.vocab_size),
        encoder_hidden_states=encoded.last_hidden_state,
        encoder_attention_mask=encoded.attention_mask,
        use_cache=False,
    )
    return F.cross_entropy(
        decoded.logits.float().flatten(0, 1), batch.targets.flatten(), ignore_index=-100, label_smoothing=0.05
    )


@dataclass(frozen=True)
class Seen:
    """A batch, and what the frozen backbone makes of it, (batch, channels, rows, columns)."""

    batch: Batch
    features: Tensor


def seen_by(
    model: VisionEncoderDecoderModel,
    batches: Iterator[Batch],
    count: int,
    bf16: bool,
    on_progress: Progress | None = None,
) -> list[Seen]:
    """Computes the backbone's features of some batches, which takes most of a step's time, once for all steps."""
    found: list[Seen] = []
    model.eval()
    handle = model.encoder.backbone.register_forward_hook(lambda module, given, out: kept.append(out))
    kept: list[Tensor] = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for _ in range(count):
            batch = next(batches)
            kept.clear()
            model.encoder(batch.pixels)
            found.append(Seen(batch, kept[0].to(torch.bfloat16)))
            if on_progress is not None:
                on_progress(len(found), count)
    handle.remove()
    return found


class _Remembered(nn.Module):
    """Stands for the backbone: gives the features that were computed before."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.zeros(())

    def forward(self, *given: Tensor | None) -> Tensor:
        return self.features


def adapt(
    model: VisionEncoderDecoderModel,
    batches: Sequence[Seen],
    recipe: Recipe,
    bf16: bool = False,
    on_progress: Progress | None = None,
    kept: Path | None = None,
) -> Weights:
    """Adapts a model.

    Args:
        model: The checkpoint. It is left as it was.
        batches: Of `OwnBatches`, with their features. They are taken in turn.
        recipe: How.
        bf16: Whether to compute in bfloat16 where that is enough.
        on_progress: Called after each step. An exception that it raises stops the training.
        kept: A file that holds the state every few steps. If it is there, the training goes on from it.

    Returns:
        The new weights, `recipe.share` of the way.
    """
    old = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if recipe.part == "none":
        return old
    backbone, remembered = model.encoder.backbone, _Remembered()
    try:
        chosen = moving(model, recipe)
        model.encoder.backbone = remembered
        _train(model, remembered, chosen, batches, recipe, bf16, on_progress, kept)
    finally:
        merge_adapters(model)
        model.encoder.backbone = backbone
        model.eval()
        new = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        model.load_state_dict(old)
    return blended(old, new, recipe.share)


def blended(old: Weights, new: Weights, share: float) -> Weights:
    """The weights `share` of the way from the old to the new."""
    return {
        name: old[name].lerp(tensor, share) if tensor.is_floating_point() else tensor for name, tensor in new.items()
    }


def losses_by_share(
    model: VisionEncoderDecoderModel, new: Weights, lines: Sequence[Seen], bf16: bool = False
) -> dict[float, float]:
    """The loss on lines kept aside for each of `SHARES` of the way to the new weights.

    A probability tells more of few lines than their errors do.

    Args:
        model: The checkpoint with its old weights. It is left as it was.
        new: The weights of `adapt`.
        lines: Of `plain_batches`.
        bf16: As for `adapt`.
    """
    old = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    backbone, remembered = model.encoder.backbone, _Remembered()
    found: dict[float, float] = {}
    model.eval()
    for share in SHARES:
        model.load_state_dict(blended(old, new, share))
        model.encoder.backbone = remembered
        total = 0.0
        for seen in lines:
            remembered.features = seen.features.float()
            torch.manual_seed(0)  # the same tokens are replaced for each share
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                total += float(loss_of(model, seen.batch)) * len(seen.batch)
        model.encoder.backbone = backbone
        found[share] = total
    model.load_state_dict(old)
    return found


def _train(
    model: VisionEncoderDecoderModel,
    remembered: _Remembered,
    chosen: list[nn.Parameter],
    batches: Sequence[Seen],
    recipe: Recipe,
    bf16: bool,
    on_progress: Progress | None,
    kept: Path | None,
) -> None:
    """The steps of `adapt`."""
    start = [parameter.detach().clone() for parameter in chosen] if recipe.pull else []
    optimizer = torch.optim.AdamW(chosen, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.0)
    model.train()
    for step in range(_restored(kept, chosen, optimizer), recipe.steps):
        turn = random.Random(step // len(batches)).sample(range(len(batches)), len(batches))
        seen = batches[turn[step % len(batches)]]
        remembered.features = seen.features.float()
        torch.manual_seed(step)  # of the dropout and the replaced tokens, also where a run goes on
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * _share_of_rate(step, recipe.steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = loss_of(model, seen.batch)
        for parameter, before in zip(chosen, start, strict=False):
            loss = loss + 1e-3 * recipe.pull * (parameter - before).square().sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(chosen, MAX_NORM)
        optimizer.step()
        if kept is not None and (step + 1) % KEEP_EVERY == 0:
            moved = [parameter.detach() for parameter in chosen]
            torch.save(
                {"step": step + 1, "moved": moved, "optimizer": optimizer.state_dict()}, kept.with_suffix(".new")
            )
            kept.with_suffix(".new").replace(kept)
        if on_progress is not None:
            on_progress(step + 1, recipe.steps)


def _share_of_rate(step: int, steps: int) -> float:
    """The learning rate at a step, as a share of the highest: a warm-up, then a linear fall."""
    return min(1.0, (step + 1) / max(1, WARMUP * steps)) * (1 - (1 - SHORTER) * step / steps)


def _restored(kept: Path | None, chosen: Sequence[nn.Parameter], optimizer: torch.optim.Optimizer) -> int:
    """Takes over the state in the file; returns the steps that are done."""
    if kept is None or not kept.is_file():
        return 0
    state = torch.load(kept, weights_only=True)
    with torch.no_grad():
        for parameter, moved in zip(chosen, state["moved"], strict=True):
            parameter.copy_(moved)
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
