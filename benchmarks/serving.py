"""The whole server, started as a person starts it, for the browser tests and the benchmarks."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def server(**environment: str) -> Iterator[tuple[str, int]]:
    """Its address and process id. `HWR_PYTHON` names the interpreter of another environment, such as one without torch."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    python = os.environ.get("HWR_PYTHON", sys.executable)
    command = [
        python,
        "-m",
        "streamlit",
        "run",
        "server.py",
        "--server.port",
        str(port),
        "--server.address",
        "127.0.0.1",
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=2)
                break
            except OSError:
                assert process.poll() is None, "the server ended by itself"
                time.sleep(0.25)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(20)
