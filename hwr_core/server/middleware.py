"""ASGI middleware of the API: HEAD requests, prefixes that a proxy strips, and internal errors."""

import logging
import re

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hwr_core.runtime.log import log_unexpected

logger = logging.getLogger(__name__)

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")  # path segments without escapes: safe in a page's links
MAX_PREFIX = 200  # characters


class HeadRequests:
    """Answers HEAD as GET without a body."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self.app(scope, receive, send)

        async def send_headers(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, send_headers)


class ForwardedPrefix:
    """Takes the prefix that a proxy stripped from the path (`X-Forwarded-Prefix`) into the links of the API's pages."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            prefix = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
            if len(prefix) <= MAX_PREFIX and _PREFIX.fullmatch(prefix):
                root = scope.get("root_path", "")
                scope = {**scope, "root_path": prefix + root, "path": prefix + scope["path"]}
        await self.app(scope, receive, send)


class InternalErrors:
    """Answers 500 with one sentence if the API raises an unexpected exception, and logs its trace."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:  # the boundary of the API: whatever is raised here is a bug
            log_unexpected(logger, f"{scope.get('method', 'A connection')} {route_of(scope)}", error)
            if started:
                raise
            answer = JSONResponse({"detail": "Internal error: the server's log says where."}, 500)
            await answer(scope, receive, send)


def route_of(scope: Scope) -> str:
    """Returns the path of the request's route, such as `/recognize`; "other" for a path that the API does not have."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path if path in scope["app"].openapi()["paths"] else "other"
