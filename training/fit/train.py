"""Trains a shipped checkpoint from `../shared/data`: `python -m training.fit.train text --minutes 240`, or `math`.

Interrupt it when you like: the same command goes on from the run's last state. The learning rate warms up, stays, and
falls to zero over the last part of `--minutes` of training time; a later call with more minutes goes on at the full rate.
"""

import argparse
import itertools
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast, VisionEncoderDecoderModel

from hwr_core.checkpoints.line_encoder import Block, LineEncoderOutput
from training.data import printed_faces, word_frequencies
from training.data.charset import SPECIAL, build_bpe_tokenizer, build_tokenizer
from training.data.formula_symbols import build_math_tokenizer
from training.fit.echo import Echo
from training.fit.model import build_math_model, build_text_model, save_checkpoint, warm_start
from training.fit.state import load_state, save_state
from training.fit.warm_start import shape_of, take_over
from training.synthesis.batch import Batch
from training.synthesis.formula_stream import FormulaStream
from training.synthesis.line_stream import EOS, PAD, LineStream

CTC_WEIGHT = 0.35
SYMBOLS_WEIGHT = 0.25
GUIDED_WEIGHT = 0.1
GUIDED_HEADS = 2  # of each decoder layer but the first, which looks where the last token was
BACKBONE_RATE = 0.4  # of the learning rate: it starts trained
TOKEN_NOISE = 0.06  # share of the decoder's inputs replaced, so that it goes on after an error of its own
SAVE_EVERY = 120  # seconds: of ten minutes on a lent GPU a crash is to cost few
COOLDOWN = 0.3  # of a run's time

Parts = tuple[LineStream | FormulaStream, PreTrainedTokenizerFast, VisionEncoderDecoderModel]


def losses(model: VisionEncoderDecoderModel, batch: Batch) -> tuple[Tensor, Tensor, Tensor | None]:
    """What the encoder's head is trained with, the decoder's cross-entropy, each a mean over tokens, and of formulas `guidance`.

    Of lines the first is CTC (Kim, Hori and Watanabe 2017), of formulas the cross-entropy of the token in each cell.
    """
    encoded = model.encoder(batch.pixels)
    if batch.cells is not None:
        head = F.cross_entropy(
            encoded.symbol_logits.float().flatten(0, 2), batch.cells[:, 0].flatten(), ignore_index=-100
        )
    else:
        head = ctc_loss(encoded, batch.targets)
    inputs = decoder_inputs(batch.targets, model.config.decoder.vocab_size)
    decoded = model.decoder(
        input_ids=inputs, encoder_hidden_states=encoded.last_hidden_state,
        encoder_attention_mask=encoded.attention_mask, use_cache=False, output_attentions=batch.cells is not None,
    )  # fmt: skip
    logits = decoded.logits.float().flatten(0, 1)
    attention = F.cross_entropy(logits, batch.targets.flatten(), ignore_index=-100, label_smoothing=0.05)
    return (
        head,
        attention,
        None if batch.cells is None else guidance(decoded.cross_attentions[1:], batch.cells[:, 1], inputs.shape[1]),
    )


def decoder_inputs(targets: Tensor, vocabulary: int) -> Tensor:
    """The targets moved on by one, some of them replaced by chance."""
    inputs = targets.roll(1, 1)
    inputs[:, 0] = EOS
    inputs = inputs.masked_fill(inputs == -100, PAD)
    noisy = (torch.rand(inputs.shape, device=inputs.device) < TOKEN_NOISE) & (inputs >= len(SPECIAL))
    return torch.where(noisy, torch.randint_like(inputs, len(SPECIAL), vocabulary), inputs)


def guidance(attentions: Sequence[Tensor], places: Tensor, length: int) -> Tensor:
    """How far some heads look elsewhere than at the ink of the token to be written: −log of their weight on it.

    After Liu et al. 2017 (supervised attention). `attentions` (batch, heads, length, cells) each, `places` (batch, rows, columns).
    Without it the decoder finds a symbol by its kind, and of two alike may go on from the wrong one.
    """
    ink = places.flatten(1)[:, None, :] == torch.arange(length, device=places.device)[None, :, None]
    has = ink.any(2)
    if not has.any():
        return attentions[0].new_zeros(())
    weights = torch.stack([weight[:, :GUIDED_HEADS].float().mean(1) for weight in attentions])
    return -(weights * ink).sum(3).clamp(min=1e-4).log()[:, has].mean()


def ctc_loss(encoded: LineEncoderOutput, targets: Tensor) -> Tensor:
    assert encoded.ctc_logits is not None and encoded.attention_mask is not None  # a line encoder gives both
    lengths = (targets != -100).sum(1)
    log_probabilities = encoded.ctc_logits.float().log_softmax(-1).transpose(0, 1)
    ctc = F.ctc_loss(
        log_probabilities,
        targets.clamp(min=0),
        encoded.attention_mask.sum(1),
        lengths - 1,
        blank=PAD,
        reduction="none",
        zero_infinity=True,
    )
    return ctc.sum() / (lengths - 1).sum().clamp(
        min=1
    )  # a mean over lines would let a line of one character outweigh all others


