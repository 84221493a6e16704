"""The memory of a process and all its children: what a container's limit counts, and shared pages once a process."""

import os
import threading
from contextlib import suppress
from pathlib import Path

INTERVAL = 0.05  # seconds between two looks: a PDF's page is drawn within half a second


def command(pid: int) -> bytes:
    """The command line of a process; empty once it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def descendants(pid: int) -> list[int]:
    """A process and all processes that it and its children have started, as far as they run."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):  # the thread has ended
                found += map(int, task.read_text().split())
    return found


def resident(pids: list[int]) -> int:
    """The resident memory of processes, in bytes."""
    total = 0
    for pid in pids:
        with suppress(OSError):  # the process has ended
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")


class PeakMemory:
    """Watches the resident memory of a process and its children while the `with` block runs.

    Attributes:
        peak: the most memory of all these processes at one time, in bytes.
        children: the most memory of the children alone, in bytes.
    """

    def __init__(self, pid: int):
        self.pid = pid
        self.peak = self.children = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def megabytes(self) -> int:
        """`peak` in MB of 1,024 kB."""
        return self.peak >> 20

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL):
            # Until a new process runs its own program it is a copy that shares the memory of its parent.
            started = [pid for pid in descendants(self.pid)[1:] if command(pid) != command(self.pid)]
            children = resident(started)
            self.children = max(self.children, children)
            self.peak = max(self.peak, resident([self.pid]) + children)
