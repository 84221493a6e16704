"""Prometheus metrics of the API, and a log message for each request."""

import logging
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hwr_core.server.admission import RequestQueue
from hwr_core.server.middleware import route_of

logger = logging.getLogger(__name__)

BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)  # seconds, upper bounds of the histogram of response times
POLLED = ("/health", "/metrics")  # routes that are asked every few seconds: logged at level DEBUG


class Metrics:
    """The metrics of one API.

    Attributes:
        registry: Holds them for `prometheus_client.generate_latest`.
        lines: Counts the lines that the API has read.
    """

    def __init__(self, queue: RequestQueue):
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hwr_requests", "Requests answered by the API.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "hwr_request_seconds",
            "Time from a request's first byte to the end of its answer.",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.lines = Counter("hwr_lines_read", "Lines with text read by the API.", registry=self.registry)
        waiting = Gauge("hwr_queue", "Requests that wait or are read.", ["kind"], registry=self.registry)
        waiting.labels("lines").set_function(lambda: queue.counts["lines"])
        waiting.labels("pages").set_function(lambda: queue.counts["pages"])


class Observation:
    """ASGI middleware that counts, times and logs requests. Nothing that was sent is logged."""

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, status = time.perf_counter(), 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            seconds = time.perf_counter() - started
            self._record(scope["method"], route_of(scope), status, seconds)

    def _record(self, method: str, route: str, status: int, seconds: float) -> None:
        known = method if method in ("GET", "POST", "OPTIONS", "PUT", "DELETE", "PATCH") else "other"
        self.metrics.requests.labels(known, route, status).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        fields = {"method": known, "route": route, "status": status, "seconds": round(seconds, 3)}
        level = logging.DEBUG if route in POLLED else logging.INFO
        logger.log(level, "%s %s %d in %.3f s", known, route, status, seconds, extra={"fields": fields})
