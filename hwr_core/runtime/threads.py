"""How many cores this process may use, and work that is spread over them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_THREADS = 4  # of one network: more bring little for lines and formulas
SPREAD_FROM = 4  # items: for fewer, the threads cost more than they save

Item = TypeVar("Item")
Result = TypeVar("Result")


def free_threads() -> int:
    """Returns the number of cores free to this process, at most `MAX_THREADS`. OMP_NUM_THREADS can lower it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(MAX_THREADS, cores, int(given) if given.isdigit() else cores))


def spread(work: Callable[[Item], Result], items: Sequence[Item], least: int = SPREAD_FROM) -> list[Result]:
    """Returns `work` of each item, in order. Many items are spread over two threads: OpenCV releases Python's lock.

    Args:
        work: Takes one item.
        items: What it is called with.
        least: Number of items from which they are spread.

    Raises:
        Exception: The first error that `work` raised.
    """
    if len(items) < least or free_threads() == 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(2, "pictures") as pool:
        return list(pool.map(work, items))
