"""The HTTP API, which `server.py` mounts at `/api`: reading, checkpoints, health, metrics, and documentation at `/docs`.

Requests are read in threads, on the same loaded checkpoints as the pages. Lines of several requests are decoded in common
batches (`runtime/batching.py`). `runtime/limits.py` has the limits.
"""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, File, Query, Request, Response, Security, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.formparsers import MultiPartParser
from starlette.middleware.cors import CORSMiddleware

from hwr_core import __version__
from hwr_core.checkpoints.registry import CHECKPOINTS, load_recognizer, loaded
from hwr_core.documents.document import Document, is_pdf, open_document
from hwr_core.documents.page_range import ALL_PAGES, PageRange
from hwr_core.errors import HandwritingError, TooLargeError
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.own_words import checked_words
from hwr_core.pipeline import Mode, read_ink, read_picture
from hwr_core.reading import PageRecord
from hwr_core.recognizer import Recognizer
from hwr_core.runtime import limits
from hwr_core.runtime.settings import api_token, local_checkpoints, settings
from hwr_core.server.admission import Admission, RequestQueue, authorise, open_to_all
from hwr_core.server.metrics import Metrics, Observation
from hwr_core.server.middleware import ForwardedPrefix, HeadRequests, InternalErrors
from hwr_core.server.schemas import (
    Beams,
    CheckpointName,
    CheckpointRecord,
    Health,
    Ink,
    Language,
    Pages,
    Preprocessing,
    Problem,
    ReadFiles,
    ReadPage,
    Words,
)
from hwr_core.server.workers import ClientDisconnected, Workers

MultiPartParser.spool_max_size = 2 * limits.MAX_BYTES  # uploads stay in memory, never in a temporary file

OpenDocument = tuple[Document, list[int]]  # with the indices of its chosen pages
FileError = tuple[str, HandwritingError]  # the file's name

_PROBLEMS: dict[int | str, dict[str, object]] = {
    code: {"model": Problem} for code in (400, 401, 408, 413, 422, 500, 503)
}
reading = APIRouter(responses=_PROBLEMS)


def create_api() -> FastAPI:
    """Creates the API. Its lifespan ends its threads; `Workers.close` does so where the lifespan is not run."""
    documented = [Security(HTTPBearer(auto_error=False))] if api_token() else []  # shown in the documentation only
    api = FastAPIOffline(  # its documentation needs no network
        title="Handwriting Recognition",
        version=__version__,
        description="Reads handwriting as text or as LaTeX.",
        redoc_url=None,
        dependencies=[Depends(authorise)],  # on every route, also on routes that are added later
        lifespan=close_workers,
    )
    queue = RequestQueue()
    metrics = Metrics(queue)
    api.state.workers, api.state.queue, api.state.metrics = Workers(), queue, metrics
    # The last one added is the first to see a request.
    api.add_middleware(Admission, queue=queue)
    api.add_middleware(InternalErrors)
    api.add_middleware(Observation, metrics=metrics)
    api.add_middleware(ForwardedPrefix)
    api.add_middleware(HeadRequests)
    if origins := settings().cors_origins:
        headers = ["Authorization", "Content-Type"]
        api.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=headers)
    api.include_router(reading, dependencies=documented)
    api.add_api_route("/health", health, response_model=Health, tags=["server"])
    api.add_exception_handler(HandwritingError, _user_error)
    api.add_exception_handler(RequestValidationError, _invalid_request)
    api.add_exception_handler(ClientDisconnected, _client_disconnected)
    return api


@asynccontextmanager
async def close_workers(api: FastAPI) -> AsyncIterator[None]:
    """The API's lifespan."""
    yield
    api.state.workers.close()


@reading.post("/recognize", tags=["reading"])
async def recognize(
    request: Request,
    files: Annotated[
        list[UploadFile],
        File(min_length=1, max_length=limits.FILES, description="Pictures, PDFs, or TIFFs with several pages."),
    ],
    preprocessing: Annotated[Preprocessing, Query()],
    mode: Annotated[Mode, Query(description="What each picture shows.")] = "page",
    checkpoint: CheckpointName = None,
    beams: Beams = None,
    pages: Pages = None,
    words: Words = None,
    language: Language = None,
    struck: Annotated[bool, Query(description="Whether struck-out words stay in the texts.")] = True,
) -> ReadFiles:
    """Reads pictures of pages, of single lines, or of single formulas.

    Errors are reported per file in `errors`. If every file fails, the first error is the answer.
    """
    known = {"mode", "checkpoint", "beams", "pages", "language", "struck", *Preprocessing.model_fields}
    if unknown := sorted(set(request.query_params) - known):
        raise HandwritingError(f"There is no setting {unknown[0][:50]!r}.")
    favoured = checked_words(words or "")
    chosen = PageRange.parse(pages) if pages else ALL_PAGES
    try:
        cleaning = PreprocessSettings(**preprocessing.model_dump())
    except ValueError as error:
        raise HandwritingError(str(error)) from None
    uploads = []
    for number, file in enumerate(files, 1):
        uploads.append((file.filename or f"file {number}", await file.read()))
        await file.close()
    workers: Workers = request.app.state.workers
    # Counting a PDF's pages may take seconds.
    opening = workers.pages if any(is_pdf(data) for _, data in uploads) else workers.lines
    documents, errors = await workers.run(request, opening, _open_files, uploads, chosen)
    large = mode == "page" or any(document.large for document, _ in documents)
    pool = workers.pages if large else workers.lines
    read, unread = await workers.run(
        request, pool, _read_pages, documents, mode, checkpoint, cleaning, beams, favoured, language, struck
    )
    errors += unread
    if not read and errors:
        raise errors[0][1]
    request.app.state.metrics.lines.inc(sum(len(page["lines"]) for page in read))
    return {"pages": read, "errors": [{"file": name, "detail": str(error)} for name, error in errors]}


