"""The types of the API's requests and answers. The API documentation shows their docstrings and descriptions."""

from dataclasses import fields
from typing import Annotated, Any, Literal

from fastapi import Form, Query
from pydantic import BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from hwr_core.imaging.settings import LIMITS, PreprocessSettings
from hwr_core.reading import PageRecord
from hwr_core.runtime import limits

Beams = Annotated[
    int | None, Query(ge=1, le=limits.BEAMS, description="Beams of the search; by default the checkpoint's number.")
]
CheckpointName = Annotated[
    str | None,
    Query(
        max_length=200,
        description="text, math, auto for both mixed (mode page), or a hub id that is on the server. Default: math in mode formula, else text.",
    ),
]
LANGUAGE = "Language of the text, a code such as en. Default: each line tells its own."
Language = Annotated[str | None, Query(max_length=20, description=LANGUAGE)]
Pages = Annotated[
    str | None,
    Query(max_length=200, description="Pages of each document, such as 3-7 or 1,4,9-. Default: all."),
]
Words = Annotated[
    str | None,
    Form(
        max_length=limits.WORDS_LENGTH,
        description="Words to favour, such as names, with spaces, commas or line breaks between them.",
    ),
]
Coordinate = Annotated[
    float, Field(ge=-limits.MAX_COORDINATE, le=limits.MAX_COORDINATE, allow_inf_nan=False, strict=True)
]


def _parameter(name: str, type: Any, default: Any) -> tuple[Any, Any]:
    low, high = LIMITS.get(name, (None, None))
    return type, Field(default, ge=low, le=high)


# The preprocessing settings as query parameters, with the same names, types and limits.
_parameters: dict[str, Any] = {
    field.name: _parameter(field.name, field.type, field.default) for field in fields(PreprocessSettings)
}
Preprocessing: type[BaseModel] = create_model("Preprocessing", __config__=ConfigDict(extra="ignore"), **_parameters)


class Problem(BaseModel):
    """An error, described in one sentence."""

    detail: str


class ReadPage(PageRecord):
    """A page that was read. `page` is its number in `file`, counted from 1."""

    file: str
    page: int


class UnreadFile(TypedDict):
    """A file, or one of its pages, that could not be read."""

    file: str
    detail: str


class ReadFiles(TypedDict):
    """The pages that were read, and the errors of the other files and pages."""

    pages: list[ReadPage]
    errors: list[UnreadFile]


class Ink(BaseModel):
    """A drawing. Each stroke is a list of points [x, y] in any unit; y grows downwards."""

    model_config = ConfigDict(extra="forbid")

    strokes: list[Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=limits.POINTS)]] = Field(
        max_length=limits.STROKES
    )
    mode: Literal["text", "formula"] = "text"
    checkpoint: str | None = Field(None, max_length=200)
    beams: Annotated[int, Field(strict=True, ge=1, le=limits.BEAMS)] | None = None
    words: list[Annotated[str, Field(max_length=limits.WORD_LENGTH)]] = Field(
        [], max_length=limits.WORDS, description="Words to favour, such as names."
    )
    language: str | None = Field(None, max_length=20, description=LANGUAGE)


class CheckpointRecord(TypedDict):
    """A checkpoint that the app offers. `loaded`: it is in memory."""

    name: str
    title: str
    note: str
    formulas: bool
    loaded: bool


class Health(TypedDict):
    """The server's state. `waiting`: requests that wait or are read. `queue`: their limit, for each kind of request."""

    status: Literal["ok"]
    waiting: int
    queue: int
    loaded: list[str]
