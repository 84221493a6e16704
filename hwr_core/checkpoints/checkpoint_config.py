"""Reads from a checkpoint's files how it is decoded.

The configurations may be objects of transformers, or JSON that `read_json` returned.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hwr_core.decoding.language_model import LanguageModel
from hwr_core.decoding.latex_grammar import Grammar
from hwr_core.decoding.letters import Letters
from hwr_core.decoding.scores import DecodingSettings
from hwr_core.decoding.word_confidence import FEATURES, WordConfidence
from hwr_core.runtime.paths import MODELS as MODELS

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
LANGUAGE_MODEL = "language_model.safetensors"  # beside the weights of a checkpoint that has one
SPACE = " "  # the token of a space, in vocabularies of characters
MAX_LENGTH = 512  # tokens of a line, for decoders with unlimited positions


def read_json(path: Path) -> SimpleNamespace:
    """Returns the file's objects as namespaces, or an empty one if there is no such file.

    Raises:
        ValueError: The file is not JSON.
    """
    if not path.is_file():
        return SimpleNamespace()
    return json.loads(path.read_text(encoding="utf-8"), object_hook=lambda values: SimpleNamespace(**values))


def special_tokens(config: Any, generation_config: Any) -> tuple[int, int, int]:
    """Returns the tokens that start, end and pad a line, from the places where transformers' `generate` finds them.

    Raises:
        ValueError: No token starts or ends a line.
    """

    def named(*names: str) -> int | None:
        for name in names:
            for place in (generation_config, config, config.decoder):
                if (value := getattr(place, name, None)) is not None:
                    return value[0] if isinstance(value, list) else value
        return None

    start, end = named("decoder_start_token_id", "bos_token_id"), named("eos_token_id")
    if start is None or end is None:
        raise ValueError("It names no token that starts or ends a line (decoder_start_token_id, eos_token_id).")
    pad = named("pad_token_id")
    return start, end, end if pad is None else pad


def positions(decoder: Any) -> int:
    """Returns how many tokens the decoder has positions for. RoBERTa leaves those up to the pad token's unused."""
    count = getattr(decoder, "max_position_embeddings", None) or MAX_LENGTH
    return count - decoder.pad_token_id - 1 if "roberta" in decoder.model_type else count


def weights_in(folder: Path) -> Path | None:
    """Returns the weights file of a checkpoint's folder, or None."""
    return next((folder / file for file in WEIGHTS if (folder / file).is_file()), None)


def language_model_of(folder: Path, tokens: Callable[[], Sequence[str | None]], end: int) -> LanguageModel | None:
    """Loads the language model beside a checkpoint's weights, if there is one.

    Args:
        folder: the checkpoint's folder.
        tokens: gives its tokens in the order of their ids; called if there is a language model.
        end: the id of the end token.

    Raises:
        ValueError: the file is damaged, or was counted over other tokens.
    """
    path = folder / LANGUAGE_MODEL
    return LanguageModel.load(path, tokens(), end) if path.is_file() else None


def decoding_settings(
    config: Any,
    generation_config: Any,
    language_model: LanguageModel | None,
    grammar: Grammar | None,
    tokens: Callable[[], Sequence[str | None]] = tuple,
) -> DecodingSettings:
    """Returns how a checkpoint is decoded. The shipped ones name their own values in `config.json`.

    Args:
        config: the checkpoint's `config.json`.
        generation_config: its `generation_config.json`.
        language_model: its language model; None for none.
        grammar: of its formulas; None for none.
        tokens: gives its tokens in the order of their ids; called if the checkpoint has CTC.
    """
    ctc_weight, language_model_weight = (
        getattr(config, "ctc_weight", 0.0),
        getattr(config, "language_model_weight", 0.0),
    )
    names = tokens() if ctc_weight else ()
    return DecodingSettings(
        beams=getattr(generation_config, "num_beams", None) or 1,
        wide_beams=getattr(config, "wide_beams", 0),
        ctc_weight=ctc_weight,
        language_model=language_model,
        language_model_weight=language_model_weight,
        letters=Letters(names) if names and language_model is not None else None,
        grammar=grammar,
        # CTC already penalises readings that are too short. Without it, scores are compared per token.
        length_penalty=0.0 if ctc_weight else 1.0,
        temperature=getattr(config, "confidence_temperature", 1.0),
        unreadable_below=getattr(config, "unreadable_below", 0.0),
        max_length=positions(config.decoder),
        space=names.index(SPACE) if SPACE in names else None,
        word_confidence=word_confidence_of(config),
    )


def word_confidence_of(config: Any) -> WordConfidence | None:
    """Returns the regression that `config.json` holds; None without one, or if it was fitted for other features."""
    found = getattr(config, "word_confidence", None)
    if found is None:
        return None
    fitted = found if isinstance(found, dict) else vars(found)
    weights = fitted["weights"] if isinstance(fitted["weights"], dict) else vars(fitted["weights"])
    if tuple(weights) != FEATURES:
        return None
    return WordConfidence(tuple(map(float, weights.values())), float(fitted["bias"]))
