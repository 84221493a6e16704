"""The HTTP API, which `server.py` mounts at /api beside the pages: `POST /recognize` and `/ink`, `GET /checkpoints` and `/health`, docs at `/docs`.

Reading runs in threads of its own, off the event loop, on the same loaded checkpoints as the pages; lines that several clients ask for at
once are decoded in common batches (`batching.py`). What is too much is in `limits.py`.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from functools import partial
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, FastAPI, File, HTTPException, Query, Request, Security, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict, Field, create_model
from starlette.formparsers import MultiPartParser
from typing_extensions import TypedDict

from hwr_core.checkpoints.registry import CHECKPOINTS, load_recognizer, loaded
from hwr_core.documents.document import Document, is_pdf, open_document
from hwr_core.errors import HandwritingError, TooLargeError
from hwr_core.imaging.settings import LIMITS, PreprocessSettings
from hwr_core.pipeline import Mode, read_ink, read_picture
from hwr_core.reading import PageRecord
from hwr_core.recognizer import Recognizer
from hwr_core.runtime import limits, settings
from hwr_core.server.admission import Gate, Room

MultiPartParser.spool_max_size = 2 * limits.MAX_BYTES  # what is uploaded stays in memory: never a temporary file

Beams = Annotated[
    int | None,
    Query(ge=1, le=limits.BEAMS, description="readings followed at once; the checkpoint's own number unless given"),
]
CheckpointName = Annotated[
    str | None, Query(max_length=200, description="text, math, or a hub id that is on the server; by mode unless given")
]
Coordinate = Annotated[float, Field(ge=-limits.MAX_COORDINATE, le=limits.MAX_COORDINATE, allow_inf_nan=False, strict=True)]

# The preprocessing settings as query parameters: the same names, types and limits.
Settings = create_model(
    "Settings",
    __config__={"extra": "ignore", "title": "Settings"},
    **{
        field.name: (
            field.type,
            Field(field.default, **dict(zip(("ge", "le"), LIMITS.get(field.name, ()), strict=False))),
        )
        for field in fields(PreprocessSettings)
    },
)


class Problem(BaseModel):
    """What is wrong, in a sentence."""

    detail: str


class ReadPage(PageRecord):
    """`page` counts from 1 in its file."""

    file: str
    page: int


class UnreadFile(TypedDict):
    file: str
    detail: str


class Read(TypedDict):
    """The pages that were read, and the files, or pages of them, that could not be."""

    pages: list[ReadPage]
    errors: list[UnreadFile]


class Ink(BaseModel):
    """`strokes`: each a list of points [x, y], y downwards, in any unit."""

    model_config = ConfigDict(extra="forbid")

    strokes: list[Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=limits.POINTS)]] = Field(
        max_length=limits.STROKES
    )
    mode: Literal["text", "formula"] = "text"
    checkpoint: str | None = Field(None, max_length=200)
    beams: Annotated[int, Field(strict=True, ge=1, le=limits.BEAMS)] | None = None


class CheckpointRecord(TypedDict):
    name: str
    title: str
    note: str
    formulas: bool
    loaded: bool


class Health(TypedDict):
    """`waiting`: requests that wait or are worked on; of drawings and lines, and of pages, `queue` at most."""

    status: Literal["ok"]
    waiting: int
    queue: int
    loaded: list[str]


class Desk:
    """Where requests are worked on: in threads of their own, so many at once for drawings and lines, and so many for pages and all else that may
    take hundreds of megabytes."""

    def __init__(self):
        self.lines = ThreadPoolExecutor(limits.LINES_AT_ONCE, "api-lines")
        self.pages = ThreadPoolExecutor(limits.PAGES_AT_ONCE, "api-pages")

    async def run(self, request: Request, threads: ThreadPoolExecutor, work: Callable, *arguments):
        """What `work(gone, *arguments)` gives. Where the client goes away, work that still waits is left, and `gone` is set for work that is under way."""
        gone = threading.Event()
        job = threads.submit(work, gone, *arguments)
        working = asyncio.wrap_future(job)
        try:
            while not (await asyncio.wait([working], timeout=limits.DISCONNECT_POLL))[0]:
                if await request.is_disconnected():
                    gone.set()
                    if job.cancel():
                        raise HTTPException(499, "The client went away.")
            return await working
        finally:  # where the server ends, too
            gone.set()
            job.cancel()


def create_api() -> FastAPI:
    api = FastAPIOffline(  # whose documentation needs no network
        title="Handwriting Recognition",
        version="1",
        description="Reads handwriting, as text or as LaTeX.",
        redoc_url=None,
    )
    api.state.desk, api.state.room = Desk(), Room()
    api.add_middleware(Gate, room=api.state.room)
    # That a token is asked for is for the document to tell: `Gate` checks it.
    api.include_router(reading, dependencies=[Security(HTTPBearer(auto_error=False))] if settings.api_token() else [])
    api.add_api_route("/health", health, response_model=Health, tags=["server"])
    api.add_exception_handler(HandwritingError, _said)
    api.add_exception_handler(RequestValidationError, _invalid)
    return api


_PROBLEMS = {code: {"model": Problem} for code in (400, 401, 408, 413, 422, 503)}
reading = APIRouter(responses=_PROBLEMS)


@reading.post("/recognize", tags=["reading"])
async def recognize(
    request: Request,
    files: Annotated[
        list[UploadFile],
        File(min_length=1, max_length=limits.FILES, description="pictures, PDFs, or TIFFs of several pages"),
    ],
    preprocessing: Annotated[Settings, Query()],
    mode: Annotated[Mode, Query(description="what each picture is")] = "page",
    checkpoint: CheckpointName = None,
    beams: Beams = None,
) -> Read:
    """Reads pictures of pages, of single lines, or of single formulas. A file that cannot be read is told beside those that can; where
    none can, that is the answer."""
    if unknown := sorted(set(request.query_params) - {"mode", "checkpoint", "beams"} - set(Settings.model_fields)):
        raise HandwritingError(f"There is no setting {unknown[0][:50]!r}.")
    named = []
    for number, file in enumerate(files, 1):
        named.append((file.filename or f"file {number}", await file.read()))
        await file.close()
    try:
        chosen = PreprocessSettings(**preprocessing.model_dump())
    except ValueError as error:
        raise HandwritingError(str(error)) from None
    desk: Desk = request.app.state.desk
    opening = (
        desk.pages if any(is_pdf(data) for _, data in named) else desk.lines
    )  # to count a PDF's pages may take seconds
    documents, errors = await desk.run(request, opening, _open_files, named)
    threads = desk.pages if mode == "page" or any(document.large for document in documents) else desk.lines
    read, unread = await desk.run(request, threads, _read_pages, documents, mode, checkpoint, chosen, beams)
    errors += unread
    if not read and errors:
        raise errors[0][1]
    return {"pages": read, "errors": [{"file": name, "detail": str(error)} for name, error in errors]}


@reading.post("/ink", tags=["reading"])
async def ink(request: Request, drawing: Ink) -> PageRecord:
    """Reads a drawing: as text, line by line, or as one formula."""
    points = sum(map(len, drawing.strokes))
    if points > limits.POINTS:
        raise TooLargeError(f"The drawing has {points:,} points; send {limits.POINTS:,} at most.")
    strokes = [np.array(stroke, float).reshape(-1, 2) for stroke in drawing.strokes]

    def work(gone: threading.Event) -> PageRecord:
        recognizer = _recognizer(drawing.checkpoint, drawing.mode == "formula")

        def stop(done: int, total: int) -> None:
            if gone.is_set():
                raise HandwritingError("The client went away.")

        return read_ink(strokes, recognizer, drawing.beams, stop).to_dict()

    desk: Desk = request.app.state.desk
    return await desk.run(request, desk.lines, work)


@reading.get("/checkpoints", tags=["server"])
def checkpoints() -> list[CheckpointRecord]:
    """Those that the app offers; `loaded` are in memory."""
    names = set(loaded())
    return [{**asdict(checkpoint), "loaded": checkpoint.name in names} for checkpoint in CHECKPOINTS]


async def health(request: Request) -> Health:
    """Whether the server answers; needs no token."""
    return {
        "status": "ok",
        "waiting": sum(request.app.state.room.inside.values()),
        "queue": settings.settings().queue,
        "loaded": loaded(),
    }


def _recognizer(name: str | None, formulas: bool) -> Recognizer:
    name = (name or "").strip() or ("math" if formulas else "text")
    wrong_mode = HandwritingError(
        f"The checkpoint {name} reads {'text' if formulas else 'formulas'}: choose the other mode."
    )
    if {known.name: known.formulas for known in CHECKPOINTS}.get(name, formulas) != formulas:
        raise wrong_mode  # before it is loaded, for which another may have to go
    recognizer = load_recognizer(name, local=settings.local_checkpoints(), fetch=False)
    if recognizer.reads_formulas != formulas:
        raise wrong_mode
    return recognizer


def _open_files(
    gone: threading.Event, named: Sequence[tuple[str, bytes]]
) -> tuple[list[Document], list[tuple[str, HandwritingError]]]:
    """Until the client is gone."""
    documents: list[Document] = []
    errors: list[tuple[str, HandwritingError]] = []
    for name, data in named:
        if gone.is_set():
            break
        try:
            document = open_document(data, name)
            if sum(other.count for other in documents) + document.count > limits.PAGES:
                raise TooLargeError(f"{name} would make more than {limits.PAGES} pages: send fewer at a time.")
            documents.append(document)
        except HandwritingError as error:
            errors.append((name, error))
    return documents, errors


def _read_pages(
    gone: threading.Event,
    documents: Sequence[Document],
    mode: Mode,
    checkpoint: str | None,
    settings: PreprocessSettings,
    beams: int | None,
) -> tuple[list[ReadPage], list[tuple[str, HandwritingError]]]:
    """Until the client is gone."""
    recognizer = _recognizer(checkpoint, mode == "formula")
    read: list[ReadPage] = []
    errors: list[tuple[str, HandwritingError]] = []
    for document, index in [(each, index) for each in documents for index in range(each.count)]:
        if gone.is_set():
            break
        try:
            page = read_picture(partial(document.page, index), recognizer, mode, settings, beams)
            read.append({"file": document.name, "page": index + 1, **page.to_dict()})
        except HandwritingError as error:
            errors.append((document.name, error))
    return read, errors


async def _said(request: Request, error: HandwritingError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 413 if isinstance(error, TooLargeError) else 422)


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """One sentence, which says where the first mistake is, and nothing of what was sent."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return JSONResponse({"detail": f"{place}: {first['msg'].removeprefix('Value error, ')}."}, 422)
