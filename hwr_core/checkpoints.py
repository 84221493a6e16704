"""Which checkpoints there are, where they live, and loading one: the shipped ones, a directory, or a hub id."""

import errno
import json
import os
import pickle
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hwr_core.errors import HandwritingError

MODELS = Path(__file__).resolve().parents[1] / "models"
IN_MEMORY = 2  # checkpoints kept loaded


@dataclass(frozen=True)
class Checkpoint:
    """`name` is what `load_recognizer` takes; `title` and `note` are for people; `formulas` says that it reads these, not text."""

    name: str
    title: str
    note: str
    formulas: bool = False


CHECKPOINTS = (
    Checkpoint("text", "Text (shipped)", "Small and quick, reads English and French, works offline."),
    Checkpoint("math", "Math (shipped)", "Small and quick, reads formulas as LaTeX, works offline.", formulas=True),
    Checkpoint("microsoft/trocr-small-handwritten", "TrOCR small", "Microsoft's, 62 M parameters, English, a 250 MB download."),
    Checkpoint("microsoft/trocr-base-handwritten", "TrOCR base", "Microsoft's, 334 M parameters, English, a 1.3 GB download."),
    Checkpoint("microsoft/trocr-large-handwritten", "TrOCR large", "Microsoft's, 558 M parameters, English, a 2.2 GB download."),
)

LANGUAGE_MODEL = "language_model.safetensors"  # beside the weights of a checkpoint that has one
Download = Callable[[str, int, int], None]  # file name, bytes done, bytes in all
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_VOCABULARIES = {"vocab.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model"}
_loaded: OrderedDict[tuple[str, str], "Recognizer"] = OrderedDict()  # noqa: F821
_table = threading.Lock()  # of _loaded, held for moments
_loading = threading.Lock()  # held while one is loaded
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def load_recognizer(name: str = "text", device: str = "cpu", on_download: Download | None = None) -> "Recognizer":  # noqa: F821
    """The recognizer of a checkpoint, loaded once per process; the two last used stay in memory.

    `name` is a shipped checkpoint ("text", "math"), a directory in Hugging Face's layout, or a hub id, whose files are
    downloaded once into the hub's cache (`on_download` is told of the progress). Any `VisionEncoderDecoderModel` with
    its tokenizer and image processor will do. `device` is "cpu" or "cuda". Raises `HandwritingError` with what to
    do where there is no such checkpoint, it cannot be fetched, or its weights are not those of its configuration.
    """
    name = str(name).strip()
    folder = find(name)
    key = (str(folder.resolve()) if folder else name, device)
    if (known := _known(key)) is not None:
        return known
    # Outside the lock: during the minutes of a download everyone else reads on with what is there.
    folder = folder or _download(name, on_download)
    with _loading:
        if (known := _known(key)) is not None:  # another thread loaded it while this one waited
            return known
        weights = _check(folder)
        with _table:
            while len(_loaded) >= IN_MEMORY:  # before loading, so that there is never one more in memory
                _loaded.popitem(last=False)
        recognizer = _load(folder, weights, name, device)
        with _table:
            _loaded[key] = recognizer
        return recognizer


def _known(key: tuple[str, str]) -> "Recognizer | None":  # noqa: F821
    """The recognizer that is loaded already, now the last used; does not wait for one that is being loaded."""
    with _table:
        if key in _loaded:
            _loaded.move_to_end(key)
        return _loaded.get(key)


def default_beams(name: str) -> int:
    """How many beams the checkpoint's own files name; one where they name none or are not at hand."""
    try:
        return int(json.loads((find(name) / "generation_config.json").read_text(encoding="utf-8"))["num_beams"])
    except (HandwritingError, OSError, ValueError, KeyError, TypeError):
        return 1


