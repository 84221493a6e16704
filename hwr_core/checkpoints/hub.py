"""Downloads a checkpoint from the Hugging Face hub, once, into the hub's own cache."""

import errno
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL, WEIGHTS, weights_in
from hwr_core.errors import HandwritingError

Download = Callable[[str, int, int], None]  # file name, bytes done, bytes in all
logger = logging.getLogger(__name__)
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def download(name: str, instead: Path, on_download: Download | None) -> Path:
    """Downloads the files that loading needs into the hub's own cache.

    Args:
        name: A hub id, owner/name.
        instead: The folder where a person may put the files by hand, named in the error message.
        on_download: Called as `on_download(file, bytes_done, bytes_in_all)`. Its exceptions end the download.

    Returns:
        The folder of the files.

    Raises:
        HandwritingError: The hub has no such checkpoint, cannot be reached, or the disk is full.
    """
    from huggingface_hub import HfApi, constants, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, HTTPError, RepositoryNotFoundError

    # Plain HTTP, at the same address: Xet reports its progress from its own threads, where no page can show it.
    constants.HF_HUB_DISABLE_XET = True
    try:
        # One request without retries: without a network, `list_repo_files` takes half a minute to fail.
        listed = [file.rfilename for file in HfApi().model_info(name, timeout=10).siblings or []]
        weights = next((file for file in WEIGHTS if file in listed), None)
        if "config.json" not in listed or weights is None:
            raise HandwritingError(
                f"{name} on the hub holds no checkpoint that can be loaded (config.json and weights)."
            )
        stem, suffix = weights.removesuffix(".index.json").rsplit(".", 1)
        shards = [file for file in listed if re.fullmatch(rf"{re.escape(stem)}-\d+-of-\d+\.{suffix}", file)]
        small = [
            file
            for file in listed
            if "/" not in file and Path(file).suffix in (".json", ".txt", ".model") and "index" not in file
        ]
        beside = [LANGUAGE_MODEL] if LANGUAGE_MODEL in listed else []
        if not weights.endswith(".index.json"):
            shards = []
        for file in [
            *small,
            *beside,
            *shards,
            weights,
        ]:  # `downloaded` takes the weights as the sign that all are there
            path = hf_hub_download(name, file, tqdm_class=_progress_bar(file, on_download))
        return Path(path).parent
    except HandwritingError:
        raise
    except GatedRepoError:
        raise HandwritingError(
            f"{name} asks for your agreement on the hub: log in there, accept, and set HF_TOKEN."
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise HandwritingError(f"The hub has no checkpoint {name}: check the spelling of owner/name.") from None
    except (
        OSError,
        HTTPError,
        json.JSONDecodeError,
    ) as error:  # of the disk and the network; others are program errors
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise HandwritingError(
                f"{name} could not be stored ({error.strerror}): make room, or set HF_HOME to another folder."
            ) from error
        logger.info("Downloading %s failed.", name, exc_info=True)
        if (folder := downloaded(name)) is not None:
            return folder
        raise HandwritingError(
            f"The hub cannot be reached, so {name} could not be downloaded: connect and try again, or put its files "
            f"into {instead}; the shipped checkpoint works without a network."
        ) from error


def downloaded(name: str) -> Path | None:
    """Returns the folder of a checkpoint that was downloaded earlier, or None if files are missing."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except (OSError, HFValidationError):  # nothing of it is there, or the hub could have no such name
        return None
    return folder if weights_in(folder) is not None else None


def _progress_bar(file: str, on_download: Download | None):
    from tqdm.auto import tqdm

    class Bar(tqdm):
        """Is shown on the console as usual, and reports to the caller."""

        def __init__(self, *args, **kwargs):
            kwargs.pop("name", None)  # an argument of huggingface_hub's own bar
            super().__init__(*args, **kwargs)

        def update(self, n=1):
            shown = super().update(n)
            if on_download is not None:
                on_download(file, int(self.n), int(self.total or 0))
            return shown

    return Bar
