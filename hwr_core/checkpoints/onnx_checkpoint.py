"""Loading a shipped checkpoint, or another one that `training/fit/export_onnx.py` exported, without torch or transformers."""

from pathlib import Path

from tokenizers import Tokenizer

from hwr_core.checkpoints.checkpoint_config import decoding_settings, language_model_of, read_json, special_tokens
from hwr_core.checkpoints.onnx_network import OnnxNetwork
from hwr_core.checkpoints.pixels import FormulaPixels, LinePixels
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.errors import HandwritingError
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.limits import FEW_PIXELS
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import free_threads

PIXELS = {"LineImageProcessor": LinePixels, "FormulaImageProcessor": FormulaPixels}


def load(folder: Path, name: str) -> Recognizer:
    """Raises `HandwritingError` where a file is missing or damaged."""
    try:
        config, generation_config = read_json(folder / "config.json"), read_json(folder / "generation_config.json")
        scaling = vars(read_json(folder / "preprocessor_config.json"))
        pixels = PIXELS[scaling.pop("image_processor_type")](**scaling)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        start, end, pad = special_tokens(config, generation_config)
        vocabulary = config.decoder.vocab_size
        network = OnnxNetwork(folder, start, end, pad, vocabulary, free_threads())
        tokens = [tokenizer.id_to_token(index) for index in range(vocabulary)]
        language_model = language_model_of(folder, lambda: tokens, end)
    except Exception as error:  # whatever a damaged file makes the libraries raise
        raise HandwritingError(
            f"The checkpoint in {folder} cannot be loaded: its files are damaged or do not fit one another."
        ) from error
    reads_formulas = isinstance(pixels, FormulaPixels)
    if reads_formulas and low_memory():
        pixels.max_pixels = min(pixels.max_pixels, FEW_PIXELS)
    grammar = None
    if reads_formulas:
        special = [index for index, token in tokenizer.get_added_tokens_decoder().items() if token.special]
        grammar = Grammar(tokens, end, special)

    def text_of(tokens: list[int]) -> str:
        return tokenizer.decode(tokens, skip_special_tokens=True)

    settings = decoding_settings(config, generation_config, language_model, grammar)
    return Recognizer(name, network, pixels.pixel_values, tokenizer, text_of, settings, reads_formulas)