def find(name: str) -> Path | None:
    """The local directory that `name` means, or None where it is a hub id; `HandwritingError` where it is neither."""
    name = name.strip()
    if not name:
        raise HandwritingError("Name a checkpoint: text, a directory, or a hub id such as microsoft/trocr-base-handwritten.")
    # os.path, because pathlib raises on names that can be no path, such as one of a thousand letters.
    typed = os.path.expanduser(name)
    for folder in (os.path.join(MODELS, name), typed):
        if os.path.isdir(folder):
            return Path(folder)
    if os.path.isfile(typed):
        raise HandwritingError(f"{name} is a file; give the directory that holds the checkpoint's config.json.")
    if not _HUB_ID.fullmatch(name):
        raise HandwritingError(f"There is no directory {name[:200]!r}, and a hub id looks like owner/name.")
    return None


def _check(folder: Path) -> Path:
    """The weights file of a directory that says it holds a TrOCR checkpoint."""
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        raise HandwritingError(f"{folder} is no checkpoint: it has no readable config.json that names a model_type.") from None
    if kind != "vision-encoder-decoder":
        raise HandwritingError(f"The checkpoint in {folder} is a {kind}; this app reads with vision-encoder-decoder (TrOCR) checkpoints.")
    if (weights := _weights(folder)) is None:
        raise HandwritingError(f"{folder} has a config.json but no weights: put model.safetensors beside it.")
    return weights


def _weights(folder: Path) -> Path | None:
    return next((folder / file for file in _WEIGHTS if (folder / file).is_file()), None)


def _load(folder: Path, weights: Path, name: str, device: str) -> "Recognizer":  # noqa: F821
    # Imported here: listing checkpoints must not cost the import of torch.
    import torch
    from transformers import VisionEncoderDecoderModel
    from transformers.utils import logging

    import hwr_core.formula_image  # registers the shipped checkpoints' classes
    import hwr_core.image_processor  # noqa: F401
    from hwr_core.decoding import special_tokens
    from hwr_core.language_model import LanguageModel
    from hwr_core.recognizer import Recognizer

    logging.disable_progress_bar()  # of the weights' loading: a fraction of a second, printed at every start
    logging.set_verbosity_error()  # it reports the pooler as missing and advises training; what matters is checked below
    try:
        torch.zeros(1, device=device)
    except Exception:
        raise HandwritingError(f"There is no device {device} on this machine; read on the cpu instead.") from None
    try:
        model, info = VisionEncoderDecoderModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors="safetensors" in weights.name, weights_only=True,
            local_files_only=True, output_loading_info=True,
        )  # fmt: skip
        image_processor, tokenizer = _image_processor(folder), _tokenizer(folder)
        _, end, _ = special_tokens(model)
        language_model = None
        if (path := folder / LANGUAGE_MODEL).is_file():
            language_model = LanguageModel.load(path, model.config.decoder.vocab_size, end, device)
    except HandwritingError:
        raise
    except pickle.UnpicklingError as error:
        raise HandwritingError(
            f"{weights} cannot be loaded: it is damaged, or holds code beside the weights, which is never run; "
            "get the checkpoint as model.safetensors."
        ) from error
    except Exception as error:  # whatever a damaged or foreign file makes transformers raise
        raise HandwritingError(f"The checkpoint in {folder} cannot be loaded: {_first_sentence(error)}") from error
    # A pooler is in ViT's class but in no TrOCR checkpoint, and is not used. Anything else missing would be random.
    missing = [key for key in info["missing_keys"] if "pooler" not in key] + [str(key) for key in info["mismatched_keys"]]
    if missing:
        raise HandwritingError(f"The weights in {folder} do not fit its config.json: {len(missing)} are missing, such as {missing[0]}.")
    _fill_positions(model, device)
    return Recognizer(name, model, image_processor, tokenizer, device, language_model)


def _fill_positions(model, device: str) -> None:
    """Sinusoidal positions (the printed and stage-1 TrOCRs) are in no file, and transformers 5 leaves them without values."""
    for module in model.modules():
        if type(module).__name__ == "TrOCRSinusoidalPositionalEmbedding":
            module.weights = module.get_embedding(*module.weights.shape, module.padding_idx).to(device)


