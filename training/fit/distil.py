"""Takes layers out of a text checkpoint. The others learn to read as the whole checkpoint did.

    python -m training.fit.distil runs/text/checkpoint --encoder 0 2 --decoder 0 2 --minutes 195     # → runs/thin/checkpoint

Which layers are missed least tells `--try`, which trains nothing. The backbone is the whole checkpoint's and stays as it is. What is
learned: the transcripts, as in `train.py`, and after Hinton et al. 2015 and Romero et al. 2015 what the whole checkpoint gives for the
same line: its CTC head in every column, its decoder at every character, and the encoder's features. Interrupted, it goes on like `train.py`.
"""

import argparse
import copy
import itertools
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import PreTrainedTokenizerFast, VisionEncoderDecoderModel

from training.data import printed_faces, word_frequencies
from training.fit.train import CTC_WEIGHT, Run, ctc_loss, decoder_inputs, losses, train
from training.synthesis.batch import Batch
from training.synthesis.line_stream import LineStream

FEATURES_WEIGHT = 0.5  # of the encoder's features, whose distance is counted in the whole checkpoint's variance
TRIED = 8  # batches


class Seen(nn.Module):
    """The features that another encoder's backbone has just made."""

    def __init__(self, backbone: nn.Module):
        super().__init__()
        self.features: Tensor | None = None
        backbone.register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: tuple, features: Tensor) -> None:
        self.features = features.detach()

    def forward(self, *_: Tensor) -> Tensor:
        assert self.features is not None  # the other encoder has run
        return self.features


def thinned(whole: VisionEncoderDecoderModel, encoder: list[int], decoder: list[int]) -> VisionEncoderDecoderModel:
    """A copy with these of the layers, numbered from 0."""
    thin = copy.deepcopy(whole)
    thin.encoder.layers = nn.ModuleList(thin.encoder.layers[number] for number in encoder)
    body = thin.decoder.model.decoder
    body.layers = nn.ModuleList(body.layers[number] for number in decoder)
    thin.config.encoder.num_hidden_layers, thin.config.decoder.decoder_layers = len(encoder), len(decoder)
    return thin


class Thinning(Run):
    """A training run of a thinned checkpoint beside the `whole` one."""

    def __init__(
        self,
        folder: Path,
        thin: VisionEncoderDecoderModel,
        whole: VisionEncoderDecoderModel,
        tokenizer: PreTrainedTokenizerFast,
        device: str,
        rate: float,
    ):
        super().__init__(folder, thin, tokenizer, device, rate)
        thin.encoder.backbone.requires_grad_(False)
        self.whole = whole.to(device).eval()
        self.whole.encoder.backbone = Seen(thin.encoder.backbone)

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        inputs = decoder_inputs(batch.targets, self.model.config.decoder.vocab_size)
        encoded, logits = both(self.model, batch.pixels, inputs)
        with torch.no_grad():
            encoded_whole, logits_whole = both(self.whole, batch.pixels, inputs)
        columns, tokens = encoded.attention_mask, batch.targets != -100
        features, of_whole = (
            encoded.last_hidden_state.float()[columns],
            encoded_whole.last_hidden_state.float()[columns],
        )
        head = ctc_loss(encoded, batch.targets) + divergence(
            encoded.ctc_logits[columns], encoded_whole.ctc_logits[columns]
        )
        attention = F.cross_entropy(logits[tokens].float(), batch.targets[tokens]) + divergence(
            logits[tokens], logits_whole[tokens]
        )
        distance = F.mse_loss(features, of_whole) / of_whole.var()
        return CTC_WEIGHT * head + (1 - CTC_WEIGHT) * attention + FEATURES_WEIGHT * distance, head, attention


def both(model: VisionEncoderDecoderModel, pixels: Tensor, inputs: Tensor) -> tuple:
    """What the encoder gives, and the decoder's logits (batch, length, vocabulary)."""
    encoded = model.encoder(pixels)
    decoded = model.decoder(
        input_ids=inputs,
        encoder_hidden_states=encoded.last_hidden_state,
        encoder_attention_mask=encoded.attention_mask,
        use_cache=False,
    )
    return encoded, decoded.logits


