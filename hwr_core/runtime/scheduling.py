"""How much work runs at once in the whole process."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hwr_core.runtime.memory import give_back_freed
from hwr_core.runtime.settings import low_memory
from hwr_core.runtime.threads import free_threads

SMALL = 500_000  # pixels: up to here an image takes little memory


class Slots:
    """Shares of the machine's cores, handed out in the order of the requests.

    Attributes:
        count: The number of slots.
    """

    def __init__(self, count: int):
        self.count = count
        self.reset()

    def reset(self) -> None:
        """Frees all slots and forgets all waiting threads. For a forked child, in which no other thread exists."""
        self._free = self.count
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()
        self._thread = threading.local()  # `holds` is true while its thread holds slots

    def check_not_held(self) -> None:
        """Raises RuntimeError if this thread holds slots: waiting for more would never end."""
        if getattr(self._thread, "holds", False):
            raise RuntimeError("This thread already holds slots: finish that work before reading or cleaning another.")

    @contextmanager
    def acquire(self, count: int, needless: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Waits for `count` slots and holds them in the `with` block.

        Args:
            count: How many slots to hold.
            needless: Ends the waiting early once it returns true.

        Yields:
            True if the slots were acquired, False if `needless()` became true first.

        Raises:
            RuntimeError: This thread already holds slots.
        """
        self.check_not_held()
        ticket, taken = object(), 0
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: needless() or (self._queue[0] is ticket and self._free >= count))
                taken = 0 if needless() else count
                self._free -= taken
            finally:  # also if the waiting is interrupted
                self._queue.remove(ticket)
                self._changed.notify_all()
        self._thread.holds = taken > 0
        try:
            yield taken == count
        finally:
            self._thread.holds = False
            with self._changed:
                self._free += taken
                self._changed.notify_all()


# While one batch of lines is decoded, which uses a single core, another is encoded. Two batches at once read a third
# more lines per second than one; more than two slow each other down.
SLOTS = Slots(min(2, free_threads()))
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=SLOTS.reset)


@contextmanager
def exclusive_if_memory_is_short(pixels: int) -> Iterator[None]:
    """Holds all slots while a large image is cleaned or searched for lines, if memory is short.

    Args:
        pixels: The size of the image. Up to `SMALL` pixels nothing is held.

    Raises:
        RuntimeError: Memory is short, and this thread already holds slots.
    """
    if pixels <= SMALL or not low_memory():
        yield
        return
    with SLOTS.acquire(SLOTS.count):
        give_back_freed()  # by the work before
        yield
