"""Log messages: none unless configured, as text or JSON, without uploads."""

import io
import json
import logging
import subprocess
import sys

import pytest

from hwr_core.runtime.log import configure_logging, log_unexpected, restored_logging


@pytest.fixture
def stream():
    with restored_logging():
        yield io.StringIO()


def failed(secret: str) -> Exception:
    try:
        raise KeyError(secret)
    except KeyError as error:
        return error


def test_the_library_is_quiet_unless_the_program_configures_logging():
    program = "import logging, hwr_core; logging.getLogger('hwr_core.x').error('heard')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr == b"" == done.stdout


def test_json_lines_have_time_level_message_and_fields(stream):
    configure_logging("INFO", json_lines=True, stream=stream)
    logging.getLogger("hwr_core.server").info("read %d lines", 3, extra={"fields": {"route": "/ink"}})
    logging.getLogger("hwr_core.server").debug("not written")
    (entry,) = map(json.loads, stream.getvalue().splitlines())
    assert entry["message"] == "read 3 lines" and entry["level"] == "INFO" and entry["route"] == "/ink"
    assert entry["logger"] == "hwr_core.server" and entry["time"].endswith("Z")


@pytest.mark.parametrize("json_lines", [False, True])
def test_a_trace_has_the_place_and_not_the_message_of_the_exception(stream, json_lines):
    configure_logging("INFO", json_lines, stream)
    log_unexpected(logging.getLogger("hwr_core.x"), "Reading a page", failed("dear Martha"))
    written = stream.getvalue()
    assert "Reading a page failed" in written and "in failed" in written and "KeyError" in written
    assert "Martha" not in written


def test_at_level_debug_the_message_is_there(stream):
    configure_logging("DEBUG", True, stream)
    log_unexpected(logging.getLogger("hwr_core.x"), "Reading a page", failed("dear Martha"))
    assert "dear Martha" in json.loads(stream.getvalue())["trace"]
