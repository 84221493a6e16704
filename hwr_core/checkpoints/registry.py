"""The checkpoints there are, where they lie, and loading one: a shipped one, a directory, or a hub id."""

import json
import logging
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cachetools import LRUCache

from hwr_core.checkpoints.checkpoint_config import MODELS, weights_in
from hwr_core.errors import HandwritingError, MissingPackageError
from hwr_core.runtime.memory import give_back_freed

if TYPE_CHECKING:
    from hwr_core.loaded_model import LoadedModel
    from hwr_core.recognizer import Recognizer

IN_MEMORY = 2  # checkpoints kept loaded
AUTO = "auto"  # the name of the recognizer that reads text and formulas with the two built-in checkpoints
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that the app offers.

    Attributes:
        name: What `load_recognizer` takes.
        title: Its name for people.
        note: One line about it.
        formulas: True if it reads formulas instead of text.
    """

    name: str
    title: str
    note: str
    formulas: bool = False


CHECKPOINTS = (
    Checkpoint("text", "Text (built-in)", "Small and quick, reads English, French and German, works offline."),
    Checkpoint("math", "Math (built-in)", "Small and quick, reads formulas as LaTeX, works offline.", formulas=True),
    Checkpoint(AUTO, "Text and math (built-in)", "Reads lines of text and formulas mixed, works offline."),
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


@dataclass(frozen=True)
class _Key:
    """What makes two loaded recognizers the same: `place` is the resolved directory, or the hub id."""

    place: str
    device: str
    backend: str
    name: str = field(compare=False)


_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_IN_MODELS = re.compile(r"(?!\.)[\w.-]+(/(?!\.)[\w.-]+)?")  # the name of a directory below `models/`
_loaded: "LRUCache[_Key, Recognizer]" = LRUCache(IN_MEMORY)
_table = threading.Lock()  # of _loaded, held for moments
_loading = threading.Lock()  # held while a checkpoint is loaded
_inherited: list = []  # by a forked child: what the parent had loaded
Download = Callable[[str, int, int], None]  # file name, bytes done, bytes in all


def _reset_after_fork() -> None:
    """Lets a forked child load its own recognizers. The parent's cannot read here, and destroying them would hang."""
    global _loaded, _table, _loading
    _inherited.append(_loaded)
    _loaded, _table, _loading = LRUCache(IN_MEMORY), threading.Lock(), threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_after_fork)


def load_recognizer(
    name: str = "text",
    device: str = "cpu",
    on_download: Download | None = None,
    backend: str | None = None,
    local: bool = True,
    fetch: bool = True,
    batch_size: int | None = None,
) -> "Recognizer":
    """Returns the recognizer of a checkpoint.

    Each checkpoint is loaded once per process; the two last used stay in memory. Any `VisionEncoderDecoderModel` with
    its tokenizer and image processor can be loaded.

    Args:
        name: "text", "math", "auto" for both together, a directory in Hugging Face's layout, or a hub id. The files
            of a hub id are downloaded once, into the hub's cache.
        device: "cpu" or "cuda".
        on_download: Called as `on_download(file, bytes_done, bytes_in_all)` during a download.
        backend: "onnx" or "torch". None: "onnx" on the cpu if the checkpoint has its graphs (`onnx/`), which needs
            neither torch nor transformers.
        local: False accepts no directories except those in `models/`, for names from untrusted users.
        fetch: False downloads nothing.
        batch_size: Images per batch. None: 8, or 1 for formulas when memory is short.

    Raises:
        HandwritingError: There is no such checkpoint, it cannot be downloaded, or its files are damaged.
        ValueError: The backend or the batch size is unknown.
        RuntimeError: torch is needed, and was used before this process was forked.
    """
    name = str(name).strip()
    if backend not in (None, "onnx", "torch"):
        raise ValueError("The backend is onnx or torch.")
    if name == AUTO:
        from hwr_core.auto_recognizer import AutoRecognizer  # late: listing checkpoints must not import OpenCV

        return AutoRecognizer(partial(load_recognizer, device=device, backend=backend), batch_size)
    folder = find(name, local)
    chosen = backend or ("onnx" if folder and device == "cpu" and onnx_graphs(folder) else "torch")
    key = _Key(str(folder.resolve()) if folder else name, device, chosen, name)
    if (recognizer := _known(key)) is None:
        # Outside the lock: during the minutes of a download, other threads load and read.
        folder = folder or (_download(name, on_download) if fetch else _downloaded(name))
        recognizer = _load_once(key, folder, strict=backend is not None)
    return recognizer if batch_size is None else recognizer.with_batch_size(batch_size)