def divergence(logits: Tensor, of_whole: Tensor) -> Tensor:
    """Kullback–Leibler, a mean over rows (rows, vocabulary)."""
    return F.kl_div(
        logits.float().log_softmax(-1), of_whole.float().log_softmax(-1), log_target=True, reduction="batchmean"
    )


@torch.no_grad()
def try_all(whole: VisionEncoderDecoderModel, batches: list[Batch]) -> None:
    """Prints the losses on training lines for every choice of the encoder's layers, with the whole decoder, and of the decoder's."""
    whole.eval()

    def both_losses(encoder: list[int], decoder: list[int]) -> str:
        torch.manual_seed(1)  # the same noise in the decoder's inputs
        found = [losses(thinned(whole, encoder, decoder).eval(), batch) for batch in batches]
        ctc, decoding = (
            sum(float(part) for part in parts) / len(found)
            for parts in zip(*((loss[0], loss[1]) for loss in found), strict=True)
        )
        return f"CTC {ctc:.3f}  decoder {decoding:.3f}"

    counts = len(whole.encoder.layers), len(whole.decoder.model.decoder.layers)
    every = [list(range(count)) for count in counts]
    for size in range(counts[0], 0, -1):
        for kept in itertools.combinations(every[0], size):
            print("encoder", *kept, " ", both_losses(list(kept), every[1]), flush=True)
    for size in range(counts[1] - 1, 0, -1):
        for kept in itertools.combinations(every[1], size):
            print("decoder", *kept, " ", both_losses(every[0], list(kept)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("whole", type=Path, help="the checkpoint's folder")
    parser.add_argument(
        "--try",
        action="store_true",
        dest="trying",
        help="train nothing, but print the losses without some of either's layers",
    )
    parser.add_argument(
        "--encoder", type=int, nargs="+", default=[0, 2], metavar="LAYER", help="those that stay, numbered from 0"
    )
    parser.add_argument("--decoder", type=int, nargs="+", default=[0, 2], metavar="LAYER")
    parser.add_argument("--run", type=Path, default=Path("runs/thin"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument(
        "--slice", type=float, default=float("inf"), metavar="MINUTES", help="stop this call after so long"
    )
    parser.add_argument("--columns", type=int, default=14_000, help="pixel columns in a batch: some 25 lines")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(arguments.whole)
    whole = VisionEncoderDecoderModel.from_pretrained(arguments.whole, dtype=torch.float32)
    for kept, count in (
        (arguments.encoder, whole.config.encoder.num_hidden_layers),
        (arguments.decoder, whole.config.decoder.decoder_layers),
    ):
        if not set(kept) <= set(range(count)):
            parser.error(f"{arguments.whole} has {count} layers there, numbered from 0; there is no layer {max(kept)}.")
    height = whole.config.encoder.image_height
    downloads = arguments.run.parent / "downloads"
    stream = LineStream(
        arguments.seed, word_frequencies.fetch(downloads), height, arguments.columns, printed_faces.fetch(downloads)
    )
    stream.tokenize_with(tokenizer)
    if arguments.trying:
        try_all(whole, list(itertools.islice(iter(stream), TRIED)))
        return
    run = Thinning(
        arguments.run,
        thinned(whole, arguments.encoder, arguments.decoder),
        whole,
        tokenizer,
        arguments.device,
        arguments.rate,
    )
    if (arguments.run / "state.json").exists():
        run.resume()
    run.model.encoder.backbone.to(memory_format=torch.channels_last)
    run.model.train()
    stream.seed += run.step  # not the same lines again
    train(
        run,
        DataLoader(stream, batch_size=None, num_workers=1, prefetch_factor=20),
        60 * arguments.minutes,
        60 * arguments.slice,
    )


if __name__ == "__main__":
    main()
