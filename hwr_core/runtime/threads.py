"""How many cores this process may use."""

import os

MAX_THREADS = 4  # threads of one network: more gain little on lines and formulas


def free_threads() -> int:
    """As many as there are cores free to this process, at most `MAX_THREADS`, fewer where OMP_NUM_THREADS says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(MAX_THREADS, cores, int(said) if said.isdigit() else cores))
