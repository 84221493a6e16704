"""The settings that an operator makes by environment variables (`HWR_…`), checked when they are read.

`settings()` gives the current values. `rows()` gives them as a table, which the documentation shows.
"""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hwr_core.errors import SettingsError
from hwr_core.runtime import limits

PREFIX = "HWR_"
LOW_MEMORY_LIMIT = 2 << 30  # bytes of the cgroup's memory limit below which low-memory mode is on


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value != "*" and not value.startswith(("http://", "https://")):
            raise ValueError("each must be * or start with http:// or https://")
    return tuple(value.rstrip("/") for value in values)


class Settings(BaseSettings):
    """The values of the environment variables. The name of each is `HWR_` and the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    api_token: SecretStr | None = Field(
        None, description="The API asks for this token (`Authorization: Bearer …`) on every route but its health."
    )
    local_checkpoints: bool = Field(
        False,
        description="Visitors may name folders of the server as checkpoints. "
        "`hwr serve` turns it on when the address is this machine's own.",
    )
    downloads: bool = Field(
        False,
        description="Visitors of the pages may make the server download checkpoints from the Hugging Face hub. "
        "`hwr serve` turns it on when the address is this machine's own. The API never downloads.",
    )
    low_memory: bool | None = Field(
        None,
        description="Keeps large checkpoints in bfloat16, holds fewer bytes of uploads and reads one large photo at a "
        "time. Unset: on when the cgroup's memory limit is below 2 GB.",
    )
    queue: int = Field(
        limits.QUEUE,
        ge=1,
        description="Requests with drawings or lines, and requests with pages, that may wait or be read at once. "
        "Beyond it, the API answers 503.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_origins)] = Field(
        (),
        description="Other sites whose scripts may call the API: origins such as https://example.org, separated by commas, or `*` for all. "
        "Unset: none.",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"] | None, BeforeValidator(_upper)] = Field(
        None, description="The least severe log messages that are written. Unset: INFO for the server, else none."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How log messages are written: as lines of text, or one JSON object a line."
    )


def settings() -> Settings:
    """Returns the current settings.

    Raises:
        SettingsError: An environment variable has a value that cannot be used.
    """
    return _read(tuple(os.environ.get(name) for name in _NAMES))


@lru_cache(maxsize=8)
def _read(values: tuple[str | None, ...]) -> Settings:
    """`values` are those of `_NAMES`: unchanged variables are parsed once."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{first['loc'][0]}".upper()
        reason = first["msg"].removeprefix("Value error, ").split(", unable to")[0]
        raise SettingsError(f"The environment variable {name} cannot be used: {_lower_first(reason)}.") from None


_NAMES = [f"{PREFIX}{name}".upper() for name in Settings.model_fields]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def rows() -> Iterator[tuple[str, str, str]]:
    """Yields the name, the default and the description of each environment variable."""
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
    chosen = settings().low_memory
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
