"""Tiny random checkpoints in the layouts that TrOCR is published in, for tests that must not download anything."""

import io
import json
import re
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import (
    AutoConfig,
    GenerationConfig,
    TrOCRConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

from hwr_core.checkpoints.formula_encoder import FormulaEncoderConfig
from hwr_core.checkpoints.image_processor import FormulaImageProcessor, LineImageProcessor
from hwr_core.checkpoints.line_encoder import LineEncoderConfig
from hwr_core.decoding.latex import BEGIN
from hwr_core.decoding.latex import END as END_MATRIX
from training.data.charset import build_tokenizer
from training.data.formula_symbols import build_math_tokenizer

# What every part of a config.json of 2021 says about generation; max_length 20 is TrOCR's well-known trap.
GENERATION_OF_2021 = {
    "bad_words_ids": None,
    "diversity_penalty": 0.0,
    "do_sample": False,
    "early_stopping": False,
    "finetuning_task": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1"},
    "is_encoder_decoder": False,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1},
    "length_penalty": 1.0,
    "max_length": 20,
    "min_length": 0,
    "no_repeat_ngram_size": 0,
    "num_beams": 1,
    "output_attentions": False,
    "output_scores": False,
    "prefix": None,
    "pruned_heads": {},
    "repetition_penalty": 1.0,
    "return_dict": True,
    "tie_encoder_decoder": False,
    "tokenizer_class": None,
    "top_k": 50,
    "torch_dtype": None,
    "torchscript": False,
    "use_bfloat16": False,
}
SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
}
NORMALISED = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_normalize": True, "do_resize": True}
END = 2.2  # how much larger the end token's embedding is, so that lines end, after different numbers of tokens
MATH_TOKENS = [
    "{",
    "}",
    "^",
    "_",
    r"\frac",
    r"\sqrt",
    "[",
    "]",
    r"\limits",
    r"\int",
    r"\sum",
    "x",
    "2",
    "+",
    "(",
    ")",
    r"\pi",
    BEGIN,
    END_MATRIX,
    "&",
    r"\\",
]
PHRASES = [
    "the quick brown fox jumps over the lazy dog",
    "a line of handwriting, read back as text",
    "hello world, 1984",
]


def base(
    folder: Path,
    weights: str = "model.safetensors",
    tokenizer_class: bool = True,
    positions: int = 64,
    sinusoidal: bool = False,
    drop: str = "",
    seed: int = 1,
) -> Path:
    """microsoft/trocr-base-handwritten (and -large-): ViT, byte-level BPE. `sinusoidal` is how -large-printed and the
    stage-1 checkpoints differ; `drop` leaves out one of the two tied embeddings, as safetensors files usually do."""
    vocabulary = _write_roberta(folder, tokenizer_class)
    _write(
        folder / "preprocessor_config.json",
        {**NORMALISED, "image_processor_type": "ViTImageProcessor", "resample": 2, "size": 384},
    )
    decoder = {"activation_function": "gelu", "tie_word_embeddings": True}
    if sinusoidal:
        decoder = {
            "activation_function": "relu",
            "tie_word_embeddings": False,
            "scale_embedding": True,
            "layernorm_embedding": False,
        }
        decoder["use_learned_position_embeddings"] = False
    encoder = {"model_type": "vit", "qkv_bias": False, "hidden_size": 32}
    _write_config(
        folder, encoder, {"d_model": 32, **decoder, "vocab_size": vocabulary, "max_position_embeddings": positions}
    )
    return write_weights(folder, weights, drop, seed)


def small(
    folder: Path,
    weights: str = "pytorch_model.bin",
    projection: bool = False,
    crop: bool = False,
    positions: int = 64,
    seed: int = 5,
) -> Path:
    """microsoft/trocr-small-handwritten: DeiT, wider than the decoder, and XLM-RoBERTa's SentencePiece tokenizer.

    `projection` joins the widths by `enc_to_dec_proj` instead of `cross_attention_hidden_size`, as checkpoints made by
    `from_encoder_decoder_pretrained` do.
    """
    vocabulary = _write_sentencepiece(folder)
    cropping = {"do_center_crop": True, "crop_size": 384} if crop else {"do_center_crop": False}
    _write(
        folder / "preprocessor_config.json",
        {**NORMALISED, **cropping, "feature_extractor_type": "DeiTFeatureExtractor", "resample": 3, "size": 384},
    )
    encoder = {"model_type": "deit", "qkv_bias": True, "hidden_size": 48}
    decoder = {
        "activation_function": "relu",
        "tie_word_embeddings": False,
        "scale_embedding": True,
        "layernorm_embedding": True,
    }
    decoder |= {
        "d_model": 32,
        "vocab_size": vocabulary,
        "use_learned_position_embeddings": True,
        "max_position_embeddings": positions,
    }
    _write_config(folder, encoder, decoder, cross_attention_hidden_size=None if projection else 48)
    return write_weights(folder, weights, "", seed)


