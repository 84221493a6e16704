"""New, untrained checkpoints: `VisionEncoderDecoderModel` with our encoders and a small TrOCR decoder."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    TrOCRConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)

from hwr_core.checkpoints.formula_encoder import FormulaEncoderConfig
from hwr_core.checkpoints.image_processor import FormulaImageProcessor, LineImageProcessor
from hwr_core.checkpoints.line_encoder import LineEncoderConfig, sinusoids
from training.fit.warm_start import fetch, load_backbone

MAX_LENGTH = 256  # characters of a line, or tokens of a formula, that the decoder has positions for
CTC_WEIGHT = 0.4  # of CTC in decoding; Watanabe et al. 2017 use 0.1 to 0.5. Not tuned on the validation lines.
LANGUAGE_MODEL_WEIGHT = 0.3  # of 0.3 to 0.8 the best on 200 lines of IAM-OnDB val_t
MATH_LANGUAGE_MODEL_WEIGHT = 0.2  # of 0.1, 0.2 and 0.3, on formulas by the writers of CROHME that are kept for choices
BEAMS = 4
WIDE_BEAMS = 12  # of lines whose draft by CTC is improbable


def build_text_model(
    vocabulary: int, hidden_size: int = 256, encoder_layers: int = 4, decoder_layers: int = 3, height: int = 48
) -> VisionEncoderDecoderModel:
    encoder = LineEncoderConfig(
        image_height=height, hidden_size=hidden_size, num_hidden_layers=encoder_layers, num_attention_heads=hidden_size // 64,
        intermediate_size=4 * hidden_size, ctc_vocab_size=vocabulary,
    )  # fmt: skip
    model = _with_decoder(encoder, vocabulary, decoder_layers)
    model.config.ctc_weight, model.config.language_model_weight = CTC_WEIGHT, LANGUAGE_MODEL_WEIGHT
    model.config.wide_beams = WIDE_BEAMS
    return model


def build_math_model(
    vocabulary: int, hidden_size: int = 256, encoder_layers: int = 3, decoder_layers: int = 3
) -> VisionEncoderDecoderModel:
    encoder = FormulaEncoderConfig(
        hidden_size=hidden_size, num_hidden_layers=encoder_layers, num_attention_heads=hidden_size // 64,
        intermediate_size=4 * hidden_size, symbol_vocab_size=vocabulary,
    )  # fmt: skip
    model = _with_decoder(encoder, vocabulary, decoder_layers)
    model.config.language_model_weight = MATH_LANGUAGE_MODEL_WEIGHT
    return model


def _with_decoder(
    encoder: LineEncoderConfig | FormulaEncoderConfig, vocabulary: int, layers: int
) -> VisionEncoderDecoderModel:
    size = encoder.hidden_size
    decoder = TrOCRConfig(
        vocab_size=vocabulary, d_model=size, decoder_layers=layers, decoder_attention_heads=size // 64, decoder_ffn_dim=4 * size,
        max_position_embeddings=MAX_LENGTH, dropout=0.1, is_decoder=True, add_cross_attention=True,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 1, 2
    model = VisionEncoderDecoderModel(config)
    # Learned positions that start as sinusoids: lines longer than most still know where they are.
    positions = model.decoder.model.decoder.embed_positions.weight
    with torch.no_grad():
        length, width = positions.shape
        positions.copy_(sinusoids(length, width, positions.device) * 0.02)
    return model


def warm_start(model: VisionEncoderDecoderModel, downloads: Path, checkpoint: Path | None = None) -> None:
    """Fills the backbone from `checkpoint`, or with PP-OCRv6-small's, downloaded into `downloads`."""
    if checkpoint is None:
        load_backbone(model.encoder.backbone, fetch(downloads))
        return
    prefix = "encoder.backbone."
    weights = load_file(checkpoint / "model.safetensors")
    model.encoder.backbone.load_state_dict(
        {k.removeprefix(prefix): v.float() for k, v in weights.items() if k.startswith(prefix)}
    )


def save_checkpoint(
    model: VisionEncoderDecoderModel, tokenizer: PreTrainedTokenizerFast, weights: dict[str, Tensor], folder: Path
) -> None:
    """Writes `weights` as a fp16 checkpoint in Hugging Face's layout."""
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    model.generation_config = GenerationConfig(
        decoder_start_token_id=2, pad_token_id=1, eos_token_id=2, bos_token_id=0, max_length=MAX_LENGTH, num_beams=BEAMS
    )
    model.save_pretrained(folder, state_dict=half)
    tokenizer.save_pretrained(folder)
    formulas = isinstance(model.config.encoder, FormulaEncoderConfig)
    processor = FormulaImageProcessor() if formulas else LineImageProcessor(height=model.config.encoder.image_height)
    processor.save_pretrained(folder)
