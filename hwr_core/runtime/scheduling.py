"""Whose turn it is: how much is worked on at once in the whole process."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import free_threads

SMALL = 500_000  # pixels: what has no more takes little memory


class Turns:
    """`count` shares of the machine's cores; `take(shares)` waits until so many are free, first come, first served.

    It tells whether it got them: not where `needless()` became true while others had them, after which there is no more waiting."""

    def __init__(self, count: int):
        self.count, self._free = count, count
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, shares: int, needless: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        ticket, taken = object(), 0
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: needless() or (self._queue[0] is ticket and self._free >= shares))
                taken = 0 if needless() else shares
                self._free -= taken
            finally:  # also where the waiting is interrupted
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield taken == shares
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify_all()


# Of the whole process. While one batch of lines is decoded, which uses a single core, another is encoded: a third more lines a second than one after the
# other; more at once only hinder each other.
TURNS = Turns(min(2, free_threads()))


@contextmanager
def alone_where_memory_is_short(pixels: int) -> Iterator[None]:
    """Held while so large a picture is cleaned or searched for lines: where there is little memory, nothing else may take much beside it."""
    if pixels <= SMALL or not low_memory():
        yield
        return
    with TURNS.take(TURNS.count):
        give_back_freed()  # what the others left
        yield
