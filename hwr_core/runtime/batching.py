"""Putting what several threads ask for at once into common batches."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any


class Job:
    def __init__(self, kind: Any, item: Any):
        self.kind, self.item = kind, item
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()


class Batcher:
    """`batcher(kind, items)` gives `work(kind, items)`'s results, one for each item, from calls of at most `most` items of equal kinds.

    Nobody waits for a batch to fill: whoever gets a turn works on what waits, the oldest first and others' items too, until his own are
    done; who comes meanwhile finds his items done, or takes the next turn ("flat combining", Hendler, Incze, Shavit and Tzafrir 2010).
    `turn(needless)` is held while working, and tells whether it was got or became `needless()`. Where `work` raises an error, the batch's items are
    worked on one by one.
    """

    def __init__(
        self,
        work: Callable[[Any, list], Sequence],
        most: int,
        turn: Callable[[Callable[[], bool]], AbstractContextManager[bool]],
    ):
        self.work, self.most, self.turn = work, most, turn
        self._waiting: deque[Job] = deque()
        self._table = threading.Lock()  # of _waiting, held for moments

    def __call__(self, kind: Any, items: Sequence) -> list:
        jobs = [Job(kind, item) for item in items]
        with self._table:
            self._waiting.extend(jobs)
        for job in jobs:
            while not job.done.is_set():
                with self.turn(job.done.is_set) as got:
                    batch = self._next() if got and not job.done.is_set() else []
                    if batch:
                        self.work_on(batch)
                if not batch:
                    job.done.wait()  # another thread is at it
        for job in jobs:
            if job.error is not None:
                raise job.error
        return [job.result for job in jobs]

    def _next(self) -> list[Job]:
        """The oldest that waits and others of its kind."""
        with self._table:
            if not self._waiting:
                return []
            kind = self._waiting[0].kind
            batch = [job for job in self._waiting if job.kind == kind][: self.most]
            taken = set(map(id, batch))
            self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        return batch

    def work_on(self, batch: list[Job]) -> None:
        """Each is done afterwards, with a result or an error, even where this thread is interrupted."""
        try:
            self._try(batch)
        finally:
            for job in batch:
                if not job.done.is_set():  # this thread is to end
                    job.error = RuntimeError("The thread that worked on it was interrupted.")
                    job.done.set()

    def _try(self, batch: list[Job]) -> None:
        try:
            for job, result in zip(batch, self.work(batch[0].kind, [job.item for job in batch]), strict=True):
                job.result = result
        except Exception as error:
            if len(batch) > 1:  # one by one: only whose item it is shall get the error
                for job in batch:
                    self._try([job])
                return
            batch[0].error = error
        for job in batch:
            job.done.set()