def own(folder: Path, ctc_weight: float = 0.4, positions: int = 64, seed: int = 0) -> Path:
    """The shipped text checkpoint's layout (`training.fit.model`), small: CTC head, characters, fp16 weights."""
    tokenizer = build_tokenizer()
    encoder = LineEncoderConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, ctc_vocab_size=len(tokenizer)
    )
    decoder = TrOCRConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=64,
        max_position_embeddings=positions,
        is_decoder=True,
        add_cross_attention=True,
    )
    return _write_own(folder, encoder, decoder, tokenizer, LineImageProcessor(), seed, ctc_weight=ctc_weight)


def math(folder: Path, positions: int = 64, seed: int = 0) -> Path:
    """The shipped math checkpoint's layout, small: two-dimensional encoder, a token for each of `MATH_TOKENS`."""
    tokenizer = build_math_tokenizer(MATH_TOKENS)
    encoder = FormulaEncoderConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        symbol_vocab_size=len(tokenizer),
    )
    decoder = TrOCRConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=64,
        max_position_embeddings=positions,
        is_decoder=True,
        add_cross_attention=True,
    )
    return _write_own(folder, encoder, decoder, tokenizer, FormulaImageProcessor(), seed)


def _write_own(folder, encoder, decoder, tokenizer, image_processor, seed: int, **values) -> Path:
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    for name, value in values.items():
        setattr(config, name, value)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 1, 2
    model = VisionEncoderDecoderModel(config)
    model.load_state_dict(random_weights(model, seed))
    model.generation_config = GenerationConfig(decoder_start_token_id=2, pad_token_id=1, eos_token_id=2, bos_token_id=0)
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    image_processor.save_pretrained(folder)
    return folder


def other_decoder(folder: Path, kind: str, positions: int = 40, seed: int = 0) -> Path:
    """ViT with a decoder other than TrOCR's ("bert", "roberta" or "gpt2"), as in TrOCRs made from other models.

    GPT-2 has no pad token but the end token; BERT brings its `vocab.txt`; the rest is as in `base`.
    """
    vocabulary = _write_bert(folder) if kind == "bert" else _write_roberta(folder, tokenizer_class=True)
    _write(
        folder / "preprocessor_config.json",
        {**NORMALISED, "image_processor_type": "ViTImageProcessor", "resample": 2, "size": 384},
    )
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": vocabulary}
    decoder = AutoConfig.for_model(
        kind, **sizes, max_position_embeddings=positions, is_decoder=True, add_cross_attention=True
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, image_size=384),
        decoder,
    )
    config.decoder_start_token_id, config.eos_token_id, config.pad_token_id = 2, 2, 2 if kind == "gpt2" else 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VisionEncoderDecoderModel(config)
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed" not in name:
                torch.nn.init.normal_(weight, std=2.0 / weight[0].numel() ** 0.5)
    model.save_pretrained(folder)
    return folder


