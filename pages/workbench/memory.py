"""The memory of all Photo sessions: one budget of bytes for the whole process.

Keeping pages, pictures of lines and readings makes it cheap to look at a page again. Beyond the budget, the least
recently used value of any session is dropped first. Computed values are made anew when they are needed again. Files
cannot be made anew: they are dropped last, and the session that lost one tells its user.
"""

import hashlib
import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from hwr_core.runtime.settings import low_memory

TOTAL_BYTES = 512 << 20  # of all values
MADE_BYTES = 256 << 20  # of computed values
LOW_TOTAL_BYTES = 128 << 20  # of all values, in low-memory mode
LOW_MADE_BYTES = 80 << 20  # of computed values, in low-memory mode
FILE = "file"  # the kind of values that cannot be made anew

T = TypeVar("T")
Key = tuple[int, str, Hashable]  # session, kind, key within these


@dataclass(frozen=True)
class _Entry:
    value: object
    size: int  # bytes


class MemoryBudget:
    """Keeps values of many sessions. Beyond the budget, it drops the least recently used. Thread-safe.

    Args:
        limits: Gives two limits in bytes: for all values, and for computed values. It is called at each change.
    """

    def __init__(self, limits: Callable[[], tuple[int, int]]):
        self._limits = limits
        self._lock = threading.RLock()
        self._made: OrderedDict[Key, _Entry] = OrderedDict()  # the least recently used first
        self._files: OrderedDict[Key, _Entry] = OrderedDict()
        self._made_bytes = self._file_bytes = 0
        self._numbers = itertools.count()

    @property
    def used(self) -> int:
        """Bytes that are kept."""
        with self._lock:
            return self._made_bytes + self._file_bytes

    def session(self) -> "SessionMemory":
        """The memory of a new session. When the object is collected, all that it kept is dropped."""
        return SessionMemory(self, next(self._numbers))

    def get(self, key: Key) -> object | None:
        """The value, or None if it is not kept. The value becomes the most recently used."""
        with self._lock:
            entries = self._entries(key)
            if key not in entries:
                return None
            entries.move_to_end(key)
            return entries[key].value

    def put(self, key: Key, value: object, size: int) -> None:
        """Keeps a value of `size` bytes. Beyond the budget, others are dropped.

        The value itself stays, even if it alone exceeds the budget: its session is using it.
        """
        with self._lock:
            self._drop(key)
            self._entries(key)[key] = _Entry(value, size)
            self._count(key, size)
            self._make_room(key)

    def forget(self, matches: Callable[[Key], bool]) -> None:
        """Drops every value if its key `matches`."""
        with self._lock:
            for key in [key for key in (*self._made, *self._files) if matches(key)]:
                self._drop(key)

    def _make_room(self, newest: Key) -> None:
        total, made = self._limits()

        def too_much() -> bool:
            return self._made_bytes > made or self._made_bytes + self._file_bytes > total

        for key in list(self._made):
            if not too_much():
                return
            if key != newest:
                self._drop(key)
        for key in list(self._files):
            if self._made_bytes + self._file_bytes <= total:
                return
            if key != newest:
                self._drop(key)

    def _entries(self, key: Key) -> OrderedDict[Key, _Entry]:
        return self._files if key[1] == FILE else self._made

    def _count(self, key: Key, size: int) -> None:
        if key[1] == FILE:
            self._file_bytes += size
        else:
            self._made_bytes += size

    def _drop(self, key: Key) -> None:
        if (entry := self._entries(key).pop(key, None)) is not None:
            self._count(key, -entry.size)


class SessionMemory:
    """What one session keeps in the budget of all."""

    def __init__(self, budget: MemoryBudget, number: int):
        self._budget, self._number = budget, number
        weakref.finalize(self, budget.forget, lambda key: key[0] == number)

    def remembered(self, kind: str, key: Hashable, make: Callable[[], T], size_of: Callable[[T], int]) -> T:
        """The kept value. Without one, calls `make` and keeps its result.

        Args:
            kind: Of value, such as "prepared".
            key: Tells it from others of its kind.
            make: Makes it.
            size_of: Gives its size in bytes.
        """
        value = self.get(kind, key)
        if value is None:
            value = make()
            self.put(kind, key, value, size_of(value))
        return value  # type: ignore[return-value]  # a kind has values of one type

    def get(self, kind: str, key: Hashable) -> object | None:
        """The value that is kept; None where there is none."""
        return self._budget.get((self._number, kind, key))

    def put(self, kind: str, key: Hashable, value: object, size: int) -> None:
        """Keeps a value of `size` bytes."""
        self._budget.put((self._number, kind, key), value, size)

    def forget(self, kind: str, matches: Callable[[Hashable], bool]) -> None:
        """Drops each value of a kind if its key `matches`."""
        self._budget.forget(lambda key: key[0] == self._number and key[1] == kind and matches(key[2]))


def limits() -> tuple[int, int]:
    """The limits in bytes: for all values, and for computed values."""
    return (LOW_TOTAL_BYTES, LOW_MADE_BYTES) if low_memory() else (TOTAL_BYTES, MADE_BYTES)


def digest(data: bytes) -> str:
    """A hash of the bytes, which identifies a file."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


BUDGET = MemoryBudget(limits)  # of this process
