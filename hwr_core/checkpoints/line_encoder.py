"""The shipped checkpoints' image encoder: a convolutional backbone, then a few transformer layers, with a CTC head.

Registered with `AutoConfig`/`AutoModel`, so that `VisionEncoderDecoderModel.from_pretrained` loads a shipped checkpoint
exactly as it loads Microsoft's. The backbone is PP-LCNetV4 as PP-OCRv6-small uses it (`transformers`'
`models/pp_lcnet_v4`), with its batch norms folded into the convolutions; `training/fit/warm_start.py` fills it.

Lines keep their aspect ratio, so a batch is padded on the right. The padding is the exact value 0, which no pixel of an
image has (`pixels.py`). So the encoder knows from the pixels alone which columns are real, and a line reads the same
alone and in a batch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import ModelOutput

from hwr_core.checkpoints.pixels import WIDTH_STRIDE

# (channels in, channels out, squeeze-and-excitation) of each block of PP-LCNetV4-small.
BLOCKS = (
    [(96, 96, True), (96, 96, False), (96, 96, False), (96, 192, False)]
    + [(192, 192, i % 2 == 0) for i in range(6)]
    + [(192, 384, False), (384, 384, True), (384, 384, False)]
)
Mask = Tensor | None  # bool, or of the features' type; None if nothing is padding
Strides = dict[int, tuple[int, int]]  # block → (vertical, horizontal); blocks without an entry have 1
LINE_STRIDES: Strides = {3: (2, 1), 10: (2, 1)}


class LineEncoderConfig(PreTrainedConfig):
    """Sizes of a `LineEncoder`.

    Attributes:
        image_height: Pixels.
        hidden_size: Width of the features.
        ctc_vocab_size: Tokens of the CTC head. 0: no head.
    """

    model_type = "hwr_line_encoder"

    image_height: int = 48
    hidden_size: int = 256
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    dropout: float = 0.1
    ctc_vocab_size: int = 0


@dataclass
class LineEncoderOutput(ModelOutput):
    """Output of a `LineEncoder`.

    Attributes:
        last_hidden_state: (batch, columns, hidden).
        ctc_logits: (batch, columns, vocabulary); blank is the pad token.
        attention_mask: (batch, columns) bool, false for padding.
    """

    last_hidden_state: Tensor | None = None
    ctc_logits: Tensor | None = None
    attention_mask: Tensor | None = None


class SqueezeExcitation(nn.Module):
    """Channel attention (Hu et al. 2018), averaging over all columns except padding."""

    def __init__(self, channels: int, reduction: int = 4):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, x: Tensor, mask: Mask) -> Tensor:
        # x (batch, channels, height, width), mask (batch, 1, height or 1, width) or None
        if mask is None:
            mean = x.mean((2, 3), keepdim=True)
        else:
            mean = (x * mask).sum((2, 3), keepdim=True) / (
                mask.sum((2, 3), keepdim=True) * (x.shape[2] // mask.shape[2])
            )
        return x * F.hardsigmoid(self.excite(F.relu(self.squeeze(mean))))


class Block(nn.Module):
    """Depthwise 3×3 for tokens, then a pointwise bottleneck for channels (MetaFormer's split, as in PP-LCNetV4)."""

    def __init__(self, channels_in: int, channels_out: int, squeeze_excitation: bool, stride: tuple[int, int]):
        super().__init__()
        self.stride = stride
        self.token = nn.Conv2d(channels_in, channels_in, 3, stride, 1, groups=channels_in)
        self.excitation = SqueezeExcitation(channels_in) if squeeze_excitation else None
        self.expand = nn.Conv2d(channels_in, 2 * channels_in, 1)
        self.project = nn.Conv2d(2 * channels_in, channels_out, 1)
        self.residual = channels_in == channels_out

    def forward(self, x: Tensor, mask: Mask) -> tuple[Tensor, Mask]:
        """Returns the features and their mask, both at this block's stride."""
        x, mask = self.token(shown(x, mask)), strided(mask, self.stride)
        if self.excitation is not None:
            x = self.excitation(x, mask)
        y = pointwise(self.project, F.gelu(pointwise(self.expand, x)))
        return x + y if self.residual else y, mask


def shown(x: Tensor, mask: Mask) -> Tensor:
    """Returns `x` with zeros in place of padding."""
    return x if mask is None else x * mask


def of_features(mask: Mask) -> Mask:
    """Returns the mask for tensors whose last axis is the features."""
    return mask if mask is None else mask[..., None]


def strided(mask: Mask, stride: tuple[int, int]) -> Mask:
    """Returns the mask (batch, 1, height or 1, width) at the places that a strided convolution keeps."""
    return mask if mask is None else mask[:, :, :: stride[0], :: stride[1]]


def pointwise(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """Computes a 1×1 convolution as a matrix product.

    With channels last, its backward pass is up to five times faster on a CPU. In an exported graph it stays a
    convolution, with which onnxruntime reads a line in a third less time.
    """
    if torch.compiler.is_exporting():
        return convolution(x)
    return F.linear(x.movedim(1, -1), convolution.weight.flatten(1), convolution.bias).movedim(-1, 1)


class Backbone(nn.Module):
    """Grey pixels (batch, 1, height, width) → features (batch, 384, height/4/…, width/4/…), by the `strides`."""

    def __init__(self, strides: Strides = LINE_STRIDES):
        super().__init__()
        self.stem1 = nn.Conv2d(1, 48, 3, 2, 1)
        self.stem2a = nn.Conv2d(48, 24, 2)
        self.stem2b = nn.Conv2d(24, 48, 2)
        self.stem3 = nn.Conv2d(96, 48, 3, 2, 1)
        self.stem4 = nn.Conv2d(48, 96, 1)
        self.blocks = nn.ModuleList(Block(*block, strides.get(index, (1, 1))) for index, block in enumerate(BLOCKS))

    def freeze(self, blocks: int) -> None:
        """Excludes the stem and the first `blocks` blocks from training."""
        for module in (self.stem1, self.stem2a, self.stem2b, self.stem3, self.stem4, *self.blocks[:blocks]):
            module.requires_grad_(False)

    def forward(self, pixels: Tensor, mask2: Mask, mask4: Mask) -> Tensor:
        # mask2 and mask4 (batch, 1, rows or 1, columns): false for padding, at half and at a quarter of the size
        x = F.relu(self.stem1(pixels))
        if mask2 is not None and mask4 is not None:
            # Under autocast, a float32 mask would make all later features float32.
            mask2, mask4 = mask2.to(x.dtype), mask4.to(x.dtype)
        x = F.pad(shown(x, mask2), (0, 1, 0, 1))
        y = shown(F.relu(self.stem2a(x)), mask2)
        y = F.relu(self.stem2b(F.pad(y, (0, 1, 0, 1))))
        x = shown(torch.cat([F.max_pool2d(x, 2, 1), y], 1), mask2)
        x = F.relu(self.stem4(F.relu(self.stem3(x))))
        for block in self.blocks:
            x, mask4 = block(x, mask4)
        return x


class EncoderLayer(nn.Module):
    """A pre-norm transformer layer with a depthwise convolution along the line, which tells neighbours apart."""

    def __init__(self, config: LineEncoderConfig):
        super().__init__()
        size = config.hidden_size
        self.heads = config.num_attention_heads
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.qkv = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)
        self.conv = nn.Conv1d(size, size, 7, padding=3, groups=size)
        self.fc1 = nn.Linear(size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, size)
        self.dropout = config.dropout

    def forward(self, x: Tensor, mask: Mask) -> Tensor:
        # x (batch, columns, hidden), mask (batch, columns)
        shut_out = None if mask is None else mask[:, None, None, :]
        x = x + self.conv(shown(x, of_features(mask)).transpose(1, 2)).transpose(1, 2)
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=shut_out)
        x = x + self.drop(self.out(attended.transpose(1, 2).flatten(2)))
        return x + self.drop(self.fc2(F.gelu(self.fc1(self.norm2(x)))))

    def drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


