"""The threads that read requests, off the event loop."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from fastapi import Request

from hwr_core.runtime import limits

P = ParamSpec("P")
Result = TypeVar("Result")


class ClientDisconnected(Exception):
    """The client closed the connection before it was answered."""


class Workers:
    """Two pools of threads.

    Attributes:
        lines: For drawings and single lines; the recognizer batches the lines of several requests.
        pages: For pages and other work that may take hundreds of megabytes.
    """

    def __init__(self) -> None:
        self.lines, self.pages = _pools()

    def close(self) -> None:
        """Finishes the work that has begun and ends the threads. An API that is started again gets new ones."""
        ended = self.lines, self.pages
        self.lines, self.pages = _pools()  # without threads until there is work
        for pool in ended:
            pool.shutdown(cancel_futures=True)

    async def run(
        self,
        request: Request,
        pool: ThreadPoolExecutor,
        work: Callable[Concatenate[threading.Event, P], Result],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Result:
        """Runs `work(gone, *args, **kwargs)` in a thread of `pool`.

        Args:
            request: The request that the work is for.
            pool: One of this object's pools.
            work: The work. Its first argument is set once the client has disconnected: then it should stop.
            args: Further positional arguments of `work`.
            kwargs: Keyword arguments of `work`.

        Returns:
            The result of `work`.

        Raises:
            ClientDisconnected: The client disconnected before the work began.
        """
        gone = threading.Event()
        job = pool.submit(work, gone, *args, **kwargs)
        working = asyncio.wrap_future(job)
        try:
            while not (await asyncio.wait([working], timeout=limits.DISCONNECT_POLL))[0]:
                if await request.is_disconnected():
                    gone.set()
                    if job.cancel():
                        raise ClientDisconnected
            return await working
        finally:  # also if the server stops
            gone.set()
            job.cancel()
            working.add_done_callback(_take_result)  # or asyncio would log an exception of work that nobody awaits


def _take_result(working: asyncio.Future) -> None:
    if not working.cancelled():
        working.exception()


def _pools() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    lines = ThreadPoolExecutor(limits.LINES_AT_ONCE, "api-lines")
    return lines, ThreadPoolExecutor(limits.PAGES_AT_ONCE, "api-pages")
