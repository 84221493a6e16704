"""Which checkpoints there are, where they live, and loading one: the shipped ones, a directory, or a hub id."""

import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hwr_core.checkpoints.checkpoint_config import MODELS, weights_in
from hwr_core.errors import HandwritingError
from hwr_core.runtime.memory import give_back_freed

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
    Checkpoint(
        "microsoft/trocr-small-handwritten", "TrOCR small", "Microsoft's, 62 M parameters, English, a 250 MB download."
    ),
    Checkpoint(
        "microsoft/trocr-base-handwritten", "TrOCR base", "Microsoft's, 334 M parameters, English, a 1.3 GB download."
    ),
    Checkpoint(
        "microsoft/trocr-large-handwritten", "TrOCR large", "Microsoft's, 558 M parameters, English, a 2.2 GB download."
    ),
)

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_IN_MODELS = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)?")  # what a directory below `models/` may be called
_loaded: OrderedDict[tuple[str, str, str], "Recognizer"] = OrderedDict()  # noqa: F821
_table = threading.Lock()  # of _loaded, held for moments
_loading = threading.Lock()  # held while one is loaded
Download = Callable[[str, int, int], None]  # file name, bytes done, bytes in all


def load_recognizer(
    name: str = "text",
    device: str = "cpu",
    on_download: Download | None = None,
    backend: str | None = None,
    local: bool = True,
    fetch: bool = True,
) -> "Recognizer":  # noqa: F821
    """The recognizer of a checkpoint, loaded once per process; the two last used stay in memory.

    `name` is a shipped checkpoint ("text", "math"), a directory in Hugging Face's layout, or a hub id, whose files are
    downloaded once into the hub's cache (`on_download` is told of the progress). Any `VisionEncoderDecoderModel` with
    its tokenizer and image processor will do. `device` is "cpu" or "cuda". `backend` is "onnx" or "torch"; unless said, "onnx" on the cpu
    where the checkpoint has its graphs (`onnx/`), which needs neither torch nor transformers. For names that come from afar, `local` false
    takes no directory but those in `models/`, and `fetch` false downloads nothing. Raises `HandwritingError` with what to do where there is no such checkpoint, it cannot be fetched, or its weights are not those of its configuration.
    """
    name = str(name).strip()
    folder = find(name, local)
    if backend not in (None, "onnx", "torch"):
        raise ValueError("The backend is onnx or torch.")
    backend = backend or ("onnx" if folder and device == "cpu" and onnx_graphs(folder) else "torch")
    key = (str(folder.resolve()) if folder else name, device, backend)
    if (known := _known(key)) is not None:
        return known
    # Outside the lock: during the minutes of a download everyone else reads on with what is there.
    folder = folder or (_download(name, on_download) if fetch else _downloaded(name))
    with _loading:
        if (known := _known(key)) is not None:  # another thread loaded it while this one waited
            return known
        weights = _check(folder, name)
        with _table:
            while (
                len(_loaded) >= IN_MEMORY
            ):  # before loading, so that there is never one more in memory, even where loading then fails
                _loaded.popitem(last=False)
        give_back_freed()
        recognizer = _load(folder, weights, name, device, backend)
        with _table:
            _loaded[key] = recognizer
        return recognizer


def onnx_graphs(folder: Path) -> bool:
    """Whether the checkpoint in `folder` can be read without torch."""
    return all((folder / "onnx" / file).is_file() for file in ("encoder_model.onnx", "decoder_with_past_model.onnx"))


def _download(name: str, on_download: Download | None) -> Path:
    from hwr_core.checkpoints.hub import download

    return download(name, MODELS / name, on_download)


def _downloaded(name: str) -> Path:
    from hwr_core.checkpoints.hub import downloaded

    if (folder := downloaded(name)) is None:
        raise HandwritingError(
            f"{name} is not on this server: choose it once in the app, or put its files into models/{name}."
        )
    return folder


def _load(folder: Path, weights: Path, name: str, device: str, backend: str) -> "Recognizer":  # noqa: F821
    # Imported here: listing checkpoints must not cost the import of onnxruntime, nor reading with a shipped one that of torch.
    if backend == "onnx":
        from hwr_core.checkpoints.onnx_checkpoint import load

        return load(folder, name)
    try:
        from hwr_core.checkpoints.torch_checkpoint import load
    except ImportError as error:
        raise HandwritingError(
            f"Reading with {name} needs {error.name}, which is not installed here: pip install -r requirements.txt, or read with the shipped checkpoints."
        ) from None
    return load(folder, weights, name, device)


def _known(key: tuple[str, str, str]) -> "Recognizer | None":  # noqa: F821
    """The recognizer that is loaded already, now the last used; does not wait for one that is being loaded."""
    with _table:
        if key in _loaded:
            _loaded.move_to_end(key)
        return _loaded.get(key)


def default_beams(name: str, local: bool = True) -> int:
    """How many beams the checkpoint's own files name; one where they name none or are not at hand."""
    try:
        return int(json.loads((find(name, local) / "generation_config.json").read_text(encoding="utf-8"))["num_beams"])
    except (HandwritingError, OSError, ValueError, KeyError, TypeError):
        return 1


def loaded() -> list[str]:
    """The names of the checkpoints in memory."""
    with _table:
        return [recognizer.name for recognizer in _loaded.values()]


def find(name: str, local: bool = True) -> Path | None:
    """The directory that `name` means, or None where it is a hub id; `HandwritingError` where it is neither. `local` as for `load_recognizer`."""
    name = name.strip()
    if not name:
        raise HandwritingError(
            "Name a checkpoint: text, a directory, or a hub id such as microsoft/trocr-base-handwritten."
        )
    # os.path, because pathlib raises on names that can be no path, such as one of a thousand letters.
    if not local:
        if _IN_MODELS.fullmatch(name) and os.path.isdir(os.path.join(MODELS, name)):
            return Path(MODELS, name)
        if not _HUB_ID.fullmatch(name):
            raise HandwritingError(
                f"{name[:200]!r} is no checkpoint of this server: name a shipped one, or a hub id such as owner/name."
            )
        return None
    try:
        typed = os.path.expanduser(name)
    except ValueError:  # letters that no path has
        typed = name
    for folder in (os.path.join(MODELS, name), typed):
        if os.path.isdir(folder):
            return Path(folder)
    if os.path.isfile(typed):
        raise HandwritingError(f"{name} is a file; give the directory that holds the checkpoint's config.json.")
    if not _HUB_ID.fullmatch(name):
        raise HandwritingError(f"There is no directory {name[:200]!r}, and a hub id looks like owner/name.")
    return None


def _check(folder: Path, name: str) -> Path:
    """The weights file of a directory that says it holds a TrOCR checkpoint."""
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        raise HandwritingError(
            f"{name} is no checkpoint: it has no readable config.json that names a model_type."
        ) from None
    if kind != "vision-encoder-decoder":
        raise HandwritingError(
            f"The checkpoint {name} is a {kind}; this app reads with vision-encoder-decoder (TrOCR) checkpoints."
        )
    if (weights := weights_in(folder)) is None:
        raise HandwritingError(f"{name} has a config.json but no weights: put model.safetensors beside it.")
    return weights