def load_apart(folder: Path, name: str) -> "Recognizer":
    """Returns the recognizer of a checkpoint with ONNX graphs, without keeping it for later calls.

    It takes no place of the checkpoints that stay in memory, and leaves with its last user.

    Args:
        folder: Its directory.
        name: Tells its readings from others'.

    Raises:
        HandwritingError: Its files are damaged.
    """
    # Late: listing checkpoints must not import onnxruntime.
    from hwr_core.checkpoints.onnx_checkpoint import load
    from hwr_core.recognizer import Recognizer

    return Recognizer(load(folder, name))


def onnx_graphs(folder: Path) -> bool:
    """Returns whether the checkpoint in `folder` can be read without torch."""
    return all((folder / "onnx" / file).is_file() for file in ("encoder_model.onnx", "decoder_with_past_model.onnx"))


def _download(name: str, on_download: Download | None) -> Path:
    from hwr_core.checkpoints.hub import download

    return download(name, MODELS / name, on_download)


def _downloaded(name: str) -> Path:
    from hwr_core.checkpoints.hub import downloaded

    if (folder := downloaded(name)) is None:
        raise HandwritingError(
            f"{name} is not on this server: its operator can put the files into models/{name}, or allow downloads."
        )
    return folder


def _load_once(key: _Key, folder: Path, strict: bool) -> "Recognizer":
    """Loads the checkpoint in `folder`, unless another thread does so first."""
    from hwr_core.recognizer import Recognizer  # late: listing checkpoints must not import OpenCV

    with _loading:
        if (known := _known(key)) is not None:
            return known
        weights = _check(folder, key.name)
        model = _load_onnx(key, folder, weights, strict) if key.backend == "onnx" else _load_torch(key, folder, weights)
        # In another process, which may run in another folder, a directory needs its full path.
        portable = key.place in (key.name, str((MODELS / key.name).resolve()))
        name = key.name if portable else key.place
        reload = partial(load_recognizer, name, key.device, backend=key.backend if strict else None)
        recognizer = Recognizer(model, reload=reload)
        with _table:
            _loaded[key] = recognizer
    give_back_freed()
    return recognizer


def _load_onnx(key: _Key, folder: Path, weights: Path, strict: bool) -> "LoadedModel":
    """Loads the graphs, or the same weights on torch if the graphs belong to others. `strict` forbids torch."""
    # Late: listing checkpoints must not import onnxruntime.
    from hwr_core.checkpoints.onnx_checkpoint import GraphsMismatchError, load

    try:
        return load(folder, key.name)
    except GraphsMismatchError:
        if strict or not _torch_is_installed():
            raise
        logger.warning("The ONNX graphs in %s were exported from other weights: reading with torch instead.", folder)
    return _load_torch(key, folder, weights)


def _torch_is_installed() -> bool:
    try:
        import hwr_core.checkpoints.torch_checkpoint  # noqa: F401
    except ImportError:
        return False
    return True


def _load_torch(key: _Key, folder: Path, weights: Path) -> "LoadedModel":
    """Loads a checkpoint that may be large: another one leaves the memory first, but only for a sound one."""
    try:  # late: the shipped checkpoints do without torch
        from hwr_core.checkpoints.torch_checkpoint import check, load
    except ImportError as error:
        raise MissingPackageError(error.name, "torch") from None
    with _table:
        full = len(_loaded) >= IN_MEMORY
    if full:
        check(folder, weights, key.device)
        with _table:
            while len(_loaded) >= IN_MEMORY:
                _loaded.popitem()
        give_back_freed()
    return load(folder, weights, key.name, key.device)


def _known(key: _Key) -> "Recognizer | None":
    """Returns the recognizer if it is loaded, and marks it as used. Does not wait for one that is being loaded."""
    with _table:
        return _loaded.get(key)


def default_beams(name: str, local: bool = True) -> int:
    """Returns the number of beams that the checkpoint's own files name, or 1."""
    try:
        folder = find("text" if name == AUTO else name, local)
        if folder is None:
            return 1
        return int(json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))["num_beams"])
    except (HandwritingError, OSError, ValueError, KeyError, TypeError):
        return 1


def loaded() -> list[str]:
    """Returns the names of the checkpoints in memory."""
    with _table:
        return [key.name for key in _loaded]


def find(name: str, local: bool = True) -> Path | None:
    """Returns the directory of a checkpoint, or None if `name` is a hub id.

    Args:
        name: As for `load_recognizer`.
        local: As for `load_recognizer`.

    Raises:
        HandwritingError: `name` is neither.
    """
    name = name.strip()
    if not name:
        raise HandwritingError(
            "Name a checkpoint: text, a directory, or a hub id such as microsoft/trocr-base-handwritten."
        )
    # os.path, because pathlib raises on impossible paths, such as one of a thousand letters.
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
    except ValueError:  # letters that no path can have
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
    """Returns the weights file of a directory whose `config.json` describes a TrOCR checkpoint."""
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
