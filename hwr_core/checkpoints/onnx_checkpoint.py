"""Loads a checkpoint that has ONNX graphs, without torch or transformers.

The shipped checkpoints have them. `training/fit/export_onnx.py` writes them for others of the same layout.
"""

import logging
from pathlib import Path

from tokenizers import Tokenizer

from hwr_core.checkpoints.checkpoint_config import decoding_settings, language_model_of, read_json, special_tokens
from hwr_core.checkpoints.onnx_network import DECODER, ENCODER, OnnxNetwork
from hwr_core.checkpoints.pixels import FormulaPixels, LinePixels
from hwr_core.checkpoints.safetensors_file import weights_hash
from hwr_core.errors import HandwritingError
from hwr_core.loaded_model import LoadedModel
from hwr_core.runtime.limits import FEW_PIXELS
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import free_threads
from hwr_core.tasks import FormulaTask, Task, TextLineTask

logger = logging.getLogger(__name__)


class GraphsMismatchError(HandwritingError):
    """The ONNX graphs were not exported from the weights beside them."""


def load(folder: Path, name: str) -> LoadedModel:
    """Loads the checkpoint in `folder`.

    Raises:
        GraphsMismatchError: The ONNX graphs do not belong to `model.safetensors`.
        HandwritingError: A file is missing or damaged.
    """
    try:
        _check_graphs(folder)
        config, generation_config = read_json(folder / "config.json"), read_json(folder / "generation_config.json")
        task, pixels = _scaling(folder)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        start, end, pad = special_tokens(config, generation_config)
        vocabulary = config.decoder.vocab_size
        network = OnnxNetwork(folder, start, end, pad, vocabulary, free_threads())
        tokens = [tokenizer.id_to_token(index) or "" for index in range(vocabulary)]
        language_model = language_model_of(folder, lambda: tokens, end)
    except HandwritingError:
        raise
    except Exception as error:  # the libraries raise errors of many types, also plain Exception, for damaged files
        logger.info("Loading %s failed.", folder, exc_info=True)
        raise HandwritingError(
            f"The checkpoint in {folder} cannot be loaded: its files are damaged or do not fit one another."
        ) from error

    def text_of(tokens: list[int]) -> str:
        return tokenizer.decode(tokens, skip_special_tokens=True)

    special = [index for index, token in tokenizer.get_added_tokens_decoder().items() if token.special]
    grammar = task.grammar(lambda: tokens, end, special)
    settings = decoding_settings(config, generation_config, language_model, grammar, lambda: tokens)
    return LoadedModel(name, network, pixels.pixel_values, tokenizer, task.text_of(text_of, grammar), settings, task)


def _check_graphs(folder: Path) -> None:
    """Compares the hash of the weights with the one in each graph's metadata.

    The graphs name byte offsets in `model.safetensors`. In a re-saved file other weights lie there, and the network
    would read fluent nonsense. onnxruntime shows the metadata only after it has used the weights, so the graph's bytes
    are searched for the hash.
    """
    expected = weights_hash(folder / "model.safetensors").encode()
    if not all(expected in (folder / "onnx" / file).read_bytes() for file in (ENCODER, DECODER)):
        raise GraphsMismatchError(
            f"The graphs in {folder / 'onnx'} were not exported from the model.safetensors beside them: "
            f"run python -m training.fit.export_onnx {folder}, or install torch and transformers to read without them."
        )


def _scaling(folder: Path) -> tuple[Task, LinePixels | FormulaPixels]:
    """Returns the task, and the scaling that `preprocessor_config.json` describes."""
    values = vars(read_json(folder / "preprocessor_config.json"))
    kind = values.pop("image_processor_type")
    if kind == "LineImageProcessor":
        return TextLineTask(), LinePixels(**values)
    if kind != "FormulaImageProcessor":
        raise ValueError(f"The image processor {kind} has no ONNX graphs.")
    pixels = FormulaPixels(**values)
    if low_memory():
        pixels.max_pixels = min(pixels.max_pixels, FEW_PIXELS)
    return FormulaTask(), pixels
