"""What is asked of an API request before anything is done for it: its token, that there is room for it, and that its body comes."""

import asyncio
import hmac
from collections import deque
from urllib.parse import parse_qs

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hwr_core.runtime import limits, settings

GUARDED = ("/recognize", "/ink", "/checkpoints")  # what a token is asked for


class Room:
    """How many requests of each kind wait or are worked on, and the bytes of all bodies, the oldest request first: uploads stay in memory."""

    def __init__(self):
        self.inside = {"lines": 0, "pages": 0}
        self.held: dict[object, int] = {}

    def older(self, request: object) -> int:
        """The bytes of those that came before."""
        total = 0
        for other, size in self.held.items():
            if other is request:
                break
            total += size
        return total


class Refused(Exception):
    def __init__(self, code: int, detail: str, headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.answer = JSONResponse({"detail": detail}, code, headers)


class Gate:
    """As many requests may be inside as `limits.queue_length` says, drawings and lines apart from pages, and as many bytes of bodies as
    `settings.bodies_bytes` says. A request takes a place when its body is there; a body that comes too slowly, or no further, is given up."""

    def __init__(self, app: ASGIApp, room: Room):
        self.app, self.room = app, room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith(GUARDED):
            return await self.app(scope, receive, send)
        request, headers = object(), Headers(scope=scope)
        try:
            check_token(headers)
            if scope["method"] != "POST":
                return await self.app(scope, receive, send)
            kind = kind_of(scope)
            self._check(kind)  # before the body, which may be long, and again when it is there
            messages = await self._body(request, receive, headers, scope["path"].endswith("/ink"))
            self._check(kind)
            self.room.inside[kind] += 1
            try:
                await self.app(scope, replay(messages, receive), send)
            finally:
                self.room.inside[kind] -= 1
        except Refused as refused:
            await refused.answer(scope, receive, send)
        finally:
            self.room.held.pop(request, None)

    def _check(self, kind: str) -> None:
        if self.room.inside[kind] >= settings.settings().queue:
            raise busy()

    async def _body(self, request: object, receive: Receive, headers: Headers, ink: bool) -> deque[Message]:
        """The messages of the request, until its body has come."""
        most = limits.INK_BYTES if ink else min(limits.BODY_BYTES, settings.bodies_bytes())
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > most:
            raise too_much(most)
        messages: deque[Message] = deque()
        clock = asyncio.get_running_loop().time
        size, left = 0, float(limits.BODY_SECONDS)
        self.room.held[request] = 0
        while True:
            asked = clock()
            try:
                message = await asyncio.wait_for(receive(), max(left, 0.001))
            except TimeoutError:
                raise Refused(408, "The request did not come in time: send it again.") from None
            messages.append(message)
            came = len(message.get("body", b""))
            size += came
            left = min(limits.BODY_SECONDS, left - (clock() - asked) + came / limits.BODY_RATE)
            if size > most:
                raise too_much(most)
            older = self.room.older(request)
            if older and older + size > settings.bodies_bytes():
                raise busy()
            self.room.held[request] = size
            if message["type"] != "http.request" or not message.get("more_body"):
                return messages


def check_token(headers: Headers) -> None:
    token = settings.api_token()
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # What a client sends is UTF-8, as a rule, which headers are not read as.
    if token and not (
        scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
    ):
        raise Refused(401, "Send the server's token: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})


def kind_of(scope: Scope) -> str:
    mode = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("mode", ["page"])[-1]
    return "pages" if scope["path"].endswith("/recognize") and mode == "page" else "lines"


def busy() -> Refused:
    return Refused(
        503, "The server has all that it can do: come again in a moment.", {"Retry-After": str(limits.RETRY_AFTER)}
    )


def too_much(most: int) -> Refused:
    return Refused(413, f"The request has more than {most // 1_000_000} MB: send less at a time.")


def replay(messages: deque[Message], receive: Receive) -> Receive:
    """First the messages that were received already, each given up as it is taken."""

    async def again() -> Message:
        return messages.popleft() if messages else await receive()

    return again