def _image_processor(folder: Path):
    from transformers import AutoImageProcessor, ViTImageProcessorPil

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
    from transformers import AutoTokenizer, PreTrainedTokenizerFast, RobertaTokenizer, XLMRobertaTokenizer

    there = {file.name for file in folder.iterdir()}
    if "tokenizer.json" in there:
        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    byte_level = {"vocab.json", "merges.txt"} <= there
    if not byte_level and not there & _VOCABULARIES:
        raise HandwritingError(f"{folder} has no tokenizer: put tokenizer.json, or its vocabulary, beside config.json.")
    if "tokenizer_config.json" in there and "tokenizer_class" in json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    return (RobertaTokenizer if byte_level else XLMRobertaTokenizer).from_pretrained(folder, local_files_only=True)


def _download(name: str, on_download: Download | None) -> Path:
    """The hub's files of a checkpoint, in the hub's own cache; only what loading needs."""
    from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    # Over plain HTTP, at the same address: Xet reports its progress from threads of its own, where no page can show it.
    constants.HF_HUB_DISABLE_XET = True
    try:
        # One request, not tried again: `list_repo_files` takes half a minute to notice that there is no network.
        listed = [file.rfilename for file in HfApi().model_info(name, timeout=10).siblings or []]
        weights = next((file for file in _WEIGHTS if file in listed), None)
        if "config.json" not in listed or weights is None:
            raise HandwritingError(f"{name} on the hub holds no checkpoint that can be loaded (config.json and weights).")
        stem, suffix = weights.removesuffix(".index.json").rsplit(".", 1)
        shards = [file for file in listed if re.fullmatch(rf"{re.escape(stem)}-\d+-of-\d+\.{suffix}", file)]
        small = [file for file in listed if "/" not in file and Path(file).suffix in (".json", ".txt", ".model") and "index" not in file]
        beside = [LANGUAGE_MODEL] if LANGUAGE_MODEL in listed else []
        for file in [*small, *beside, *(shards if weights.endswith(".index.json") else ()), weights]:  # last: with it, all are there
            path = hf_hub_download(name, file, tqdm_class=_progress_bar(file, on_download))
        return Path(path).parent
    except HandwritingError:
        raise
    except GatedRepoError:
        raise HandwritingError(f"{name} asks for your agreement on the hub: log in there, accept, and set HF_TOKEN.") from None
    except (RepositoryNotFoundError, HFValidationError):
        raise HandwritingError(f"The hub has no checkpoint {name}: check the spelling of owner/name.") from None
    except Exception as error:
        if getattr(error, "errno", None) in _DISK_ERRORS:
            raise HandwritingError(
                f"{name} could not be stored ({error.strerror}): make room, or set HF_HOME to another folder."
            ) from error
        try:
            folder = Path(snapshot_download(name, local_files_only=True))  # downloaded on an earlier day
            if _weights(folder) is not None:
                return folder
        except Exception:  # not even a part of it
            pass
        raise HandwritingError(
            f"The hub cannot be reached, so {name} could not be downloaded: connect and try again, or put its files "
            f"into {MODELS / name}; the shipped checkpoint works without a network."
        ) from error


def _progress_bar(file: str, on_download: Download | None):
    from tqdm.auto import tqdm

    class Bar(tqdm):
        """Shown on the console as usual, and told to the caller."""

        def __init__(self, *args, **kwargs):
            kwargs.pop("name", None)  # huggingface_hub's own bar takes it
            super().__init__(*args, **kwargs)

        def update(self, n=1):
            shown = super().update(n)
            if on_download is not None:
                on_download(file, int(self.n), int(self.total or 0))
            return shown

    return Bar


def _first_sentence(error: Exception) -> str:
    text = re.split(r"[.!?](?=\s)|\n", str(error).strip())[0] or type(error).__name__
    return text.rstrip(".")[:200] + "."
