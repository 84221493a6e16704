"""Trains a shipped checkpoint from `../shared/data`: `python -m training.train text --steps 6000 --run runs/text`.

Interrupt it when you like: the same command goes on from the run's last state. The learning rate warms up, stays,
and falls to zero over the last part of `--steps`; a later call with more steps goes on at the full rate.
"""

import argparse
import signal
import threading
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm
from transformers import VisionEncoderDecoderModel

from training.charset import SPECIAL
from training.lines import EOS, PAD, Batch, LineStream
from training.model import build_text_model, save_checkpoint, warm_start

CTC_WEIGHT = 0.35
BACKBONE_RATE = 0.4  # of the learning rate: it starts trained
TOKEN_NOISE = 0.06  # share of the decoder's inputs replaced, so that it goes on after an error of its own
SAVE_EVERY = 600  # seconds


def losses(model: VisionEncoderDecoderModel, batch: Batch) -> tuple[Tensor, Tensor]:
    """CTC of the encoder and cross-entropy of the decoder, each per character (Kim, Hori and Watanabe 2017)."""
    encoded = model.encoder(batch.pixels)
    lengths = (batch.targets != -100).sum(1)
    log_probabilities = encoded.ctc_logits.float().log_softmax(-1).transpose(0, 1)
    ctc = F.ctc_loss(
        log_probabilities, batch.targets.clamp(min=0), encoded.attention_mask.sum(1), lengths - 1, blank=PAD, zero_infinity=True
    )
    inputs = batch.targets.roll(1, 1)
    inputs[:, 0] = EOS
    inputs = inputs.masked_fill(inputs == -100, PAD)
    noisy = (torch.rand(inputs.shape, device=inputs.device) < TOKEN_NOISE) & (inputs >= len(SPECIAL))
    noise = torch.randint_like(inputs, len(SPECIAL), model.config.decoder.vocab_size)
    decoded = model.decoder(
        input_ids=torch.where(noisy, noise, inputs), encoder_hidden_states=encoded.last_hidden_state,
        encoder_attention_mask=encoded.attention_mask, use_cache=False,
    )  # fmt: skip
    logits = decoded.logits.float().flatten(0, 1)
    return ctc, F.cross_entropy(logits, batch.targets.flatten(), ignore_index=-100, label_smoothing=0.05)


def rate_at(step: int, steps: int, peak: float, warmup: int = 300, cooldown: float = 0.3) -> float:
    """Warm-up, plateau, linear cool-down (Hägele et al. 2024): can be prolonged without choosing the length beforehand."""
    left = (steps - step) / max(1, steps * cooldown)
    return peak * min(1.0, (step + 1) / warmup, max(left, 0.0))


class Run:
    """Weights, their moving average and the optimizer of one training run, and where they are kept."""

    def __init__(self, folder: Path, model: VisionEncoderDecoderModel, device: str, rate: float):
        self.folder, self.model, self.device, self.rate = folder, model.to(device), device, rate
        self.step = 0
        backbone = list(model.encoder.backbone.parameters())
        ids = {id(parameter) for parameter in backbone}
        rest = [parameter for parameter in model.parameters() if id(parameter) not in ids]
        groups = [{"params": backbone, "share": BACKBONE_RATE}, {"params": rest, "share": 1.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
        self.average = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def resume(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step = state["average"], state["step"]

    def save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "average": self.average, "step": self.step}
        torch.save(state, self.folder / "state.new")
        (self.folder / "state.new").replace(self.folder / "state.pt")
        save_checkpoint(self.model, self.average, self.folder / "checkpoint")

    def update(self, batch: Batch, steps: int) -> tuple[float, float]:
        batch = Batch(batch.pixels.to(self.device).to(memory_format=torch.channels_last), batch.targets.to(self.device))
        rate = rate_at(self.step, steps, self.rate)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        with torch.autocast(self.device, torch.bfloat16):
            ctc, attention = losses(self.model, batch)
        self.optimizer.zero_grad()
        (CTC_WEIGHT * ctc + (1 - CTC_WEIGHT) * attention).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        decay = min(0.999, self.step / (self.step + 10))
        for name, tensor in self.model.state_dict().items():
            self.average[name].lerp_(tensor, 1 - decay)
        return float(ctc.detach()), float(attention.detach())


def train_text(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    model = build_text_model()
    run = Run(arguments.run, model, arguments.device, arguments.rate)
    if (arguments.run / "state.pt").exists():
        run.resume()
    else:
        if arguments.start:
            model.load_state_dict({name: tensor.float() for name, tensor in load_file(arguments.start / "model.safetensors").items()})
        else:
            warm_start(model, arguments.run.parent / "downloads")
        run.average = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.encoder.backbone.to(memory_format=torch.channels_last)
    if arguments.freeze is not None:
        model.encoder.backbone.freeze(arguments.freeze)
    model.train()
    stream = LineStream(seed=arguments.seed + run.step)
    loader = DataLoader(stream, batch_size=None, num_workers=arguments.workers, prefetch_factor=20)
    deadline = time.monotonic() + 60 * arguments.minutes if arguments.minutes else float("inf")
    saved, means = time.monotonic(), [0.0, 0.0]
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())  # ends after the step in hand, with everything saved
    try:
        with tqdm(total=arguments.steps, initial=run.step, unit="step", mininterval=5) as bar:
            for batch in loader:
                if run.step >= arguments.steps or time.monotonic() > deadline or stopped.is_set():
                    break
                for index, value in enumerate(run.update(batch, arguments.steps)):
                    means[index] += (value - means[index]) * 0.02
                bar.update()
                bar.set_postfix_str(f"ctc {means[0]:.3f} attention {means[1]:.3f} lines {len(batch)}", refresh=False)
                if time.monotonic() - saved > SAVE_EVERY:
                    run.save()
                    saved = time.monotonic()
    finally:  # also where a worker was killed
        run.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", choices=["text"])
    parser.add_argument("--run", type=Path, default=Path("runs/text"), help="folder of the run's state and checkpoint")
    parser.add_argument("--steps", type=int, default=6000, help="the step at which training ends")
    parser.add_argument("--minutes", type=float, default=0, help="stop after this time; go on with the same command")
    parser.add_argument("--rate", type=float, default=6e-4, help="the highest learning rate")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1, help="processes that make lines")
    parser.add_argument("--start", type=Path, help="a checkpoint to go on from, where the run has no state yet")
    parser.add_argument(
        "--freeze", type=int, metavar="BLOCKS", help="leave the backbone's stem and first blocks as they are (4: a quarter faster)"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    train_text(arguments)


if __name__ == "__main__":
    main()
