"""Loads any `VisionEncoderDecoderModel` checkpoint with its tokenizer and image processor, through transformers."""

import json
import logging
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor
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
from transformers.utils import logging as transformers_logging

import hwr_core.checkpoints.image_processor  # noqa: F401  registers the shipped checkpoints' classes
from hwr_core.checkpoints.bf16_weights import compute_in_float32, in_bfloat16
from hwr_core.checkpoints.checkpoint_config import decoding_settings, language_model_of
from hwr_core.checkpoints.formula_encoder import FormulaEncoderConfig
from hwr_core.checkpoints.torch_network import TorchNetwork, check_not_forked
from hwr_core.errors import HandwritingError
from hwr_core.loaded_model import LoadedModel
from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.settings import low_memory
from hwr_core.tasks import FormulaTask, Task, TextLineTask

SMALL = 200_000_000  # bytes: smaller weights stay float32 even if memory is short
_VOCABULARIES = {"vocab.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model"}
_OPTIONS = {"weights_only": True, "local_files_only": True, "output_loading_info": True}
logger = logging.getLogger(__name__)


def check(folder: Path, weights: Path, device: str) -> None:
    """Finds out whether `load` will succeed, in little time and memory: of the weights only names and shapes are read.

    Raises:
        HandwritingError: As `load`.
        RuntimeError: As `load`.
    """
    check_not_forked()
    with _Boundary(folder, weights):
        _check_device(device)
        _image_processor(folder)
        _tokenizer(folder)
        config = VisionEncoderDecoderConfig.from_pretrained(folder, local_files_only=True)
        _, info = VisionEncoderDecoderModel.from_pretrained(
            None, config=config, state_dict=_shapes(folder, weights), dtype=torch.float32, **_OPTIONS
        )
        _check_complete(folder, info)


def load(folder: Path, weights: Path, name: str, device: str) -> LoadedModel:
    """Loads the checkpoint in `folder`.

    Args:
        folder: Holds the checkpoint in Hugging Face's layout.
        weights: The weights file in it, or the index of several.
        name: How the checkpoint is called in messages.
        device: "cpu" or "cuda".

    Raises:
        HandwritingError: The files are damaged, of another kind, or do not fit one another.
        RuntimeError: torch was used before this process was forked.
    """
    check_not_forked()
    with _Boundary(folder, weights):
        _check_device(device)
        model, info = _model(folder, weights, device)
        image_processor, tokenizer = _image_processor(folder), _tokenizer(folder)
        _check_complete(folder, info)
        _fill_positions(model)
        network = TorchNetwork(model, device)

        def tokens() -> list[str]:
            return tokenizer.convert_ids_to_tokens(list(range(network.vocabulary)))

        language_model = language_model_of(folder, tokens, network.end)
    task: Task = FormulaTask() if isinstance(model.config.encoder, FormulaEncoderConfig) else TextLineTask()

    def pixels(images: list, **options: float) -> np.ndarray:
        return image_processor(images, return_tensors="np", **options)["pixel_values"]

    def text_of(tokens: list[int]) -> str:
        return tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    grammar = task.grammar(tokens, network.end, tokenizer.all_special_ids)
    settings = decoding_settings(model.config, model.generation_config, language_model, grammar, tokens)
    return LoadedModel(name, network, pixels, tokenizer, task.text_of(text_of, grammar), settings, task)


class _Boundary:
    """Reports whatever transformers raises for damaged files as a `HandwritingError`, and logs its trace."""

    def __init__(self, folder: Path, weights: Path):
        self.folder, self.weights = folder, weights

    def __enter__(self) -> None:
        transformers_logging.disable_progress_bar()  # of a fraction of a second
        transformers_logging.set_verbosity_error()  # it warns of a missing pooler, which no TrOCR checkpoint has

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if not isinstance(error, Exception) or isinstance(error, HandwritingError):
            return
        logger.info("Loading %s failed.", self.folder, exc_info=error)
        if isinstance(error, pickle.UnpicklingError):
            raise HandwritingError(
                f"{self.weights} cannot be loaded: it is damaged, or holds code, which is never run; "
                "get the checkpoint as model.safetensors."
            ) from error
        raise HandwritingError(f"The checkpoint in {self.folder} cannot be loaded: {_first_sentence(error)}") from error


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):  # the second if torch was built without CUDA
        raise HandwritingError(f"There is no device {device} on this machine; read on the cpu instead.") from None


def _check_complete(folder: Path, info: dict) -> None:
    """Raises HandwritingError if weights are missing: transformers would make random ones."""
    # A pooler is in ViT's class but in no TrOCR checkpoint, and is not used.
    missing = [key for key in info["missing_keys"] if "pooler" not in key]
    missing += [str(key) for key in info["mismatched_keys"]]
    if missing:
        raise HandwritingError(
            f"The weights in {folder} do not fit its config.json: {len(missing)} are missing, such as {missing[0]}."
        )


def _shapes(folder: Path, weights: Path) -> dict[str, Tensor]:
    """Returns tensors of the weights' names and shapes, which take no memory: all their values are one zero."""
    files = [weights]
    if weights.name.endswith(".index.json"):
        index = json.loads(weights.read_text(encoding="utf-8"))
        files = [folder / file for file in sorted(set(index["weight_map"].values()))]
    shapes: dict[str, Tensor] = {}
    for file in files:
        if file.suffix == ".safetensors":
            with safe_open(file, "np") as stored:
                found = {name: tuple(stored.get_slice(name).get_shape()) for name in stored.offset_keys()}
        else:
            stored = torch.load(file, map_location="meta", weights_only=True)
            found = {name: tuple(tensor.shape) for name, tensor in stored.items()}
        shapes |= {name: torch.zeros(()).expand(shape) for name, shape in found.items()}
    return shapes


def _model(folder: Path, weights: Path, device: str) -> tuple[VisionEncoderDecoderModel, dict]:
    """Returns the model, and transformers' report on missing weights.

    Large weights stay bfloat16 if memory is short.
    """
    if not (
        low_memory() and device == "cpu" and weights.name == "model.safetensors" and weights.stat().st_size > SMALL
    ):
        safetensors = "safetensors" in weights.name
        return VisionEncoderDecoderModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=safetensors, **_OPTIONS
        )
    config = VisionEncoderDecoderConfig.from_pretrained(folder, local_files_only=True)
    model, info = VisionEncoderDecoderModel.from_pretrained(
        None, config=config, state_dict=in_bfloat16(weights), dtype=torch.bfloat16, **_OPTIONS
    )
    if (folder / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    give_back_freed()
    return compute_in_float32(model), info


def _fill_positions(model: VisionEncoderDecoderModel) -> None:
    """Computes sinusoidal positions, which printed and stage-1 TrOCRs have.

    No file holds them, and transformers 5 leaves them empty.
    """
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
        raise HandwritingError(f"{folder} has no preprocessor_config.json, which describes how its images are scaled.")
    # The PIL backend, because the other one needs torchvision.
    if config.get("image_processor_type") or config.get("feature_extractor_type"):
        return AutoImageProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False, local_files_only=True)
    return ViTImageProcessorPil.from_pretrained(folder, local_files_only=True)


def _tokenizer(folder: Path):
    """Returns the tokenizer of the class that the files name.

    Microsoft's first checkpoints name none: the vocabulary's file names tell the class.
    """
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