def rate_at(step: int, progress: float, peak: float, warmup: int = 300, cooldown: float = COOLDOWN) -> float:
    """Warm-up, plateau, linear cool-down (Hägele et al. 2024): can be prolonged without choosing the length beforehand.

    `progress` 0–1 is the share of the run's time that is over; by a tenth of it the warm-up is over at the latest.
    """
    return peak * min(1.0, max((step + 1) / warmup, 10 * progress), max(0.0, (1 - progress) / cooldown))


class Run:
    """Weights, their moving average and the optimizer of one training run, and where they are kept."""

    def __init__(
        self,
        folder: Path,
        model: VisionEncoderDecoderModel,
        tokenizer: PreTrainedTokenizerFast,
        device: str,
        rate: float,
    ):
        self.folder, self.model, self.tokenizer, self.device, self.rate = (
            folder,
            model.to(device),
            tokenizer,
            device,
            rate,
        )
        self.step, self.seconds = 0, 0.0  # done so far, and the time that it took
        self.bf16 = device != "cpu" or quicker_in_bf16()
        backbone = list(model.encoder.backbone.parameters())
        ids = {id(parameter) for parameter in backbone}
        rest = [parameter for parameter in model.parameters() if id(parameter) not in ids]
        groups = [{"params": backbone, "share": BACKBONE_RATE}, {"params": rest, "share": 1.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
        self.average = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def resume(self) -> None:
        shapes = {
            index: parameter.shape
            for index, parameter in enumerate(p for g in self.optimizer.param_groups for p in g["params"])
        }
        model, average, moments, record = load_state(self.folder, shapes)
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        self.average = {name: tensor.to(self.device) for name, tensor in average.items()}
        self.step, self.seconds = int(record["step"]), record["seconds"]

    def save(self) -> None:
        counters = {"step": self.step, "seconds": self.seconds}
        save_state(self.folder, self.model.state_dict(), self.average, self.optimizer.state_dict(), counters)
        save_checkpoint(self.model, self.tokenizer, self.average, self.folder / "checkpoint")

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """What is to be made small, and two parts of it: the encoder's head's and the decoder's."""
        head, attention, guided = losses(self.model, batch)
        weight = CTC_WEIGHT if batch.cells is None else SYMBOLS_WEIGHT
        loss = weight * head + (1 - weight) * attention
        return loss if guided is None else loss + GUIDED_WEIGHT * guided, head, attention

    def update(self, batch: Batch, progress: float, cooldown: float = COOLDOWN) -> Tensor:
        """One step; the losses of the encoder's head and of the decoder, (2,), on the device: reading them makes it wait."""
        cells = None if batch.cells is None else batch.cells.to(self.device).long()
        batch = Batch(
            batch.pixels.to(self.device).float().to(memory_format=torch.channels_last),
            batch.targets.to(self.device),
            cells,
        )
        rate = rate_at(self.step, progress, self.rate, cooldown=cooldown)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            loss, head, attention = self.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        self.step += 1
        decay = min(0.999, self.step / (self.step + 10))
        weights = self.model.state_dict()
        torch._foreach_lerp_([self.average[name] for name in weights], list(weights.values()), 1 - decay)
        return torch.stack([head.detach(), attention.detach()]).float()


def quicker_in_bf16(repeats: int = 5) -> bool:
    """Whether this processor trains one of the backbone's blocks quicker under bf16 autocast.

    Most with AMX or AVX-512 BF16 do; the others widen every number first."""
    with torch.random.fork_rng(devices=[]):
        block = Block(192, 192, True, (1, 1))
        block.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack this overload
        features = torch.randn(8, 192, 6, 100).to(memory_format=torch.channels_last)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for bf16 in [True, False] * repeats:
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            block(features, None)[0].float().sum().backward()
        seconds[bf16].append(time.perf_counter() - started)
    return min(seconds[True]) < min(seconds[False])


def text_parts(arguments: argparse.Namespace, downloads: Path) -> Parts:
    shape = {
        "hidden_size": arguments.hidden,
        "encoder_layers": arguments.encoder_layers or 4,
        "decoder_layers": arguments.decoder_layers,
    }
    shape = shape_of(arguments.start) if arguments.start else shape
    shape["height"] = arguments.height or shape.get("height", 48)
    faces = printed_faces.fetch(downloads)
    stream = LineStream(arguments.seed, word_frequencies.fetch(downloads), shape["height"], arguments.columns, faces)
    tokenizer = (
        build_bpe_tokenizer(list(itertools.chain(*stream.sentences.values())), arguments.bpe)
        if arguments.bpe
        else build_tokenizer()
    )
    return stream.tokenize_with(tokenizer), tokenizer, build_text_model(len(tokenizer), **shape)


def math_parts(arguments: argparse.Namespace, downloads: Path) -> Parts:
    stream = FormulaStream(arguments.seed, arguments.pixels)
    tokenizer = build_math_tokenizer(stream.tokens)
    return (
        stream,
        tokenizer,
        build_math_model(len(tokenizer), arguments.hidden, arguments.encoder_layers or 3, arguments.decoder_layers),
    )


def train_checkpoint(arguments: argparse.Namespace) -> None:
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    folder = arguments.run or Path("runs") / arguments.checkpoint
    downloads = folder.parent / "downloads"
    stream: LineStream | FormulaStream
    stream, tokenizer, model = {"text": text_parts, "math": math_parts}[arguments.checkpoint](arguments, downloads)
    run = Run(folder, model, tokenizer, arguments.device, arguments.rate)
    if (folder / "state.json").exists():
        run.resume()
    else:
        if arguments.start:
            take_over(model, tokenizer.get_vocab(), arguments.start)
        else:
            warm_start(model, downloads, arguments.backbone)
        run.average = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.encoder.backbone.to(memory_format=torch.channels_last)
    if arguments.freeze is not None:
        model.encoder.backbone.freeze(arguments.freeze)
    model.train()
    stream.few_shapes = arguments.device != "cpu"
    stream.seed += run.step  # not the same lines again
    loader = DataLoader(
        stream, batch_size=None, num_workers=arguments.workers, prefetch_factor=max(2, 20 // arguments.workers)
    )
    cooldown = COOLDOWN if arguments.cooldown is None else arguments.cooldown / arguments.minutes
    batches: Iterable[Batch] = loader
    if arguments.echo:
        batches = Echo(loader, arguments.device, arguments.echo, arguments.seed)
    train(run, batches, 60 * arguments.minutes, 60 * arguments.slice if arguments.slice else float("inf"), cooldown)


def train(run: Run, batches: Iterable[Batch], budget: float, slice_: float, cooldown: float = COOLDOWN) -> None:
    """Until the run has had `budget` seconds in all, this call `slice_` seconds, or a signal comes; `cooldown` is a share of the budget."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())  # ends after the step in hand, with everything saved
    before, started = run.seconds, time.monotonic()
    saved, means = started, torch.zeros(2, device=run.device)
    try:
        with tqdm(
            total=round(budget),
            initial=round(before),
            unit="s",
            mininterval=5,
            bar_format="{desc} {n}/{total} s {postfix}",
        ) as bar:
            for batch in batches:
                now = time.monotonic()
                run.seconds = before + now - started
                if run.seconds >= budget or now - started > slice_ or stopped.is_set():
                    break
                means.lerp_(run.update(batch, run.seconds / budget, cooldown), 0.02)
                if run.step % 20 == 0:
                    head, decoder = means.tolist()
                    bar.set_postfix_str(
                        f"step {run.step} encoder {head:.3f} decoder {decoder:.3f} batch {len(batch)}{echoed(batches)}",
                        refresh=False,
                    )
                bar.update(round(run.seconds) - bar.n)
                if now - saved > SAVE_EVERY:
                    run.save()
                    saved = now
    finally:  # also where a worker was killed
        run.save()


def echoed(batches: Iterable[Batch]) -> str:
    return f" new {batches.fresh} again {batches.again}" if isinstance(batches, Echo) else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", choices=["text", "math"])
    parser.add_argument("--run", type=Path, help="folder of the run's state and checkpoint; runs/text or runs/math")
    parser.add_argument("--minutes", type=float, default=240, help="training time of the whole run, over all calls")
    parser.add_argument(
        "--cooldown",
        type=float,
        metavar="MINUTES",
        help="the last of them, in which the rate falls; three tenths of them unless given",
    )
    parser.add_argument(
        "--slice", type=float, metavar="MINUTES", help="stop this call after so long; go on with the same command"
    )
    parser.add_argument(
        "--columns",
        type=int,
        default=14_000,
        help="pixel columns in a batch: some 25 lines; ten times as many on a GPU",
    )
    parser.add_argument("--pixels", type=int, default=300_000, help="math: pixels in a batch, some 20 formulas")
    parser.add_argument("--rate", type=float, default=6e-4, help="the highest learning rate")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1, help="processes that make lines")
    parser.add_argument(
        "--echo",
        type=float,
        default=0,
        metavar="GB",
        help="keep so much of what was drawn on the device, and train on it again, warped, while nothing new is there",
    )
    parser.add_argument("--start", type=Path, help="a checkpoint to go on from, whose layers the run takes")
    parser.add_argument(
        "--backbone", type=Path, help="a checkpoint to take only the backbone from, in place of PP-OCRv6-small's"
    )
    parser.add_argument(
        "--freeze",
        type=int,
        metavar="BLOCKS",
        help="leave the backbone's stem and first blocks as they are (quicker on a CPU)",
    )
    parser.add_argument("--hidden", type=int, default=256, help="width of the encoder's and the decoder's layers")
    parser.add_argument("--encoder-layers", type=int, help="4 for text, 3 for math")
    parser.add_argument("--decoder-layers", type=int, default=3)
    parser.add_argument("--height", type=int, help="text: pixels of a line, a multiple of 16; 48, or as --start has it")
    parser.add_argument(
        "--bpe",
        type=int,
        default=0,
        metavar="TOKENS",
        help="byte-pair encoding of so many tokens in place of characters",
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    train_checkpoint(arguments)


if __name__ == "__main__":
    main()
