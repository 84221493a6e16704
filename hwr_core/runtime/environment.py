"""The environment variables (`HWR_…`) with their types, defaults and descriptions.

`hwr_core.runtime.settings` imports this when a value is first asked for: pydantic takes 120 ms and 20 MB of a process.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hwr_core.errors import SettingsError
from hwr_core.runtime import limits

PREFIX = "HWR_"


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
    learning: bool = Field(
        False,
        description="Visitors of the Photo page may have a checkpoint learn their hand, in a process of its own for some "
        "minutes; it needs the extras `torch` and `train`. "
        "`hwr serve` turns it on when the address is this machine's own.",
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


def read() -> Settings:
    """Reads the environment.

    Raises:
        SettingsError: An environment variable has a value that cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"{PREFIX}{first['loc'][0]}".upper()
        reason = first["msg"].removeprefix("Value error, ").split(", unable to")[0]
        raise SettingsError(f"The environment variable {name} cannot be used: {_lower_first(reason)}.") from None


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
