"""The settings that an operator makes by environment variables (`HWR_…`), checked when they are read.

`settings()` gives the current values. `rows()` gives them as a table, which the documentation shows.
"""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hwr_core.runtime import limits

if TYPE_CHECKING:  # pydantic is imported when a value is first asked for
    from hwr_core.runtime.environment import Settings

PREFIX = "HWR_"
LOW_MEMORY_LIMIT = 2 << 30  # bytes of the cgroup's memory limit below which low-memory mode is on


def settings() -> "Settings":
    """Returns the current settings.

    Raises:
        SettingsError: An environment variable has a value that cannot be used.
    """
    return _read(tuple(sorted(item for item in os.environ.items() if item[0].startswith(PREFIX))))


@lru_cache(maxsize=8)
def _read(values: tuple[tuple[str, str], ...]) -> "Settings":
    """`values` are the variables: unchanged ones are parsed once."""
    from hwr_core.runtime.environment import read

    return read()


def rows() -> Iterator[tuple[str, str, str]]:
    """Yields the name, the default and the description of each environment variable."""
    from hwr_core.runtime.environment import Settings

    for name, field in Settings.model_fields.items():
        default = "unset" if field.default in (None, ()) else str(field.default).lower()
        yield f"{PREFIX}{name}".upper(), default, field.description or ""


def api_token() -> str | None:
    """Returns the token that the API asks for, None if it asks for none."""
    token = settings().api_token
    return token.get_secret_value() if token else None


def local_checkpoints() -> bool:
    """Returns whether visitors may name folders of the server as checkpoints."""
    return settings().local_checkpoints


def low_memory() -> bool:
    """Returns whether the process should spare memory."""
    # Every reading asks this: where the variable is unset, it costs no import of pydantic.
    chosen = settings().low_memory if os.environ.get("HWR_LOW_MEMORY") else None
    return _cgroup_is_small() if chosen is None else chosen


def bodies_bytes() -> int:
    """Returns how many bytes the bodies of all requests may take together."""
    return limits.BODIES_BYTES_LOW if low_memory() else limits.BODIES_BYTES


def decoded_bytes() -> int:
    """Returns how many bytes one picture may take while it is decoded."""
    return limits.DECODED_BYTES_LOW if low_memory() else limits.DECODED_BYTES


def pdf_memory() -> int:
    """Returns how many bytes the process that draws a PDF page may take."""
    return limits.PDF_BYTES_LOW if low_memory() else limits.PDF_BYTES


@lru_cache(maxsize=1)
def _cgroup_is_small() -> bool:
    own = next((line[3:] for line in _lines("/proc/self/cgroup") if line.startswith("0::")), "/").strip("/")
    found = [
        f"/sys/fs/cgroup/{own}/memory.max",  # cgroup v2
        "/sys/fs/cgroup/memory.max",  # v2, inside a container
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",  # v1
    ]
    return any(line.isdigit() and int(line) < LOW_MEMORY_LIMIT for path in found for line in _lines(path))


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