def random_weights(model: VisionEncoderDecoderModel, seed: int) -> dict[str, torch.Tensor]:
    """Random weights, large enough that the output depends on the image. transformers' 0.02 repeats one token."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in model.state_dict().items():
        if tensor.dim() < 2:
            state[name] = torch.zeros_like(tensor) if name.endswith("bias") else tensor.clone()
        else:
            scale = 1.0 if "embed" in name else 2.0 / tensor[0].numel() ** 0.5
            state[name] = torch.randn(tensor.shape, generator=generator) * scale
    if model.config.decoder.tie_word_embeddings:
        state["decoder.output_projection.weight"] = state["decoder.model.decoder.embed_tokens.weight"]
    state["decoder.output_projection.weight"][2] *= END  # in place: of the tied embedding too
    state["decoder.output_projection.weight"][1] = 0.0  # no trained checkpoint writes the pad token
    return state


def names_of_2021(name: str) -> str:
    """A weight's name in Microsoft's files; transformers has renamed ViT's and DeiT's since."""
    letters = {"q": "query", "k": "key", "v": "value"}
    name = re.sub(r"^encoder\.layers\.", "encoder.encoder.layer.", name)
    name = (
        re.sub(r"attention\.([qkv])_proj", lambda found: f"attention.attention.{letters[found[1]]}", name)
        if name.startswith("enc")
        else name
    )
    name = re.sub(r"(encoder\.layer\.\d+)\.attention\.o_proj", r"\1.attention.output.dense", name)
    name = re.sub(r"(encoder\.layer\.\d+)\.mlp\.fc1", r"\1.intermediate.dense", name)
    return re.sub(r"(encoder\.layer\.\d+)\.mlp\.fc2", r"\1.output.dense", name)


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _write_config(folder: Path, encoder: dict, decoder: dict, cross_attention_hidden_size: int | None = -1) -> None:
    if cross_attention_hidden_size == -1:
        cross_attention_hidden_size = encoder["hidden_size"]
    _write(
        folder / "config.json",
        {
            "architectures": ["VisionEncoderDecoderModel"],
            "model_type": "vision-encoder-decoder",
            "is_encoder_decoder": True,
            "processor_class": "TrOCRProcessor",
            "tie_word_embeddings": False,
            "torch_dtype": "float32",
            "transformers_version": None,
            "encoder": {
                **GENERATION_OF_2021,
                **encoder,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "intermediate_size": 64,
                "image_size": 384,
                "patch_size": 16,
                "num_channels": 3,
                "layer_norm_eps": 1e-12,
                "hidden_act": "gelu",
                "is_decoder": False,
                "cross_attention_hidden_size": None,
                "bos_token_id": None,
                "eos_token_id": None,
                "pad_token_id": None,
                "hidden_dropout_prob": 0.0,
                "attention_probs_dropout_prob": 0.0,
                "initializer_range": 0.02,
                "tie_word_embeddings": True,
            },
            "decoder": {
                **GENERATION_OF_2021,
                **decoder,
                "model_type": "trocr",
                "decoder_layers": 2,
                "decoder_attention_heads": 2,
                "decoder_ffn_dim": 64,
                "cross_attention_hidden_size": cross_attention_hidden_size,
                "add_cross_attention": True,
                "is_decoder": True,
                "dropout": 0.1,
                "bos_token_id": 0,
                "pad_token_id": 1,
                "eos_token_id": 2,
                "decoder_start_token_id": 2,
                "use_cache": False,
                "decoder_layerdrop": 0.0,
                "classifier_dropout": 0.0,
                "init_std": 0.02,
            },
        },
    )
    tokens = {"bos_token_id": 0, "decoder_start_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}
    generation = {"_from_model_config": True, **tokens, "transformers_version": "4.27.0.dev0", "use_cache": False}
    _write(folder / "generation_config.json", generation)


def write_weights(folder: Path, file: str, drop: str = "", seed: int = 0) -> Path:
    """Random weights for the `config.json` in `folder`, under Microsoft's names."""
    model = VisionEncoderDecoderModel(VisionEncoderDecoderConfig.from_pretrained(folder))
    weights = {
        names_of_2021(name): tensor
        for name, tensor in random_weights(model, seed).items()
        if "pooler" not in name and name != drop
    }
    if file.endswith(".safetensors"):
        save_file({name: tensor.clone() for name, tensor in weights.items()}, folder / file, metadata={"format": "pt"})
    else:
        torch.save(weights, folder / file)
    return folder


def _write_roberta(folder: Path, tokenizer_class: bool) -> int:
    """`vocab.json`, `merges.txt` and their companions; returns the size of the vocabulary."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    symbols = [chr(byte) for byte in printable] + [
        chr(256 + i) for i in range(256 - len(printable))
    ]  # GPT-2's 256 byte symbols
    merges = ["h e", "l l", "o Ġ", "Ġ t", "Ġt he", "e r", "i n", "in g"]
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *symbols, *(merge.replace(" ", "") for merge in merges), "<mask>"]
    _write(folder / "vocab.json", {token: index for index, token in enumerate(vocabulary)})
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    added = {"single_word": False, "rstrip": False, "normalized": True}
    tokens = {name: {"content": token, "lstrip": False, **added} for name, token in SPECIAL.items()}
    tokens["mask_token"] = {"content": "<mask>", "lstrip": True, **added}
    _write(folder / "special_tokens_map.json", tokens)
    config = {"errors": "replace", "add_prefix_space": False, "model_max_length": 512, "special_tokens_map_file": None}
    config |= {name: {**token, "__type": "AddedToken"} for name, token in tokens.items()} | {
        "name_or_path": "roberta-large"
    }
    _write(
        folder / "tokenizer_config.json", config | ({"tokenizer_class": "RobertaTokenizer"} if tokenizer_class else {})
    )
    return len(vocabulary)


def _write_sentencepiece(folder: Path) -> int:
    """Writes `sentencepiece.bpe.model` and its companions; returns the vocabulary size with fairseq's offset and mask."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PHRASES * 20), model_writer=model, vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentencepiece.bpe.model").write_bytes(model.getvalue())
    mask = {"content": "<mask>", "single_word": False, "lstrip": True, "rstrip": False, "normalized": True}
    _write(folder / "special_tokens_map.json", {**SPECIAL, "mask_token": mask})
    config = {
        **SPECIAL,
        "mask_token": {**mask, "__type": "AddedToken"},
        "sp_model_kwargs": {},
        "special_tokens_map_file": None,
    }
    _write(
        folder / "tokenizer_config.json",
        config | {"tokenizer_class": "XLMRobertaTokenizer", "processor_class": "TrOCRProcessor"},
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).get_piece_size() + 2


def _write_bert(folder: Path) -> int:
    """`vocab.txt`; the special tokens are where `base` has them, so that one config does for both."""
    words = [
        "[CLS]",
        "[PAD]",
        "[SEP]",
        "[UNK]",
        "[MASK]",
        *"abcdefghijklmnopqrstuvwxyz",
        *(f"##{chr(97 + i)}" for i in range(26)),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "do_lower_case": True})
    return len(words)