def sinusoids(length: int, size: int, device: torch.device) -> Tensor:
    """Returns the positions of Vaswani et al. 2017, (length, size)."""
    frequency = torch.exp(torch.arange(0, size, 2, device=device) * (-torch.log(torch.tensor(10000.0)).item() / size))
    angle = torch.arange(length, device=device)[:, None] * frequency
    return torch.cat([angle.sin(), angle.cos()], 1)


class LineEncoder(PreTrainedModel):
    """`pixel_values` (batch, 1, `image_height`, width) in −1..1, with 0 for padding → `LineEncoderOutput`.

    `padded` false promises that there is no padding, and omits the masks, which take a tenth of the time.
    """

    config_class = LineEncoderConfig
    main_input_name = "pixel_values"
    base_model_prefix = "encoder"

    def __init__(self, config: LineEncoderConfig):
        super().__init__(config)
        size = config.hidden_size
        self.backbone = Backbone()
        self.columns = nn.Linear(BLOCKS[-1][1] * config.image_height // 16, size)
        self.norm_in = nn.LayerNorm(size)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_hidden_layers))
        self.norm_out = nn.LayerNorm(size)
        self.ctc = nn.Linear(size, config.ctc_vocab_size) if config.ctc_vocab_size else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, pixel_values: Tensor, padded: bool = True, **kwargs) -> LineEncoderOutput:
        mask = (pixel_values != 0).any(2).any(1)[:, None, None, :] if padded else None  # (batch, 1, 1, width)
        x = self.backbone(pixel_values, strided(mask, (1, 2)), strided(mask, (1, WIDTH_STRIDE)))
        mask = mask[:, 0, 0, ::WIDTH_STRIDE] if mask is not None else None
        x = self.norm_in(self.columns(x.permute(0, 3, 1, 2).flatten(2)))  # (batch, columns, hidden)
        x = x + sinusoids(x.shape[1], x.shape[2], x.device).to(x.dtype)
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm_out(x)
        logits = self.ctc(x) if self.ctc is not None else None
        return LineEncoderOutput(last_hidden_state=shown(x, of_features(mask)), ctc_logits=logits, attention_mask=mask)


AutoConfig.register(LineEncoderConfig.model_type, LineEncoderConfig)
AutoModel.register(LineEncoderConfig, LineEncoder)
