"""The math checkpoint's image encoder: the text checkpoint's backbone, then transformer layers, over two dimensions.

A batch of formulas is padded on the right and at the bottom with the exact value 0, which no pixel of an image has.
As in `line_encoder.py`, a formula reads the same alone and in a batch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from hwr_core.checkpoints.line_encoder import BLOCKS, Backbone, Mask, of_features, shown, sinusoids, strided
from hwr_core.checkpoints.pixels import CELL

STRIDES = {3: (2, 2)}  # of the backbone's blocks: digits are three cells high, scripts two


class FormulaEncoderConfig(PreTrainedConfig):
    """Sizes of a `FormulaEncoder`.

    Attributes:
        hidden_size: Width of the features.
        symbol_vocab_size: Tokens of the head that names each cell's symbol. 0: no head.
    """

    model_type = "hwr_formula_encoder"

    hidden_size: int = 256
    num_hidden_layers: int = 3
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    dropout: float = 0.1
    symbol_vocab_size: int = 0


@dataclass
class FormulaEncoderOutput(ModelOutput):
    """Output of a `FormulaEncoder`.

    Attributes:
        last_hidden_state: (batch, rows · columns, hidden).
        attention_mask: (batch, rows · columns) bool, false for padding.
        symbol_logits: (batch, rows, columns, vocabulary): the token that the ink in a cell belongs to.
    """

    last_hidden_state: Tensor | None = None
    attention_mask: Tensor | None = None
    symbol_logits: Tensor | None = None


class FormulaLayer(nn.Module):
    """A pre-norm transformer layer with a depthwise convolution over the cells around, which tells neighbours apart."""

    def __init__(self, config: FormulaEncoderConfig):
        super().__init__()
        size = config.hidden_size
        self.heads = config.num_attention_heads
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.qkv = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)
        self.conv = nn.Conv2d(size, size, 5, padding=2, groups=size)
        self.fc1 = nn.Linear(size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, size)
        self.dropout = config.dropout

    def forward(self, x: Tensor, mask: Mask) -> Tensor:
        # x (batch, rows, columns, hidden), mask (batch, rows, columns)
        shut_out = None if mask is None else mask.flatten(1)[:, None, None, :]
        x = x + self.conv(shown(x, of_features(mask)).movedim(-1, 1)).movedim(1, -1)
        cells = x.flatten(1, 2)
        q, k, v = self.qkv(self.norm1(cells)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=shut_out)
        cells = cells + self.drop(self.out(attended.transpose(1, 2).flatten(2)))
        cells = cells + self.drop(self.fc2(F.gelu(self.fc1(self.norm2(cells)))))
        return cells.view_as(x)

    def drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class FormulaEncoder(PreTrainedModel):
    """`pixel_values` (batch, 1, height, width) in −1..1, with 0 for padding → `FormulaEncoderOutput`.

    Height and width are multiples of `CELL`. `padded` is as for `LineEncoder`.
    """

    config_class = FormulaEncoderConfig
    main_input_name = "pixel_values"
    base_model_prefix = "encoder"

    def __init__(self, config: FormulaEncoderConfig):
        super().__init__(config)
        size = config.hidden_size
        self.backbone = Backbone(STRIDES)
        self.cells = nn.Linear(BLOCKS[-1][1], size)
        self.norm_in = nn.LayerNorm(size)
        self.layers = nn.ModuleList(FormulaLayer(config) for _ in range(config.num_hidden_layers))
        self.norm_out = nn.LayerNorm(size)
        self.symbols = nn.Linear(size, config.symbol_vocab_size) if config.symbol_vocab_size else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, pixel_values: Tensor, padded: bool = True, **kwargs) -> FormulaEncoderOutput:
        mask = pixel_values != 0 if padded else None  # (batch, 1, height, width)
        mask2 = strided(mask, (2, 2))
        x = self.backbone(pixel_values, mask2, strided(mask2, (2, 2)))
        mask = mask[:, 0, ::CELL, ::CELL] if mask is not None else None
        x = self.norm_in(self.cells(x.movedim(1, -1)))  # (batch, rows, columns, hidden)
        x = x + _positions(x.shape[1], x.shape[2], x.shape[3], x.device).to(x.dtype)
        for layer in self.layers:
            x = layer(x, mask)
        x = shown(self.norm_out(x), of_features(mask))
        logits = self.symbols(x) if self.symbols is not None else None
        return FormulaEncoderOutput(
            last_hidden_state=x.flatten(1, 2),
            attention_mask=mask.flatten(1) if mask is not None else None,
            symbol_logits=logits,
        )


def _positions(rows: int, columns: int, size: int, device: torch.device) -> Tensor:
    """Returns (rows, columns, size): half the features encode the row, half the column."""
    half = size // 2
    down, across = sinusoids(rows, half, device)[:, None], sinusoids(columns, half, device)[None]
    return torch.cat([down.expand(-1, columns, -1), across.expand(rows, -1, -1)], -1)


AutoConfig.register(FormulaEncoderConfig.model_type, FormulaEncoderConfig)
AutoModel.register(FormulaEncoderConfig, FormulaEncoder)
