"""The server as an operator starts it, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(
    folder: Path, *options: str, health: str = "/api/health", port: int | None = None, **environment: str
) -> Iterator[tuple[str, subprocess.Popen]]:
    """Its address and its process, once it answers. `folder` is its working directory and gets its log."""
    port = port or free_port()
    command = [sys.executable, "-m", "hwr_core", "serve", "--port", str(port), "--address", "127.0.0.1", *options]
    address = f"http://127.0.0.1:{port}"
    with started(command, folder, environment, address + health) as process:
        yield address, process


@contextmanager
def started(command: list[str], folder: Path, environment: dict[str, str], health: str) -> Iterator[subprocess.Popen]:
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, stdout=log, stderr=log
        )
    try:
        for _ in range(240):
            assert process.poll() is None, (folder / "log").read_text()
            try:
                urllib.request.urlopen(health, timeout=2)
                break
            except OSError:
                time.sleep(0.25)
        yield process
    finally:
        process.kill()
        process.wait(20)
