"""Keeping a server's memory small."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
LARGE = 4 << 20  # bytes: photos and pages, not a network's features, which come and go many times a second
FREE = (
    8 << 20
)  # bytes that a heap may keep at its end: less, and every line's features would be asked of the system anew
_C = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


def keep_heaps_few() -> None:
    """To be called once, when a process that is to stay small starts.

    Left alone, glibc has a heap for each thread, and keeps in them also blocks as large as a photo. See mallopt(3). Elsewhere nothing happens.
    """
    if hasattr(_C, "mallopt"):
        _C.mallopt(M_ARENA_MAX, 2)
        _C.mallopt(M_MMAP_THRESHOLD, LARGE)
        _C.mallopt(M_TRIM_THRESHOLD, FREE)


def give_back_freed() -> None:
    """Gives what the heaps keep for later back to the system: some milliseconds, worth it after a page or a batch of lines. See malloc_trim(3)."""
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)
