"""Has a checkpoint learn a hand in a process of its own (`process.py`), one at a time in this server.

The lines go to the process through a pipe. It works in a temporary folder, in memory where the system offers that. The
folder is removed when the process ends without a better checkpoint, else with the `Hand` that holds it.
"""

import io
import itertools
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hwr_core.checkpoints.registry import load_apart
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.memory import free_bytes
from hwr_core.runtime.paths import PACKAGE
from hwr_core.runtime.settings import low_memory, settings

PROGRAM = Path(__file__).with_name("process.py")
IN_MEMORY = Path("/dev/shm")
PREFIX = "hwr-hand-"  # of the temporary folders; the server's process id and its start follow
FOLDER_BYTES = 200 << 20  # that the folder in memory must have room for: the state of the training and a checkpoint
PROCESS_BYTES = 2_000_000_000  # of memory that the process needs; 1.6 GB were measured
LONGEST_SECONDS = 3600.0  # after which the process is ended
LONGEST_MESSAGE = 500  # characters of an error
# Where each stage starts and ends in the whole time, as measured with 30 lines to learn from.
STAGES = {
    "reading the lines kept aside": (0.02, 0.03),
    "preparing": (0.03, 0.06),
    "training": (0.06, 0.28),
    "comparing": (0.28, 0.3),
    # Only where the first comparison is unclear.
    "reading the lines kept aside again": (0.3, 0.31),
    "preparing again": (0.31, 0.34),
    "training again": (0.34, 0.52),
    "comparing again": (0.52, 0.54),
    "preparing with all lines": (0.54, 0.57),
    "training with all lines": (0.57, 0.8),
    "writing": (0.8, 1.0),
}
SCRATCH = "temporary"  # folder of the process in its folder
REPORT, PROGRESS = "fine-tuning.json", "progress.json"  # files of `training.fit.fine_tune`
logger = logging.getLogger(__name__)
_slot = threading.Lock()  # held while a hand is learned
_numbers = itertools.count(1)


class BusyError(Exception):
    """Another hand is being learned."""


class Hand:
    """A checkpoint that has learned a hand. Its folder is removed with `forget`, or when nobody refers to it any more.

    Attributes:
        folder: Of the checkpoint.
        name: Tells it from others of this server.
    """

    def __init__(self, folder: Path):
        self.folder, self.name = folder, f"my hand {next(_numbers)}"
        self._lock = threading.Lock()
        self.forget = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    @property
    def recognizer(self) -> Recognizer:
        """Reads lines of text.

        Raises:
            HandwritingError: The checkpoint's files are damaged.
        """
        with self._lock:
            return self._recognizer

    @cached_property
    def _recognizer(self) -> Recognizer:
        return load_apart(self.folder, self.name)

    def archive(self) -> bytes:
        """The checkpoint's folder as a ZIP."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(self.folder.rglob("*")):
                if path.is_file() and path.name != PROGRESS:
                    archive.write(path, Path("my-hand") / path.relative_to(self.folder))
        return packed.getvalue()


class LearningRun:
    """One learning. The process ends with this object, so that it ends with the session.

    Args:
        lines: Rows for `hwr train fine-tune --data -`.
        count: Lines that were corrected, to tell when there are more.
        start: The checkpoint to start from.

    Raises:
        BusyError: Another hand is being learned.
    """

    def __init__(self, lines: bytes, count: int, start: str):
        self.count = count
        if not _slot.acquire(blocking=False):
            raise BusyError
        try:
            self._work = _Work(start)
        except OSError:
            _slot.release()
            raise
        self._stage, self._share, self._pace = "", 0.0, 0.0
        self._entered = self._moved = time.monotonic()
        self._thread = threading.Thread(target=self._work.run, args=(lines,), name="learning", daemon=True)
        weakref.finalize(self, self._work.stop)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether a person stopped it."""
        return self._work.stopped

    @property
    def hand(self) -> Hand | None:
        """The result, if it reads better."""
        return self._work.hand

    @property
    def report(self) -> Mapping[str, Any]:
        """What was measured; empty before the end, and after an error."""
        return self._work.report

    @property
    def error(self) -> str | None:
        """Why there is no report, in a sentence."""
        return self._work.error

    def stop(self) -> None:
        """Ends it, without a result."""
        self._work.stop()

    def wait(self, seconds: float) -> None:
        """Waits for its end, at most so long."""
        self._thread.join(seconds)

    def progress(self) -> tuple[str, float, float | None]:
        """The stage in words, the share of the whole that is done, and the seconds left if they can be told."""
        stage, done, total = self._work.progress()
        if stage not in STAGES:
            return "starting", 0.0, None
        first, last = STAGES[stage]
        share, now = first + (last - first) * done / max(1, total), time.monotonic()
        if stage != self._stage:
            self._stage, self._entered = stage, now
        if share != self._share:
            self._share, self._moved = share, now
        if done and share > first:
            self._pace = (self._moved - self._entered) / (share - first)  # seconds for the whole
        words = f"{stage}, {done} of {total}" if total > 1 else stage
        if share <= STAGES["training"][0]:
            return words, share, None
        # As it was told when the share last moved, less the time since then.
        left = self._pace * (1 - share) - (now - self._moved)
        return words, share, left if left > 0 else None


