"""How many cores this process may use."""

import os

MAX_THREADS = 4  # of one network: more bring little for lines and formulas


def free_threads() -> int:
    """Returns the number of cores free to this process, at most `MAX_THREADS`. OMP_NUM_THREADS can lower it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(MAX_THREADS, cores, int(given) if given.isdigit() else cores))
