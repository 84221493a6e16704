"""Admission control of API requests: token, capacity and upload time-outs, all before a request is worked on."""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qs

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hwr_core.runtime import limits
from hwr_core.runtime.settings import api_token, bodies_bytes, settings

Kind = Literal["lines", "pages"]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_open: set[object] = set()  # endpoints that need no token


def open_to_all(endpoint: Endpoint) -> Endpoint:
    """Marks an endpoint that needs no token. Every other route of the API needs the server's token, if it has one."""
    _open.add(endpoint)
    return endpoint


def authorise(request: Request) -> None:
    """Checks the token of a request: a dependency of every route.

    Raises:
        HTTPException: Status 401, the request lacks the server's token and its route is not `open_to_all`.
    """
    if request.scope.get("endpoint") not in _open:
        check_token(request.headers)


def check_token(headers: Headers) -> None:
    """Checks the Authorization header against `HWR_API_TOKEN`.

    Raises:
        HTTPException: Status 401.
    """
    token = api_token()
    if not token:
        return
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # Starlette decodes headers as Latin-1, clients encode them as UTF-8.
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode("latin-1"), token.encode()):
        message = "Send the server's token: Authorization: Bearer …"
        raise HTTPException(401, message, {"WWW-Authenticate": "Bearer"})


class RequestQueue:
    """The requests that wait or are read.

    Attributes:
        counts: The number of requests with drawings or single lines, and with pages.
        bodies: The bytes received of each request, the oldest request first. Bodies stay in memory.
    """

    def __init__(self) -> None:
        self.counts: dict[Kind, int] = {"lines": 0, "pages": 0}
        self.bodies: dict[object, int] = {}

    def bytes_before(self, request: object) -> int:
        """Returns the bytes of all requests that are older than `request`."""
        total = 0
        for other, size in self.bodies.items():
            if other is request:
                break
            total += size
        return total


class Admission:
    """ASGI middleware that admits requests with a body.

    It rejects a request without a token (401), beyond the queue's length (503) or beyond the bytes of all bodies (503)
    before the body is read. It rejects a body that is too large (413) or stalls (408). A request takes its place in the
    queue once its body is complete, so that a slow upload takes no place.
    """

    def __init__(self, app: ASGIApp, queue: RequestQueue):
        self.app, self.queue = app, queue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        request, headers = object(), Headers(scope=scope)
        try:
            check_token(headers)
            kind = kind_of(scope)
            self._check_queue(kind)
            messages = await self._body(request, receive, headers, scope["path"].endswith("/ink"))
            self._check_queue(kind)  # again: an upload may take seconds
            self.queue.counts[kind] += 1
            try:
                await self.app(scope, replay(messages, receive), send)
            finally:
                self.queue.counts[kind] -= 1
        except HTTPException as rejected:
            answer = JSONResponse({"detail": rejected.detail}, rejected.status_code, rejected.headers)
            await answer(scope, receive, send)
        finally:
            self.queue.bodies.pop(request, None)

    def _check_queue(self, kind: Kind) -> None:
        if self.queue.counts[kind] >= settings().queue:
            raise busy()

    async def _body(self, request: object, receive: Receive, headers: Headers, ink: bool) -> deque[Message]:
        """Receives the request's body and returns its messages.

        Raises:
            HTTPException: The body is too large or stalls, or the bodies of older requests fill the memory.
        """
        most = limits.INK_BYTES if ink else min(limits.BODY_BYTES, bodies_bytes())
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > most:
            raise too_large(most)
        messages: deque[Message] = deque()
        clock = asyncio.get_running_loop().time
        size, patience = 0, float(limits.BODY_SECONDS)  # seconds that the body may still stall
        self.queue.bodies[request] = 0
        while True:
            asked = clock()
            try:
                message = await asyncio.wait_for(receive(), max(patience, 0.001))
            except TimeoutError:
                raise HTTPException(408, "The upload stalled: send the request again.") from None
            messages.append(message)
            received = len(message.get("body", b""))
            size += received
            patience = min(limits.BODY_SECONDS, patience - (clock() - asked) + received / limits.BODY_RATE)
            if size > most:
                raise too_large(most)
            older = self.queue.bytes_before(request)
            if older and older + size > bodies_bytes():
                raise busy()
            self.queue.bodies[request] = size
            if message["type"] != "http.request" or not message.get("more_body"):
                return messages


def kind_of(scope: Scope) -> Kind:
    """Returns the part of the queue that a request belongs to."""
    mode = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("mode", ["page"])[-1]
    return "pages" if scope["path"].endswith("/recognize") and mode == "page" else "lines"


def busy() -> HTTPException:
    """Returns the error of a request beyond the server's capacity."""
    message = "The server is busy: try again in a few seconds."
    return HTTPException(503, message, {"Retry-After": str(limits.RETRY_AFTER)})


def too_large(most: int) -> HTTPException:
    """Returns the error for a body that is larger than `most` bytes."""
    return HTTPException(413, f"The request is larger than {most // 1_000_000} MB: send less at a time.")


def replay(messages: deque[Message], receive: Receive) -> Receive:
    """Returns a `receive` that first gives the messages already received, and releases each as it is taken."""

    async def again() -> Message:
        return messages.popleft() if messages else await receive()

    return again
