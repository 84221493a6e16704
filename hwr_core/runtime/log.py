"""Logging: the library is quiet, the command line and the server write to standard error."""

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

LOGGERS = ("hwr_core", "pages", "server")  # the root loggers of this project
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and the fields given as `extra={"fields": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(level: str, json_lines: bool = False, stream: TextIO | None = None) -> None:
    """Writes this project's log messages to a stream.

    Args:
        level: The least severe level that is written, such as "INFO".
        json_lines: Writes one JSON object a line instead of text.
        stream: The stream; by default standard error.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if json_lines else logging.Formatter(TEXT))
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)


def format_others_as_json() -> None:
    """Lets the web server and Streamlit, once they have configured their loggers, write JSON too."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        if name.split(".")[0] in ("uvicorn", "streamlit", "websockets") and (logger.handlers or not logger.propagate):
            logger.handlers = [handler]


@contextmanager
def restored_logging() -> Iterator[None]:
    """Undoes every `configure_logging` of its block at the end."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, list(logger.handlers), logger.level) for logger in loggers]
    try:
        yield
    finally:
        for logger, handlers, level in before:
            logger.handlers = handlers
            logger.setLevel(level)


def log_unexpected(logger: logging.Logger, place: str, error: BaseException) -> None:
    """Logs a bug: its trace and its type.

    The exception's message may quote an upload. It is logged at level DEBUG only.

    Args:
        logger: The logger of the module that caught the exception.
        place: The work that failed, without names or contents of files.
        error: The exception.
    """
    if logger.isEnabledFor(logging.DEBUG):
        logger.error("%s failed", place, exc_info=error)
        return
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s failed\nTraceback (most recent call last):\n%s%s", place, frames, type(error).__name__)