@reading.post("/ink", tags=["reading"])
async def ink(request: Request, drawing: Ink) -> PageRecord:
    """Reads a drawing: as text, line by line, or as one formula."""
    points = sum(map(len, drawing.strokes))
    if points > limits.POINTS:
        raise TooLargeError(f"The drawing has {points:,} points: send {limits.POINTS:,} at most.")
    strokes = [np.array(stroke, float).reshape(-1, 2) for stroke in drawing.strokes]

    def work(gone: threading.Event) -> PageRecord:
        recognizer = _recognizer(drawing.checkpoint, drawing.mode == "formula", drawing.language)

        def stop(done: int, total: int) -> None:
            if gone.is_set():
                raise ClientDisconnected

        return read_ink(strokes, recognizer, drawing.beams, stop, drawing.words).to_dict()

    workers: Workers = request.app.state.workers
    page = await workers.run(request, workers.lines, work)
    request.app.state.metrics.lines.inc(len(page["lines"]))
    return page


@reading.get("/checkpoints", tags=["server"])
def checkpoints() -> list[CheckpointRecord]:
    """Lists the checkpoints that the app offers."""
    names = set(loaded())
    return [
        CheckpointRecord(
            name=known.name, title=known.title, note=known.note, formulas=known.formulas, loaded=known.name in names
        )
        for known in CHECKPOINTS
    ]


@reading.get("/metrics", tags=["server"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """Returns Prometheus metrics: requests, seconds, queue, lines read."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@open_to_all
async def health(request: Request) -> Health:
    """Tells that the server answers. Needs no token."""
    waiting = sum(request.app.state.queue.counts.values())
    return {"status": "ok", "waiting": waiting, "queue": settings().queue, "loaded": loaded()}


def _recognizer(name: str | None, formulas: bool, language: str | None) -> Recognizer:
    name = (name or "").strip() or ("math" if formulas else "text")
    wrong_mode = HandwritingError(
        f"The checkpoint {name} reads {'text' if formulas else 'formulas'}: choose the other mode."
    )
    if {known.name: known.formulas for known in CHECKPOINTS}.get(name, formulas) != formulas:
        raise wrong_mode  # before it is loaded, which may unload another checkpoint
    recognizer = load_recognizer(name, local=local_checkpoints(), fetch=False)
    if recognizer.reads_formulas != formulas:
        raise wrong_mode
    return recognizer if language is None else recognizer.with_language(language)


def _open_files(
    gone: threading.Event, uploads: Sequence[tuple[str, bytes]], chosen: PageRange
) -> tuple[list[OpenDocument], list[FileError]]:
    """Opens the files, until the client is gone."""
    documents: list[OpenDocument] = []
    errors: list[FileError] = []
    total = 0
    for name, data in uploads:
        if gone.is_set():
            break
        try:
            document = open_document(data, name)
            indices = chosen.indices(document.count, name)
            if total + len(indices) > limits.PAGES:
                raise TooLargeError(
                    f"With {name} the request has more than {limits.PAGES} pages: choose some with pages=1-{limits.PAGES}."
                )
            total += len(indices)
            documents.append((document, indices))
        except HandwritingError as error:
            errors.append((name, error))
    return documents, errors


def _read_pages(
    gone: threading.Event,
    documents: Sequence[OpenDocument],
    mode: Mode,
    checkpoint: str | None,
    preprocessing: PreprocessSettings,
    beams: int | None,
    words: tuple[str, ...],
    language: str | None,
    struck: bool,
) -> tuple[list[ReadPage], list[FileError]]:
    """Reads the chosen pages, until the client is gone."""
    recognizer = _recognizer(checkpoint, mode == "formula", language)
    if words:
        recognizer = recognizer.with_words(words)
    read: list[ReadPage] = []
    errors: list[FileError] = []
    for document, index in [(document, index) for document, indices in documents for index in indices]:
        if gone.is_set():
            break
        try:
            page = read_picture(partial(document.page, index), recognizer, mode, preprocessing, beams)
            page = page if struck else page.without_struck()
            read.append(ReadPage(**page.to_dict(), file=document.name, page=index + 1))
        except HandwritingError as error:
            errors.append((document.name, error))
    return read, errors


async def _user_error(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 413 if isinstance(error, TooLargeError) else 422)


async def _invalid_request(request: Request, error: Exception) -> JSONResponse:
    """Names the first mistake in one sentence, without quoting the request."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return JSONResponse({"detail": f"{place}: {first['msg'].removeprefix('Value error, ')}."}, 422)


async def _client_disconnected(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The client disconnected."}, 499)
