"""Loading any `VisionEncoderDecoderModel` checkpoint with its tokenizer and image processor, through transformers."""

import json
import pickle
import re
from pathlib import Path

import torch
from transformers import (
    AutoImageProcessor,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTImageProcessorPil,
    XLMRobertaTokenizer,
)
from transformers.utils import logging

import hwr_core.checkpoints.image_processor  # noqa: F401  registers the shipped checkpoints' classes
from hwr_core.checkpoints.bf16_weights import compute_in_float32, halved
from hwr_core.checkpoints.checkpoint_config import decoding_settings, language_model_of
from hwr_core.checkpoints.formula_encoder import FormulaEncoderConfig
from hwr_core.checkpoints.torch_network import TorchNetwork
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.errors import HandwritingError
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.settings import low_memory

SMALL = 200_000_000  # bytes of weights that are kept as float32 whatever the memory
_VOCABULARIES = {"vocab.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model"}


def load(folder: Path, weights: Path, name: str, device: str) -> Recognizer:
    """Raises `HandwritingError` with what to do where the files are damaged, foreign or do not fit one another."""
    logging.disable_progress_bar()  # of the weights' loading: a fraction of a second, printed at every start
    logging.set_verbosity_error()  # it reports the pooler as missing and advises training; what matters is checked below
    try:
        torch.zeros(1, device=device)
    except Exception:
        raise HandwritingError(f"There is no device {device} on this machine; read on the cpu instead.") from None
    try:
        model, info = _model(folder, weights, device)
        image_processor, tokenizer = _image_processor(folder), _tokenizer(folder)
        # A pooler is in ViT's class but in no TrOCR checkpoint, and is not used. Anything else missing would be random.
        missing = [key for key in info["missing_keys"] if "pooler" not in key] + [
            str(key) for key in info["mismatched_keys"]
        ]
        if missing:
            raise HandwritingError(
                f"The weights in {folder} do not fit its config.json: {len(missing)} are missing, such as {missing[0]}."
            )
        _fill_positions(model)
        network = TorchNetwork(model, device)
        ids = list(range(network.vocabulary))
        language_model = language_model_of(folder, lambda: tokenizer.convert_ids_to_tokens(ids), network.end)
    except HandwritingError:
        raise
    except pickle.UnpicklingError as error:
        raise HandwritingError(
            f"{weights} cannot be loaded: it is damaged, or holds code beside the weights, which is never run; "
            "get the checkpoint as model.safetensors."
        ) from error
    except Exception as error:  # whatever a damaged or foreign file makes transformers raise
        raise HandwritingError(f"The checkpoint in {folder} cannot be loaded: {_first_sentence(error)}") from error
    reads_formulas = isinstance(model.config.encoder, FormulaEncoderConfig)
    grammar = None
    if reads_formulas:
        grammar = Grammar(tokenizer.convert_ids_to_tokens(ids), network.end, tokenizer.all_special_ids)

    def pixels(images, **options):
        return image_processor(images, return_tensors="np", **options)["pixel_values"]

    def text_of(tokens: list[int]) -> str:
        return tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    settings = decoding_settings(model.config, model.generation_config, language_model, grammar)
    return Recognizer(name, network, pixels, tokenizer, text_of, settings, reads_formulas)


def _model(folder: Path, weights: Path, device: str) -> tuple[VisionEncoderDecoderModel, dict]:
    """The model, and what transformers says of what was missing."""
    options = {"weights_only": True, "local_files_only": True, "output_loading_info": True}
    if not (
        low_memory() and device == "cpu" and weights.name == "model.safetensors" and weights.stat().st_size > SMALL
    ):
        safetensors = "safetensors" in weights.name
        return VisionEncoderDecoderModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=safetensors, **options
        )
    config = VisionEncoderDecoderConfig.from_pretrained(folder, local_files_only=True)
    model, info = VisionEncoderDecoderModel.from_pretrained(
        None, config=config, state_dict=halved(weights), dtype=torch.bfloat16, **options
    )
    if (folder / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    give_back_freed()
    return compute_in_float32(model), info


def _fill_positions(model: VisionEncoderDecoderModel) -> None:
    """Sinusoidal positions (the printed and stage-1 TrOCRs) are in no file, and transformers 5 leaves them without values."""
    for module in model.modules():
        if type(module).__name__ == "TrOCRSinusoidalPositionalEmbedding":
            module.weights = module.get_embedding(*module.weights.shape, module.padding_idx)


def _image_processor(folder: Path):
    config = {}
    for file in ("preprocessor_config.json", "processor_config.json"):  # the second is what transformers 5 writes
        if (folder / file).is_file():
            config = json.loads((folder / file).read_text(encoding="utf-8"))
            config = config.get("image_processor", config)
            break
    else:
        raise HandwritingError(f"{folder} has no preprocessor_config.json, which says how its images are scaled.")
    # The PIL backend: torchvision, which the other one needs, is no dependency of ours.
    if config.get("image_processor_type") or config.get("feature_extractor_type"):
        return AutoImageProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False, local_files_only=True)
    return ViTImageProcessorPil.from_pretrained(folder, local_files_only=True)


def _tokenizer(folder: Path):
    """As its files name it; by the files that are there where they name no class, as Microsoft's first ones do not."""
    there = {file.name for file in folder.iterdir()}
    if "tokenizer.json" in there:
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    byte_level = {"vocab.json", "merges.txt"} <= there
    if not byte_level and not there & _VOCABULARIES:
        raise HandwritingError(f"{folder} has no tokenizer: put tokenizer.json, or its vocabulary, beside config.json.")
    if "tokenizer_config.json" in there and "tokenizer_class" in json.loads(
        (folder / "tokenizer_config.json").read_text(encoding="utf-8")
    ):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    return (RobertaTokenizer if byte_level else XLMRobertaTokenizer).from_pretrained(folder, local_files_only=True)


def _first_sentence(error: Exception) -> str:
    text = re.split(r"[.!?](?=\s)|\n", str(error).strip())[0] or type(error).__name__
    return text.rstrip(".")[:200] + "."
