"""What the Photo page remembers in the session, in memory only, so that going back costs nothing."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

Made = TypeVar("Made")


def remembered(kind: str, key: tuple, make: Callable[[], Made], most: int) -> Made:
    """What `make` gave for `key` before; of each kind the `most` that were last asked for are kept."""
    kept = st.session_state.setdefault(f"kept_{kind}", {})
    kept[key] = kept.pop(key) if key in kept else make()
    while len(kept) > most:
        kept.pop(next(iter(kept)))
    return kept[key]


def forget(matches: Callable[[tuple], bool]) -> None:
    """Takes from every dictionary in the session that is kept by tuples the entries whose key `matches`."""
    for kept in st.session_state.values():
        if isinstance(kept, dict):
            for key in [key for key in kept if isinstance(key, tuple) and matches(key)]:
                del kept[key]


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
