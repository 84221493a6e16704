"""Keeps the memory of a long-running process small. On systems without glibc nothing happens."""

import ctypes
import sys
from pathlib import Path

M_TRIM_THRESHOLD = -1  # of glibc's malloc.h
M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
M_ARENA_MAX = -8  # of glibc's malloc.h
LARGE_BLOCK = 4 << 20  # bytes: photos and pages, but not a network's features, which are made many times a second
KEPT_FREE = 8 << 20  # bytes a heap keeps at its end; with fewer, every line would request memory from the system
HEAPS = 2  # for all threads together
_C = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def keep_heaps_few() -> None:
    """Limits how much freed memory the process keeps. Call it once, when the process starts.

    By default glibc has a heap for each thread, and keeps freed blocks as large as a photo in it. See mallopt(3).
    """
    if _C is not None and hasattr(_C, "mallopt"):
        _C.mallopt(M_ARENA_MAX, HEAPS)
        _C.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        _C.mallopt(M_TRIM_THRESHOLD, KEPT_FREE)


def give_back_freed() -> None:
    """Returns freed memory to the system. See malloc_trim(3).

    It takes some milliseconds: call it after a page or a batch of lines.
    """
    if _C is not None and hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)


def free_bytes() -> int | None:
    """Returns how much memory this machine or its cgroup has left; None if that is unknown."""
    found = []
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            found.append(int(line.split()[1]) * 1024)
    own = next((line[3:] for line in _lines("/proc/self/cgroup") if line.startswith("0::")), "/").strip("/")
    for folder in {f"/sys/fs/cgroup/{own}", "/sys/fs/cgroup"}:  # of cgroup v2
        limit, used, stat = (_lines(f"{folder}/memory.{name}") for name in ("max", "current", "stat"))
        cached = next((int(line.split()[1]) for line in stat if line.startswith("inactive_file ")), 0)
        if limit and used and limit[0].isdigit():
            found.append(int(limit[0]) - int(used[0]) + cached)
    return min(found, default=None)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
