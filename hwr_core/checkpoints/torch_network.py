"""Any `VisionEncoderDecoderModel` as the network that is decoded: Microsoft's checkpoints, others of that class, and the shipped ones."""

import numpy as np
import torch
from torch import Tensor
from transformers import EncoderDecoderCache, VisionEncoderDecoderModel

from hwr_core.checkpoints.checkpoint_config import special_tokens
from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import MAX_THREADS

ENCODED_AT_ONCE = (
    4  # images, on a CPU: their features still fit its cache, which makes a page a third quicker than all at once
)


class TorchNetwork:
    """As `network.Network`. `device` is "cpu" or "cuda"."""

    fills_the_cores = True

    def __init__(self, model: VisionEncoderDecoderModel, device: str = "cpu"):
        self.model, self.device = model.to(device).eval(), device
        self.model.encoder.to(memory_format=torch.channels_last)  # convolutions are quicker so
        self.start, self.end, self.pad = special_tokens(model.config, model.generation_config)
        self.vocabulary = model.config.decoder.vocab_size
        torch.set_num_threads(
            min(MAX_THREADS, torch.get_num_threads())
        )  # which the cores free to us and OMP_NUM_THREADS bound

    @torch.inference_mode()
    def encode(self, pixel_values: np.ndarray, beams: int) -> "_Encoded":
        images = torch.from_numpy(np.ascontiguousarray(pixel_values)).to(self.device)
        at_once = len(images) if self.device != "cpu" else 1 if low_memory() else ENCODED_AT_ONCE
        parts = [self.model.encoder(part) for part in images.split(at_once)]
        columns = [
            [getattr(part, name, None) for part in parts]
            for name in ("last_hidden_state", "attention_mask", "ctc_logits")
        ]
        states, mask, ctc_logits = (torch.cat(column) if column[0] is not None else None for column in columns)
        if low_memory() and self.device == "cpu":
            give_back_freed()  # what the encoder worked with, before the decoder keeps keys and values of every layer
        if hasattr(self.model, "enc_to_dec_proj"):
            states = self.model.enc_to_dec_proj(states)
        return _Encoded(self.model.decoder, states, mask, ctc_logits, beams)


class _Encoded:
    def __init__(self, decoder, states: Tensor, mask: Tensor | None, ctc_logits: Tensor | None, beams: int):
        self.decoder, self.beams, self.parts = decoder, beams, (states, mask, ctc_logits)
        self.mask = mask.cpu().numpy() if mask is not None else None
        self.ctc_logits = ctc_logits.float().cpu().numpy() if ctc_logits is not None else None
        rows = torch.arange(len(states), device=states.device).repeat_interleave(beams)
        self.states, self.row_mask = states[rows], mask[rows] if mask is not None else None
        self.cache: EncoderDecoderCache | None = None
        self.order = np.arange(len(rows))  # of the cache's rows, where they go on as they are

    def alone(self, item: int) -> "_Encoded":
        return _Encoded(
            self.decoder, *(part if part is None else part[item : item + 1] for part in self.parts), beams=1
        )

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        if self.cache is not None and not np.array_equal(origin, self.order):
            # An item's beams look at the same image: what the decoder keeps of it need not move.
            getattr(self.cache, "self_attention_cache", self.cache).reorder_cache(
                torch.from_numpy(origin).to(self.states.device)
            )
        self.order = np.arange(len(tokens))
        return self._run(tokens[:, None])[:, -1]

    def ahead(self, tokens: np.ndarray) -> np.ndarray:
        return self._run(tokens[None])[0]

    def back(self, steps: int) -> None:
        if steps:
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