class _Work:
    """What the thread of a learning does. It does not refer to the `LearningRun`, which may end before it."""

    def __init__(self, start: str):
        self.start = start
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{_start_of(os.getpid())}-", dir=_place()))
        self.stopped = False
        self.hand: Hand | None = None
        self.report: dict[str, Any] = {}
        self.error: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def run(self, lines: bytes) -> None:
        """Runs the process until it ends."""
        try:
            self._take(*self._run_process(lines))
        except Exception as error:
            logger.warning("Learning a hand failed: %s", type(error).__name__)
            self.error = "Learning failed: an error in the program."
        finally:
            if self.hand is None:
                shutil.rmtree(self.folder, ignore_errors=True)
            _slot.release()

    def stop(self) -> None:
        """Ends the process, if it still runs, and removes its folder."""
        with self._lock:
            if self.hand is not None or self.report or self.error:
                return
            self.stopped = True
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    def progress(self) -> tuple[str, int, int]:
        """The stage, and its steps done and in all."""
        try:
            told = json.loads((self.folder / PROGRESS).read_text())
            return told["stage"], told["done"], told["total"]
        except (OSError, ValueError, KeyError):
            return "", 0, 0

    def _run_process(self, lines: bytes) -> tuple[int, str]:
        """Returns the exit status, and the last line of the messages."""
        # -P: the program's own folder must not hide installed packages. TMPDIR: libraries' files go with the folder.
        command = [sys.executable, "-P", str(PROGRAM), str(PACKAGE.parent), str(os.getpid()), str(self.folder)]
        scratch = self.folder / SCRATCH
        scratch.mkdir()
        environment = {**os.environ, "TMPDIR": str(scratch)}
        with self._lock:
            if self.stopped:
                return 1, ""
            # Here, in the thread that lasts as long as the process.
            self._process = process = subprocess.Popen(
                [*command, self.start], env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )  # fmt: skip
        try:
            _, messages = process.communicate(lines, LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return 2, "Learning took too long and was ended."
        lines_said = messages.decode("utf-8", errors="replace").strip().splitlines()
        return process.returncode, lines_said[-1][:LONGEST_MESSAGE] if lines_said else ""

    def _take(self, status: int, message: str) -> None:
        """Takes the result."""
        with self._lock:
            if self.stopped:
                return
            if status == 0:
                self.report = json.loads((self.folder / REPORT).read_text(encoding="utf-8"))
                shutil.rmtree(self.folder / SCRATCH, ignore_errors=True)
                if self.report["helped"]:
                    self.hand = Hand(self.folder)
            elif status == 2:  # a sentence for the user
                self.error = message
            elif status < 0:
                self.error = "Learning was ended by the system, probably because the memory ran out."
            else:
                logger.warning("Learning a hand ended with status %d: %s", status, message.split(":")[0])
                self.error = "Learning failed: an error in the program."


def obstacle() -> str | None:
    """Why this server learns no hands, in a sentence; None if it does."""
    if not settings().learning:
        return (
            "This server does not learn hands. Export the data set and use “hwr train fine-tune” on your own computer."
        )
    if any(find_spec(package) is None for package in ("torch", "transformers", "onnx", "onnxscript", "skimage")):
        return (
            "Learning needs packages that are not installed: "
            "install the extras torch and train, with pip install '.[torch,train]' in the repository."
        )
    free = free_bytes()
    if low_memory() or (free is not None and free < PROCESS_BYTES):
        return f"Learning needs {PROCESS_BYTES / 1e9:.0f} GB of free memory, which this server does not have."
    return None


def remove_folders() -> None:
    """Removes the folders of this server. Call it when the server stops; a process that still learns then ends too."""
    for folder in _folders(f"{PREFIX}{os.getpid()}-{_start_of(os.getpid())}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> str | None:
    """The folder for temporary folders: in memory if there is room, else the system's (None)."""
    _remove_left()
    with suppress(OSError):
        if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= FOLDER_BYTES:
            return str(IN_MEMORY)
    return None


def _remove_left() -> None:
    """Removes the folders of servers that were killed."""
    if os.name != "posix":
        return
    for left in _folders(f"{PREFIX}*-*-*"):
        owner, start = left.name.removeprefix(PREFIX).split("-")[:2]
        if owner.isdigit() and not _runs(int(owner), start):
            shutil.rmtree(left, ignore_errors=True)  # those of another user stay


def _folders(pattern: str) -> list[Path]:
    return [path for place in (IN_MEMORY, Path(tempfile.gettempdir())) for path in place.glob(pattern)]


def _runs(process: int, start: str) -> bool:
    """Whether a process runs that was started then."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _start_of(process) == start


def _start_of(process: int) -> str:
    """When a process was started, in ticks since the machine's start: after a restart, ids come again. Linux only."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "0"


_remove_left()  # once when the server starts
