"""Runs any `VisionEncoderDecoderModel` on torch: Microsoft's, others of that class, and the shipped ones."""

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import EncoderDecoderCache, VisionEncoderDecoderModel

from hwr_core.checkpoints.checkpoint_config import special_tokens
from hwr_core.decoding.unread_symbols import SeenSymbol, seen_symbols
from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import MAX_THREADS

ENCODED_AT_ONCE = (
    4  # images, on a CPU: their features fit its cache, so a page takes a third less time than all at once
)
_used_in: int | None = None  # the process that first made a network


class ForkedError(RuntimeError):
    """torch was used before this process was forked, so it cannot run here."""


class TorchNetwork:
    """A `decoding.network.Network` on torch.

    Attributes:
        fills_the_cores: True, because two batches at once slow each other down.
    """

    fills_the_cores = True

    def __init__(self, model: VisionEncoderDecoderModel, device: str = "cpu"):
        """Moves the model to `device`, "cpu" or "cuda".

        Raises:
            ForkedError: torch was used here before this process was forked.
        """
        check_not_forked()
        global _used_in
        _used_in = os.getpid()
        self.model = model.to(device).eval()
        self.device = device
        self.model.encoder.to(memory_format=torch.channels_last)  # faster convolutions
        self.start, self.end, self.pad = special_tokens(model.config, model.generation_config)
        self.vocabulary = model.config.decoder.vocab_size
        # OMP_NUM_THREADS and the free cores bound what torch reports here.
        torch.set_num_threads(min(MAX_THREADS, torch.get_num_threads()))

    @torch.inference_mode()
    def encode(self, pixel_values: np.ndarray, beams: int) -> "_Encoded":
        images = torch.from_numpy(np.ascontiguousarray(pixel_values)).to(self.device)
        at_once = len(images) if self.device != "cpu" else 1 if low_memory() else ENCODED_AT_ONCE
        parts = [self.model.encoder(part) for part in images.split(at_once)]
        states = torch.cat([part.last_hidden_state for part in parts])
        mask, ctc_logits = _output(parts, "attention_mask"), _output(parts, "ctc_logits")
        logits = _output(parts, "symbol_logits")
        symbols = None
        if logits is not None:
            found = zip(logits.float().cpu().numpy(), pixel_values[:, 0], strict=True)
            symbols = [seen_symbols(of_item, picture) for of_item, picture in found]
        if low_memory() and self.device == "cpu":
            give_back_freed()  # of the encoder, before the decoder stores keys and values of every layer
        if hasattr(self.model, "enc_to_dec_proj"):
            states = self.model.enc_to_dec_proj(states)
        return _Encoded(self.model.decoder, states, mask, ctc_logits, symbols, beams)


def _output(parts: list, name: str) -> Tensor | None:
    """Joins an output of the encoder's that not every encoder has."""
    if getattr(parts[0], name, None) is None:
        return None
    return torch.cat([getattr(part, name) for part in parts])


def check_not_forked() -> None:
    """Raises ForkedError if torch was used here before this process was forked.

    Its threads do not exist in the child.
    """
    if _used_in not in (None, os.getpid()):
        raise ForkedError("torch was used before this process was forked: start the process with the method spawn.")


class _Encoded:
    """The encoder's output for a batch, and the state of decoding it."""

    def __init__(
        self,
        decoder: Any,
        states: Tensor,
        mask: Tensor | None,
        ctc_logits: Tensor | None,
        symbols: list[list[SeenSymbol]] | None,
        beams: int,
    ):
        self.symbols = symbols
        self.decoder, self.beams, self.parts = decoder, beams, (states, mask, ctc_logits)
        self.mask: np.ndarray | None = mask.cpu().numpy() if mask is not None else None
        self.ctc_logits: np.ndarray | None = ctc_logits.float().cpu().numpy() if ctc_logits is not None else None
        rows = torch.arange(len(states), device=states.device).repeat_interleave(beams)
        self.states, self.row_mask = states[rows], mask[rows] if mask is not None else None
        self.cache: EncoderDecoderCache | None = None
        self.order = np.arange(len(rows))  # of the cache's rows if no beam moves

    def alone(self, item: int) -> "_Encoded":
        return self._of(np.array([item]), 1)

    def chosen(self, items: np.ndarray, beams: int) -> "_Encoded":
        return self._of(items, beams)

    def _of(self, items: np.ndarray, beams: int) -> "_Encoded":
        states, mask, ctc_logits = self.parts
        mask, ctc_logits = (None if part is None else part[items] for part in (mask, ctc_logits))
        symbols = None if self.symbols is None else [self.symbols[item] for item in items]
        return _Encoded(self.decoder, states[items], mask, ctc_logits, symbols, beams)

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        if self.cache is not None and not np.array_equal(origin, self.order):
            # An item's beams look at the same image, so only the self-attention's cache moves.
            getattr(self.cache, "self_attention_cache", self.cache).reorder_cache(
                torch.from_numpy(origin).to(self.states.device)
            )
        self.order = np.arange(len(tokens))
        return self._run(tokens[:, None])[:, -1]

    def ahead(self, tokens: np.ndarray) -> np.ndarray:
        return self._run(tokens[None])[0]

    def back(self, steps: int) -> None:
        if steps and self.cache is not None:
            self.cache.crop(-steps)  # transformers counts from the end

    @torch.inference_mode()
    def _run(self, tokens: np.ndarray) -> np.ndarray:
        output = self.decoder(
            input_ids=torch.from_numpy(tokens).to(self.states.device), encoder_hidden_states=self.states,
            encoder_attention_mask=self.row_mask, past_key_values=self.cache, use_cache=True,
        )  # fmt: skip
        self.cache = output.past_key_values
        return output.logits.float().cpu().numpy().copy()

    @torch.inference_mode()
    def keep(self, items: np.ndarray) -> None:
        self.mask, self.ctc_logits = (part if part is None else part[items] for part in (self.mask, self.ctc_logits))
        rows = torch.from_numpy((items[:, None] * self.beams + np.arange(self.beams)).ravel()).to(self.states.device)
        self.states, self.row_mask = self.states[rows], self.row_mask[rows] if self.row_mask is not None else None
        if (crossed := getattr(self.cache, "cross_attention_cache", None)) is not None:
            crossed.batch_select_indices(rows)
