"""Merges the items of several threads into common batches."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any


class Job:
    """One queued item, and its result or error once `done` is set."""

    def __init__(self, kind: Any, item: Any):
        self.kind, self.item = kind, item
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()


class Batcher:
    """Calls `work` for items of one kind, from one thread or several, in common batches.

    No thread waits for a batch to fill. The thread that holds the slot processes queued items, oldest first, including
    other threads', until its own are done. Threads that arrive meanwhile wait for their results or take the next slot
    ("flat combining", Hendler, Incze, Shavit and Tzafrir 2010). If `work` raises an error, the batch's items are
    processed one by one, so that only the failing item's thread gets the error.
    """

    def __init__(
        self,
        work: Callable[[Any, list], Sequence],
        most: int,
        slot: Callable[[Callable[[], bool]], AbstractContextManager[bool]],
    ):
        """Makes a batcher without items.

        Args:
            work: `work(kind, items)` returns one result per item.
            most: Items per batch, at most.
            slot: `slot(needless)` is held during `work`. It yields False if `needless()` became true first.
        """
        self.work, self.most, self.slot = work, most, slot
        self._waiting: deque[Job] = deque()
        self._lock = threading.Lock()  # of _waiting, held for moments

    def __call__(self, kind: Any, items: Sequence) -> list:
        """Processes items, in batches with other threads' items of an equal `kind`.

        Returns:
            The results, one for each item.

        Raises:
            Exception: The error that `work` raised for one of these items.
            RuntimeError: This thread already holds a slot.
        """
        jobs = [Job(kind, item) for item in items]
        with self._lock:
            self._waiting.extend(jobs)
        try:
            for job in jobs:
                self._finish(job)
        except BaseException:
            self._withdraw(jobs)
            raise
        for job in jobs:
            if job.error is not None:
                raise job.error
        return [job.result for job in jobs]

    def _finish(self, job: Job) -> None:
        while not job.done.is_set():
            with self.slot(job.done.is_set) as got:
                batch = self._next() if got and not job.done.is_set() else []
                if batch:
                    self.process(batch)
            if not batch:
                job.done.wait()  # another thread processes it

    def _withdraw(self, jobs: list[Job]) -> None:
        withdrawn = set(map(id, jobs))
        with self._lock:
            self._waiting = deque(job for job in self._waiting if id(job) not in withdrawn)

    def _next(self) -> list[Job]:
        """Takes the oldest waiting job and others of its kind."""
        with self._lock:
            if not self._waiting:
                return []
            kind = self._waiting[0].kind
            batch = [job for job in self._waiting if job.kind == kind][: self.most]
            taken = set(map(id, batch))
            self._waiting = deque(job for job in self._waiting if id(job) not in taken)
        return batch

    def process(self, batch: list[Job]) -> None:
        """Processes jobs of one kind. Afterwards each has a result or an error, even if this thread is interrupted."""
        try:
            self._try(batch)
        finally:
            for job in batch:
                if not job.done.is_set():  # this thread is being interrupted
                    job.error = RuntimeError("The thread that processed this item was interrupted.")
                    job.done.set()

    def _try(self, batch: list[Job]) -> None:
        try:
            for job, result in zip(batch, self.work(batch[0].kind, [job.item for job in batch]), strict=True):
                job.result = result
        except Exception as error:  # raised again in the thread of the job, by __call__
            if len(batch) > 1:
                for job in batch:
                    self._try([job])
                return
            batch[0].error = error
        for job in batch:
            job.done.set()
