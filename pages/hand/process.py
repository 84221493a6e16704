"""Learns a hand: `hwr train fine-tune` at low priority. A program of its own, in which torch is imported.

It is called as `process.py ROOT PARENT OUT START`: the folder that holds `hwr_core`, the process id of the server, the
folder for the result, and the checkpoint to start from. The lines come as rows from standard input. If the server ends,
this program removes its folder and ends too.
"""

import contextlib
import os
import shutil
import sys
import threading
import time
from pathlib import Path

NICE = 10  # added to the server's own niceness
LOOK_SECONDS = 1.0  # between two looks whether the server is still there


def main() -> int:
    """Runs the command. Returns its exit status."""
    root, parent, out, start = sys.argv[1:]
    sys.path.insert(0, root)
    with contextlib.suppress(AttributeError, OSError):  # not on Windows
        os.nice(NICE)
    with contextlib.suppress(OSError):  # where memory runs out, Linux ends this process and not the server
        Path("/proc/self/oom_score_adj").write_text("1000")
    threading.Thread(target=end_with, args=(int(parent), Path(out)), daemon=True).start()
    from hwr_core.cli import main as hwr

    return hwr(["train", "fine-tune", "--data", "-", "--out", out, "--start", start])


def end_with(parent: int, out: Path) -> None:
    """Ends this process after its parent, without leaving anything."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    shutil.rmtree(out, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
