"""Putting what several threads ask for at once into common batches, and bounding how many of these are worked on at once."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from hwr_core.checkpoint_config import free_threads
from hwr_core.limits import low_memory


class Turns:
    """`count` shares of the machine's cores; `take(shares)` waits until so many are free, first come, first served."""

    def __init__(self, count: int):
        self.count, self._free = count, count
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, shares: int) -> Iterator[None]:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            self._changed.wait_for(lambda: self._queue[0] is ticket and self._free >= shares)
            self._queue.popleft()
            self._free -= shares
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += shares
                self._changed.notify_all()


# Of the whole process. While one batch of lines is decoded, which uses a single core, another is encoded: a third more lines a second than one after the
# other; more at once only hinder each other.
TURNS = Turns(min(2, free_threads()))


def alone_where_memory_is_short() -> AbstractContextManager:
    """Held by what takes so much memory that nothing else may take much beside it where there is little: the search of a large photo for lines."""
    return TURNS.take(TURNS.count) if low_memory() else nullcontext()


class _Job:
    def __init__(self, kind: Hashable, item: Any):
        self.kind, self.item = kind, item
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()


class Batcher:
    """`batcher(kind, items)` gives `work(kind, items)`'s results, one for each item, from calls of at most `most` items of one kind.

    Nobody waits for a batch to fill: whoever gets a turn works on what waits, the oldest first and others' items too, until his own are
    done; who comes meanwhile finds his items done, or takes the next turn ("flat combining", Hendler, Incze, Shavit and Tzafrir 2010).
    `turn()` is held while working. Where `work` raises an error, the batch's items are worked on one by one.
    """

    def __init__(self, work: Callable[[Hashable, list], Sequence], most: int, turn: Callable[[], AbstractContextManager]):
        self.work, self.most, self.turn = work, most, turn
        self._waiting: deque[_Job] = deque()
        self._table = threading.Lock()  # of _waiting, held for moments

    def __call__(self, kind: Hashable, items: Sequence) -> list:
        jobs = [_Job(kind, item) for item in items]
        with self._table:
            self._waiting.extend(jobs)
        for job in jobs:
            while not job.done.is_set():
                with self.turn():
                    batch = [] if job.done.is_set() else self._next()
                    if batch:
                        self._work_on(batch)
                if not batch:
                    job.done.wait()  # another thread is at it
        for job in jobs:
            if job.error is not None:
                raise job.error
        return [job.result for job in jobs]

    def _next(self) -> list[_Job]:
        """The oldest that waits and others of its kind."""
        with self._table:
            if not self._waiting:
                return []
            kind = self._waiting[0].kind
            batch = [job for job in self._waiting if job.kind == kind][: self.most]
            taken = set(map(id, batch))
            self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        return batch

    def _work_on(self, batch: list[_Job]) -> None:
        try:
            for job, result in zip(batch, self.work(batch[0].kind, [job.item for job in batch]), strict=True):
                job.result = result
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
            else:  # one by one: only whose item it is shall get the error
                for job in batch:
                    self._work_on([job])
        finally:
            for job in batch:
                job.done.set()
